"""Multinomial logistic regression: classes without an order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.choice.fit import ChoiceFit, codes, labelled, newton, told
from suffice.models.regression.iterated.ascent import Proposal, ascend
from suffice.models.regression.iterated.reweighted import Least, counted
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.solution import solve
from suffice.models.regression.linear.model import LinearBasisModel


@dataclass(frozen=True, eq=False, repr=False)
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
            x: inputs, or ``sf.scan_table(path)``, whose classes are numbers.
            t: labels, (n,), numbers or text; of a table the name of a column.
            weights: frequencies, (n,), >= 0.

        Raises:
            DataError: fewer than two classes, dependent columns.

        Source: Bishop 2006, 4.3.4; Albert and Anderson 1984, doi:10.1093/biomet/71.1.1.
        """
        data, classes = labelled(LinearBasisModel(self.basis, self.intercept), x, t, weights, self.classes)
        design, size = data.design, len(classes) - 1
        statistic = data.summarised().statistic
        solution = solve(statistic, design.names, design.conversion)
        m = len(design.names)

        def scores(rows: Rows, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            q = np.asarray(design.columns(rows.inputs).hi @ solution.root)
            return q, np.concatenate([np.zeros((len(q), 1)), q @ beta.reshape(size, m).T], axis=1)

        def read(beta: np.ndarray) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
            def reduce(rows: Rows) -> np.ndarray:
                (q, eta), g = scores(rows, beta), counted(rows)
                top = eta.max(axis=1, keepdims=True)
                p = np.exp(eta - top)
                whole = p.sum(axis=1, keepdims=True)
                p, place = p / whole, codes(data, rows.targets[:, 0], classes)
                own = (eta - top - np.log(whole))[np.arange(len(q)), place]
                left = g[:, None] * ((place[:, None] == np.arange(1, size + 1)) - p[:, 1:])
                blocks = [
                    [q.T @ ((g * p[:, a] * ((a == b) - p[:, b]))[:, None] * q) for b in range(1, size + 1)]
                    for a in range(1, size + 1)
                ]
                return np.concatenate([[g @ own], (left.T @ q).ravel(), np.block(blocks).ravel()])

            sums = np.asarray(data.folded(reduce))
            value = float(sums[0]) if np.isfinite(sums).all() else -np.inf
            return value, (sums[1 : 1 + size * m], sums[1 + size * m :].reshape(size * m, size * m))

        def separates(step: np.ndarray) -> bool:
            def margin(rows: Rows) -> Least:
                _, eta = scores(rows, step)
                own = eta[np.arange(len(eta)), codes(data, rows.targets[:, 0], classes)]
                lost = np.where(counted(rows) > 0, own - eta.max(axis=1), 0.0)
                reach = np.abs(eta).max(initial=0.0)
                return Least(float(lost.min(initial=0.0) + 1e-6 * reach))

            return data.folded(margin).value >= 0.0

        runs = [False]

        def ended(_: np.ndarray, step: np.ndarray) -> bool:
            large = float(np.abs(step).max()) > 0.1 * np.sqrt(statistic.count)
            runs[0] = large and separates(step)
            return runs[0]

        end = ascend(read, lambda found, _: Proposal(*newton(*found)), np.zeros(size * m), ended)
        jacobian = np.kron(np.eye(size), solution.weights_root)
        return MultinomialFit(
            design, classes, tuple(f"{c}: {n}" for c in classes[1:] for n in design.names), jacobian @ end.point,
            jacobian @ np.linalg.pinv(end.found[1], hermitian=True) @ jacobian.T, end.likelihood, statistic.count,
            end.converged, end.steps, told(end, runs[0]),
        )  # fmt: skip
