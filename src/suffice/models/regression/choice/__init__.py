"""Targets that are one of several classes."""
