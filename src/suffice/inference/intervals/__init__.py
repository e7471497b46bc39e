"""Confidence intervals and regions of a fit, by every method."""
