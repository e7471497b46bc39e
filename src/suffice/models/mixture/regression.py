"""Mixtures of linear regressions: several lines through one cloud, each with its own noise."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from suffice.inference.testing.replicates import generator
from suffice.models.bases.basis import Basis
from suffice.models.mixture.climb import check_settings, climb, first_that_stands
from suffice.models.mixture.information import covariance_of
from suffice.models.mixture.linear import RegressionComponents
from suffice.models.mixture.model import Model, Params, joined
from suffice.models.mixture.rows import MixtureRows, posterior_of, rows_of
from suffice.numerics.newton import CONVERGED
from suffice.runtime.errors import DataError
from suffice.runtime.rng import as_key


@dataclass(frozen=True)
class RegressionMixtureFit:
    """Several regressions and their weights.

    Attributes:
        names: of the columns.
        weights: probabilities of the regressions, (K,).
        coefficients: one row for each regression, (K, M), the constant first.
        scales: deviations of the noise, (K,).
        log_likelihood, count, trace, result, passes: as of ``MixtureFit``.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    coefficients: np.ndarray
    scales: np.ndarray
    log_likelihood: float
    count: float
    trace: np.ndarray
    result: int
    passes: int
    model: Model
    params: Params
    rows: MixtureRows
    transform: np.ndarray
    basis: Basis | None

    @property
    def converged(self) -> bool:
        """Whether the climb ended at a maximum of the likelihood."""
        return self.result == CONVERGED

    @property
    def collapsed(self) -> tuple[int, ...]:
        """Regressions without noise or rows."""
        return tuple(int(i) for i in np.flatnonzero(~self.model.sound(self.params)[0]))

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        return self.model.dimension

    @property
    def bic(self) -> float:
        """Bayesian information criterion k log n − 2l."""
        return self.dimension * float(np.log(self.count)) - 2.0 * self.log_likelihood

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters: "weights[0]", "components[0].x"."""
        k = len(self.weights)
        inner = (*self.names, "scale")
        return tuple(f"weights[{i}]" for i in range(k)) + tuple(f"components[{i}].{n}" for i in range(k) for n in inner)

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors by name, by Louis' identity."""
        with np.errstate(invalid="ignore"):
            values = np.sqrt(np.diagonal(covariance_of(self)))
        return dict(zip(self.parameter_names, values.tolist(), strict=True))

    def _stretches(self) -> Any:
        yield self.rows.x, np.ones(len(self.rows.x)) if self.rows.w is None else self.rows.w

    def _told(self) -> list[Any]:
        """How each component's parameters follow from its coordinates."""
        group = self.model.groups[0]
        return [partial(group.told, transform=self.transform)] * group.count

    def responsibilities(self, x: Any, t: Any) -> np.ndarray:
        """Probability of each regression for each row and target, (n, K)."""
        rows = np.column_stack([_design(x, self.basis)[0] @ self.transform, np.asarray(t, float)])
        model, p = self.model, self.params
        return posterior_of(model, p, rows)[0]

    def predict(self, x: Any) -> np.ndarray:
        """Mean of the target, Σ_k weights_k y_k(x), (n,)."""
        return _design(x, self.basis)[0] @ (self.weights @ self.coefficients)

    def __repr__(self) -> str:
        told = []
        for w, row, scale in zip(self.weights, self.coefficients, self.scales, strict=True):
            line = " ".join([f"{row[0]:.4g}", *(f"{c:+.4g} {n}" for c, n in zip(row[1:], self.names[1:], strict=True))])
            told.append(f"{w:.4g} Normal({line}, {scale:.4g})")
        state = "" if self.converged else ", not converged"
        return f"RegressionMixtureFit({', '.join(told)}; l = {self.log_likelihood:.6f}, n = {self.count:,.10g}{state})"


def fit_regression_mixture(
    components: int,
    x: Any,
    t: Any,
    weights: Any = None,
    *,
    basis: Basis | None = None,
    starts: int = 20,
    rng: Any = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 5000,
) -> RegressionMixtureFit:
    """Fit a mixture of linear regressions: p(t | x) = Σ_k weights_k Normal(t | w_kᵀ phi(x), scale_k²), by EM.

    Args:
        components: number K of regressions.
        x: inputs, (n,) or (n, d).
        t: targets, (n,).
        weights: frequencies, (n,).
        basis: functions of the inputs; None for the inputs themselves. A constant comes first in any case.
        starts, rng, tolerance, max_iterations: as of ``sf.fit_mixture``.

    Returns:
        A ``RegressionMixtureFit``; regressions in ascending order of their coefficients.

    Raises:
        DataError: fewer rows than parameters, dependent columns, missing or infinite values. ValueError: no component.

    Example:
        >>> import numpy as np, suffice as sf
        >>> rng = np.random.default_rng(0)
        >>> x, z = rng.uniform(0.0, 1.0, 400), rng.random(400) < 0.3
        >>> t = np.where(z, 1.0 + 4.0 * x, 3.0 - 2.0 * x) + rng.normal(0.0, 0.2, 400)
        >>> sf.fit_regression_mixture(2, x, t).coefficients.round().tolist()
        [[1.0, 4.0], [3.0, -2.0]]
    """
    if isinstance(components, bool) or not isinstance(components, int | np.integer) or components < 1:
        raise ValueError(f"components must be a whole number >= 1, got {components!r}")
    check_settings(starts, tolerance, max_iterations)
    phi, names, basis = _design(x, basis)
    t = np.asarray(t, float)
    if t.shape != phi.shape[:1]:
        raise DataError(f"targets must have shape ({len(phi)},), got {t.shape}")
    given = rows_of(np.column_stack([phi, t]), weights, "error")  # without rows of frequency 0; says what is missing
    phi, t, n, m = given.x[:, :-1], given.x[:, -1], len(given.x), phi.shape[1]
    if n < components * (m + 1):
        raise DataError(f"{components} regressions with {m} columns need at least {components * (m + 1)} rows, got {n}")
    w = np.ones(n) if given.w is None else given.w
    q, r = np.linalg.qr(phi)
    if np.abs(np.diag(r)).min() <= 1e-12 * np.abs(np.diag(r)).max():
        raise DataError("columns of the regression depend on each other")
    transform = np.linalg.inv(r) * np.sqrt(n)
    rows = rows_of(np.column_stack([q * np.sqrt(n), t]), given.w, "error")
    group = RegressionComponents(
        int(components), m, float(np.sqrt(np.average((t - np.average(t, weights=w)) ** 2, weights=w)))
    )
    if group.unit == 0.0:
        raise DataError(f"targets are all {t[0]:g}")
    model, draw = Model((group,)), generator(as_key(rng))
    begin = joined([model.start(rows.x, w, _share(rows.x, m, group.count, draw, i)) for i in range(starts)])
    evaluate, count = lambda p: rows.evaluate(model, p), rows.look.count
    end = climb(model, evaluate, begin, count, most=150, tolerance=1e-5, gain=1e-9)
    values = np.where(np.isfinite(end.values) & model.sound(end.params).all(1), end.values, -np.inf)
    final = first_that_stands(
        [end.params.run(slice(i, i + 1)) for i in np.argsort(-values, kind="stable")],
        lambda begin: climb(model, evaluate, begin, count, most=max_iterations, tolerance=tolerance),
    )
    if final is None:
        raise DataError("the likelihood is not finite at any start")
    p, place = final.params, np.lexsort((final.params.groups[0]["weights"][0] @ transform.T).T[::-1])
    p = Params(p.log_weights[:, place], ({k: v[:, place] for k, v in p.groups[0].items()},))
    part = p.groups[0]
    return RegressionMixtureFit(
        names, np.exp(p.log_weights[0]), part["weights"][0] @ transform.T, part["scale"][0],
        float(final.log_likelihoods[0]), rows.look.count, np.array(final.traces[0]), int(final.status[0]),
        final.evaluations, model, p, rows, transform, basis,
    )  # fmt: skip


def _design(x: Any, basis: Basis | None) -> tuple[np.ndarray, tuple[str, ...], Basis | None]:
    """Columns with a constant first, their names, and the basis with its centres and scales from these inputs."""
    from suffice.models.bases.inputs import Inputs

    inputs = Inputs.of(x)
    if basis is not None:
        basis = basis.settled(inputs)
        inner, names = np.asarray(basis(x)), basis.names(inputs)
    else:
        inner, names = np.column_stack([inputs.number(i) for i in range(len(inputs.names))]), inputs.names
    return np.column_stack([np.ones(len(inner)), inner]), ("constant", *names), basis


def _share(x: np.ndarray, m: int, k: int, draw: np.random.Generator, i: int) -> np.ndarray:
    """Responsibilities (K, n): nearness to lines through a few random rows."""
    n = len(x)
    lines = []
    for _ in range(k):
        at = draw.choice(n, min(n, m + 1 + i % 3), replace=False)
        lines.append(np.linalg.lstsq(x[at, :m], x[at, m], rcond=None)[0])
    distance = np.abs(x[:, m, None] - x[:, :m] @ np.array(lines).T)
    nearest = distance.argmin(1)
    return 0.9 * (nearest == np.arange(k)[:, None]) + 0.1 / k
