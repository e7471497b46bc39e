"""Posteriors that have no closed form: grids, approximations, and how far to trust them."""
