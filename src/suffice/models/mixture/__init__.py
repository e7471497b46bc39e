"""Mixtures of any families by EM: the climb, the parts of which mixtures are made, and what is told of the result."""
