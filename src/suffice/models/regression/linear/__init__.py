"""Linear basis models and the noise around them."""
