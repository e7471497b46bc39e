"""Bayes' rule in closed form: a table of conjugate pairs, and the posterior they lead to."""
