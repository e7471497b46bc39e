"""Exact random variates from a JAX key, made for vector machines."""

from suffice.numerics.variates.alias import categorical
from suffice.numerics.variates.circular import von_mises
from suffice.numerics.variates.counts import binomial, geometric, negative_binomial, poisson
from suffice.numerics.variates.elementary import bernoulli, exponential, normal, two_tailed, uniform, uniform_at
from suffice.numerics.variates.gamma import beta, gamma, log_gamma
from suffice.numerics.variates.log_concave import log_concave
from suffice.numerics.variates.polar import polar_normal
from suffice.numerics.variates.rejection import accept_reject

__all__ = [
    "accept_reject",
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "exponential",
    "gamma",
    "geometric",
    "log_concave",
    "log_gamma",
    "negative_binomial",
    "normal",
    "poisson",
    "polar_normal",
    "two_tailed",
    "uniform",
    "uniform_at",
    "von_mises",
]
