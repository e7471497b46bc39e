"""Regressions as figures, tables and words."""
