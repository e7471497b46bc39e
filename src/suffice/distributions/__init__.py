"""Families of distributions and their algebra."""
