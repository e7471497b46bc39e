"""What distributions with a covariance-like matrix share: it is kept as its Cholesky factor."""

from typing import Any

import jax

from suffice.distributions.declaration import parameter
from suffice.numerics import linalg, matrix_domain
from suffice.numerics.checks import checked


def covariance_parameter(alias: str, *, doc: str, singular: bool = False) -> Any:
    """Declare a symmetric positive matrix, given under the name ``alias`` and kept as its Cholesky factor.

    The factor itself is taken under the field's own name. It has twice the range of condition numbers: a factor of 1e8
    is harmless where its square could not be told from a singular matrix.
    """
    space = matrix_domain.positive_semidefinite if singular else matrix_domain.positive_definite

    def factor(name: str, value: Any) -> jax.Array:
        return linalg.cholesky(checked(name, space, value))

    return parameter(matrix_domain.triangular, doc=doc, alias=alias, stored=factor)


def shapes_disagree(vector: Any, matrix: Any, names: tuple[str, str]) -> str | None:
    """Why a vector and a square matrix don't go together."""
    if matrix.shape[-1] != matrix.shape[-2] or vector.shape[-1] != matrix.shape[-1]:
        return f"{names[1]} must be a square matrix as long as {names[0]}, got shapes {matrix.shape} and {vector.shape}"
    return None
