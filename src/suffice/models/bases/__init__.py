"""Basis functions: from inputs to columns."""
