"""Multinomial logistic regression: classes without an order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.choice.climb import ClassData
from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.labels import told
from suffice.models.regression.linear.model import LinearBasisModel


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MultinomialFit(ChoiceFit):
    """log p(class k | x) = phi(x)ᵀ w_k − log Σ_l exp(phi(x)ᵀ w_l), w of the first class 0."""

    @cached_property
    def weights(self) -> np.ndarray:
        """(M, K − 1): of each class but the first."""
        return self.parameters.reshape(len(self.classes) - 1, -1).T

    def log_probabilities(self, x: Any) -> Any:
        phi = jnp.asarray(self.design.columns(self.design.inputs(x), reported=True).hi)
        eta = phi @ self.weights
        return jax.nn.log_softmax(jnp.concatenate([jnp.zeros((len(eta), 1)), eta], axis=1), axis=1)


class _Softmax:
    """log p of the own class = eta_own − log Σ_l exp eta_l, eta of the first class 0."""

    @staticmethod
    def _eta(q: np.ndarray, point: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros((len(q), 1)), q @ point.reshape(-1, q.shape[1]).T], axis=1)

    def sums(self, q: np.ndarray, place: np.ndarray, often: np.ndarray, point: np.ndarray) -> np.ndarray:
        eta = self._eta(q, point)
        top = eta.max(axis=1, keepdims=True)
        p = np.exp(eta - top)
        whole = p.sum(axis=1, keepdims=True)
        own = (eta - top - np.log(whole))[np.arange(len(q)), place]
        p = (p / whole)[:, 1:]
        others = np.arange(p.shape[1])
        left = often[:, None] * ((place[:, None] == others + 1) - p)
        blocks = [[q.T @ ((often * p[:, a] * ((a == b) - p[:, b]))[:, None] * q) for b in others] for a in others]
        return np.concatenate([[(often * own).sum()], (left.T @ q).ravel(), np.block(blocks).ravel()])

    def margins(self, q: np.ndarray, place: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, float]:
        eta = self._eta(q, step)
        return eta[np.arange(len(eta)), place] - eta.max(axis=1), float(np.abs(eta).max(initial=0.0))


@dataclass(frozen=True)
class MultinomialRegression:
    """Classes without an order: log p(k | x) − log p(first | x) = w_k0 + Σ_j w_kj phi_j(x) (Bishop 4.104).

    Args:
        basis, intercept: as of ``LinearBasisModel``.
        classes: in order, the first is the reference; by default those of the data, sorted.

    Example:
        >>> import suffice as sf
        >>> fit = sf.MultinomialRegression().fit([1.0, 2.0, 3.0, 4.0, 2.5, 1.5], ["a", "b", "c", "b", "a", "c"])
        >>> fit.names
        ('b: intercept', 'b: x', 'c: intercept', 'c: x')
        >>> fit.predict([2.0]).round(3).tolist()
        [[0.385, 0.224, 0.39]]
    """

    basis: Any = LinearBasisModel().basis  # a frozen value
    intercept: bool = True
    classes: Any = None

    def fit(self, x: Any, t: Any, weights: Any = None) -> MultinomialFit:
        """Maximum likelihood by Newton's method in orthonormal columns, one reading of the data for each step.

        Args:
            x: inputs, or ``sf.scan_table(path)``, whose classes are numbers, or one of its ``categories``.
            t: labels, (n,), numbers or text; of a table the name of a column.
            weights: frequencies, (n,), >= 0.

        Raises:
            DataError: fewer than two classes, dependent columns.

        Source: Bishop 2006, 4.3.4; Albert and Anderson 1984, doi:10.1093/biomet/71.1.1.
        """
        found = ClassData.of(LinearBasisModel(self.basis, self.intercept), x, t, weights, self.classes)
        design, classes, several = found.data.design, found.classes, len(found.classes) - 1
        end = found.climbed(_Softmax(), np.zeros(several * found.root.shape[1]))
        jacobian = np.kron(np.eye(several), found.weights_root)
        names = tuple(f"{told(c)}: {n}" for c in classes[1:] for n in design.names)
        return MultinomialFit(**found.fitted(end, names, jacobian))
