"""Draws from densities that one can only write down: kernels, chains and direct methods over plain log-densities."""
