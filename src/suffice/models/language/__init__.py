"""Sequences of tokens: likelihood, perplexity, decoding, n-gram models."""
