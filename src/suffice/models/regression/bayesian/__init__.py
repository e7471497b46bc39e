"""Priors on weights, and the evidence that chooses them."""
