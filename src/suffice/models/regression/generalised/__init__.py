"""Targets of any exponential family."""
