"""Least squares to the last digit: rows, their statistic, its solution."""
