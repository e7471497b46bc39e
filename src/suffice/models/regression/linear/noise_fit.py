"""Maximum likelihood of models with noise of their own law, one reading of the data for each step."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.iterated.ascent import Ascent, Proposal, ascend
from suffice.models.regression.iterated.likelihood_fit import of_solution
from suffice.models.regression.iterated.reweighted import Working, careful, reading
from suffice.models.regression.least_squares.data import RegressionData, TableRows
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.solution import Solution, solve
from suffice.models.regression.least_squares.statistic import GramStatistic, RegressionStatistic
from suffice.models.regression.linear.noise import LogVariance, NoiseFit, StudentTNoise
from suffice.numerics.special import log_beta
from suffice.runtime.errors import DataError

LARGE_DF = 1e4  # degrees of freedom from which Student's t is as good as normal


def _size(change: np.ndarray, solution: Solution, factor: float = 1.0) -> float:
    """The largest change in units of the standard error."""
    return float((np.abs(change) / np.sqrt(factor * (solution.root**2).sum(1))).max())


def _least_squares(start: RegressionStatistic, design: Design) -> Solution:
    """The fit from which a search starts.

    Raises:
        DataError: it is exact, so that the likelihood rises for ever as the noise shrinks.
    """
    found, m = solve(start, design.names, design.conversion), len(design.names)
    whole = float((start.root().hi[int(design.intercept) :, m] ** 2).sum())
    if not float(found.residuals[0, 0]) ** 2 > 1e-28 * whole:
        raise DataError(
            f"the model fits all {start.count:g} targets exactly: the likelihood has no maximum in the noise"
        )
    return found


def _targets(rows: Rows) -> np.ndarray:
    return rows.targets[:, 0] - (0.0 if rows.offset is None else rows.offset[:, 0])


# -- variances that depend on the inputs -------------------------------------------------------------------------------


def fit_log_variance(data: RegressionData, noise: LogVariance) -> NoiseFit:
    """Weights and log variance by Fisher scoring: both informations are of least squares, and apart from each other.

    Source: Aitkin 1987, doi:10.2307/2347792.
    """
    design = data.design
    inputs = data.rows.settling(noise.basis) if isinstance(data.rows, TableRows) else data.rows.counted  # type: ignore[union-attr]
    variances = Design.of(noise.basis, True, inputs)
    start = data.summarised().statistic
    first = _least_squares(start, design)
    m, kinds = len(first.coefficients), [type(start), GramStatistic]

    def read(point: np.ndarray) -> tuple[float, tuple[Solution, Solution]]:
        w, v = point[:m], point[m:]

        def shares(rows: Rows, phi: Any, psi: Any) -> tuple[np.ndarray, np.ndarray]:
            logs = np.asarray(psi @ v)
            with np.errstate(all="ignore"):
                share = (_targets(rows) - phi @ w) ** 2 * np.exp(-logs)
            return logs, np.where(np.isfinite(share), np.minimum(share, 1e100), 1e100)

        def mean(phi: Any, rows: Rows) -> Working:
            logs, share = shares(rows, phi, variances.columns(rows.inputs).hi)
            each = -0.5 * (np.log(2.0 * np.pi) + logs + share)
            return Working(_targets(rows), np.exp(-np.clip(logs, -600.0, 600.0)), (each,))

        def spread(psi: Any, rows: Rows) -> Working:
            logs, share = shares(rows, design.columns(rows.inputs).hi, psi)
            return Working(logs + share - 1.0, None, ())

        def both() -> Any:
            return reading(data, design, mean, kinds[0]), reading(data, variances, spread, kinds[1])

        one, two = both()
        wanted = [careful(one.statistic, m), careful(two.statistic, len(v))]
        if wanted != kinds:
            kinds[:] = wanted
            one, two = both()
        solved = (solve(r.statistic, d.names, d.conversion) for r, d in ((one, design), (two, variances)))
        return float(one.sums[0]), tuple(solved)  # type: ignore[return-value]

    def propose(found: tuple[Solution, Solution], point: np.ndarray) -> Proposal:
        step = np.concatenate([s.coefficients[:, 0] for s in found]) - point
        return Proposal(step, max(_size(step[:m], found[0]), _size(step[m:], found[1], 2.0)))

    v = np.zeros(len(variances.names))
    level = np.log(max(float(first.residuals[0, 0]) ** 2 / start.count, 1e-300))
    v[0] = level
    end = ascend(read, propose, np.concatenate([first.coefficients[:, 0], v]), lambda p, _: bool(p[m] < level - 200.0))
    first = end.found[0].holding(end.point[:m], design.conversion)
    second = end.found[1].holding(end.point[m:], variances.conversion)
    return NoiseFit(
        **of_solution(design, first, 1.0), dimension=first.rank + second.rank, solution=first, factor=1.0,
        noise_names=tuple(f"log variance: {n}" for n in variances.names),
        noise_parameters=second.weights[:, 0], noise_errors=np.sqrt(2.0 * (second.weights_root**2).sum(1)),
        variance_design=variances, variance_solution=second, log_likelihood=end.likelihood, count=start.count,
        converged=end.converged, iterations=end.steps,
        message="" if end.converged else _why(end, end.point[m] < level - 200.0), data=data,
    )  # fmt: skip


def _why(end: Ascent, exact: bool) -> str:
    if exact:
        return "the likelihood has no maximum: it rises for ever as the variance of some rows tends to 0"
    return f"stopped after {end.steps} steps"


# -- Student's t -------------------------------------------------------------------------------------------------------


def _constant(b: jax.Array) -> jax.Array:
    """What the log-density has of log df alone, scale 1."""
    return -log_beta(jnp.full_like(b, 0.5), 0.5 * jnp.exp(b)) - 0.5 * b


@jax.jit
def _constants(b: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The same with its first two derivatives."""
    return _constant(b), jax.grad(_constant)(b), jax.grad(jax.grad(_constant))(b)


def _expanded(r: np.ndarray, a: float, constants: tuple[float, ...], df: float) -> tuple[np.ndarray, ...]:
    """Log-density of Student's t at residuals, with gradient and Hessian in log scale a and log df."""
    with np.errstate(over="ignore"):
        q = (r * np.exp(-a)) ** 2 / df
    logs = np.log1p(q)
    u = np.where(np.isfinite(q), q / (1.0 + np.minimum(q, 1e300)), 1.0)
    bent = u * (1.0 - u)
    value, first, second = constants
    return (
        value - a - 0.5 * (df + 1.0) * logs,
        (df + 1.0) * u - 1.0,
        first - 0.5 * df * logs + 0.5 * (df + 1.0) * u,
        -2.0 * (df + 1.0) * bent,
        df * u - (df + 1.0) * bent,
        second - 0.5 * df * logs + df * u - 0.5 * (df + 1.0) * bent,
    )


def fit_student_t(data: RegressionData, noise: StudentTNoise) -> NoiseFit:
    """Weights by Fisher scoring, each row counting (df + 1)/(df + r²/scale²); scale and df by Newton's method beside.

    The expected informations of weights and noise are apart from each other.

    Source: Lange, Little and Taylor 1989, doi:10.1080/01621459.1989.10478852.
    """
    design = data.design
    start = data.summarised().statistic
    plain = _least_squares(start, design)
    m, n, kind = len(plain.coefficients), start.count, [type(start)]
    free = [0] if noise.df is not None else [0, 1]

    def read(point: np.ndarray) -> tuple[float, tuple[Solution, np.ndarray]]:
        w, a, b = point[:m], point[m], point[m + 1]
        s2, df = np.exp(2.0 * a), np.exp(b)
        constants = tuple(float(v) for v in _constants(jnp.asarray(b)))

        def work(phi: Any, rows: Rows) -> Working:
            r = _targets(rows) - phi @ w
            return Working(r, (df + 1.0) / (df + r**2 / s2), _expanded(r, a, constants, df))

        found = reading(data, design, work, kind[0])
        if careful(found.statistic, m) is not kind[0]:
            kind[0] = careful(found.statistic, m)
            found = reading(data, design, work, kind[0])
        likelihood = float(found.sums[0]) if np.isfinite(found.sums).all() else -np.inf
        return likelihood, (solve(found.statistic, design.names, design.conversion), found.sums[1:])

    def propose(found: tuple[Solution, np.ndarray], point: np.ndarray) -> Proposal:
        solution, sums = found
        df = np.exp(point[m + 1])
        step = np.zeros(m + 2)
        step[:m] = (df + 3.0) / (df + 1.0) * solution.coefficients[:, 0]
        hessian = np.array([[sums[2], sums[3]], [sums[3], sums[4]]])[np.ix_(free, free)]
        values, axes = np.linalg.eigh(hessian)
        d = axes @ ((axes.T @ sums[:2][free]) / np.maximum(np.abs(values), 1e-6 * n))
        d *= min(1.0, 1.0 / max(float(np.abs(d).max()), 1e-300))
        step[[m + i for i in free]] = d
        errors = np.sqrt(1.0 / np.maximum(np.abs(np.diagonal(hessian)), 1e-300))
        return Proposal(step, max(_size(step[:m], solution, np.exp(2.0 * point[m])), float((np.abs(d) / errors).max())))

    scale = np.sqrt(max(float(plain.residuals[0, 0]) ** 2 / n, 1e-300))
    point = np.r_[plain.coefficients[:, 0], np.log(scale), np.log(noise.df or 8.0)]
    top = np.log(LARGE_DF) if noise.df is None else np.inf

    def ended(p: np.ndarray, _: np.ndarray) -> bool:
        return bool(p[m + 1] > top or p[m] < np.log(scale) - 100.0)

    end = ascend(read, propose, point, ended)
    s, df = np.exp(end.point[m:])
    sums, message = end.found[1], "" if end.converged else _why(end, end.point[m] < np.log(scale) - 100.0)
    errors = np.full(2, np.nan)
    information = -np.array([[sums[2], sums[3]], [sums[3], sums[4]]])[np.ix_(free, free)]
    errors[free] = np.sqrt(np.maximum(np.diagonal(np.linalg.inv(information)), 0.0)) * np.array([s, df])[free]
    if end.point[m + 1] > top:
        df, errors[1] = np.inf, np.nan
        message = "the likelihood rises as df tends to infinity: the noise is normal"
    factor = s**2 * ((df + 3.0) / (df + 1.0) if np.isfinite(df) else 1.0)
    solution = plain.holding(end.point[:m], design.conversion)
    return NoiseFit(
        **of_solution(design, solution, float(factor)), dimension=solution.rank + int(np.isfinite(errors).sum()),
        solution=solution, factor=float(factor),
        noise_names=("scale", "df"), noise_parameters=np.array([s, df]), noise_errors=errors,
        log_likelihood=end.likelihood, count=n, converged=end.converged, iterations=end.steps, message=message, data=data,
    )  # fmt: skip
