"""Ordinal regression: classes in an order."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.choice.fit import ChoiceFit, codes, labelled, newton, told
from suffice.models.regression.generalised.link import LINKS
from suffice.models.regression.iterated.ascent import Proposal, ascend
from suffice.models.regression.iterated.blockwise import blockwise
from suffice.models.regression.iterated.reweighted import Least, counted
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.solution import solve
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.numerics.special import log_ndtr_difference

OrdinalLink = Literal["logit", "probit"]
_FAR = 1e3  # stands for an infinite end


@jax.jit
def _normal_between(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(Φ(a) − Φ(b)), ends beyond ``_FAR`` infinite."""
    return log_ndtr_difference(jnp.where(b <= -_FAR, -jnp.inf, b), jnp.where(a >= _FAR, jnp.inf, a))


def _logistic(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """log(F(a) − F(b)) with first and second derivatives: l, l_a, l_b, l_aa, l_ab, l_bb."""
    mean, logs = LINKS["logit"].mean, LINKS["logit"].logs
    assert logs is not None
    with np.errstate(all="ignore"):
        u = 1.0 / np.expm1(np.minimum(a - b, 700.0))
        value = logs(a)[0] + logs(b)[1] + np.log(-np.expm1(b - a))
    bent = u * (1.0 + u)
    high, low = mean(-a), mean(b)
    return value, high + u, -low - u, -high * mean(a) - bent, bent, -low * mean(-b) - bent


def _normal(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same of the normal distribution."""
    with np.errstate(all="ignore"):
        value = blockwise(_normal_between, a, b)
        half = 0.5 * np.log(2.0 * np.pi)
        ra, rb = (np.exp(-0.5 * z**2 - half - value) for z in (a, b))
    return value, ra, -rb, -a * ra - ra**2, ra * rb, b * rb - rb**2


_BETWEEN = {"logit": _logistic, "probit": _normal}


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalFit(ChoiceFit):
    """p(class <= k | x) = F(theta_k − phi(x)ᵀ w)."""

    link: OrdinalLink = "logit"

    @property
    def thresholds(self) -> np.ndarray:
        """theta, (K − 1,), increasing."""
        return self.parameters[: len(self.classes) - 1]

    @property
    def weights(self) -> np.ndarray:
        """w, (M,): positive ones move towards later classes."""
        return self.parameters[len(self.classes) - 1 :]

    def log_probabilities(self, x: Any) -> Any:
        phi = jnp.asarray(self.design.columns(self.design.inputs(x), reported=True).hi)[:, 1:]
        cut = jnp.asarray(self.thresholds)[None, :] - (phi @ self.weights)[:, None]
        high = jnp.pad(cut, ((0, 0), (0, 1)), constant_values=2 * _FAR)
        low = jnp.pad(cut, ((0, 0), (1, 0)), constant_values=-2 * _FAR)
        if self.link == "probit":
            return _normal_between(high, low)
        return -jnp.logaddexp(0.0, -high) - jnp.logaddexp(0.0, low) + jnp.log(-jnp.expm1(low - high))


@dataclass(frozen=True)
class OrdinalRegression:
    """Classes in an order: p(class <= k | x) = F(theta_k − Σ_j w_j phi_j(x)), with proportional odds where F is logistic.

    Args:
        basis: as of ``LinearBasisModel``; the thresholds theta take the constant's part.
        link: "logit", or "probit" with the normal distribution for F.
        classes: in their order; by default those of the data, sorted.

    Example:
        >>> import suffice as sf
        >>> fit = sf.OrdinalRegression().fit([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 2, 1, 3, 2, 3])
        >>> fit.names, bool(fit.weights[0] > 0.0)
        (('<= 1', '<= 2', 'x'), True)
    """

    basis: Any = LinearBasisModel().basis  # a frozen value
    link: OrdinalLink = "logit"
    classes: Any = None

    def __post_init__(self) -> None:
        if self.link not in get_args(OrdinalLink):
            raise ValueError(f"link must be one of {', '.join(get_args(OrdinalLink))}, got {self.link!r}")

    def fit(self, x: Any, t: Any, weights: Any = None) -> OrdinalFit:
        """Maximum likelihood by Newton's method in orthonormal columns, one reading of the data for each step.

        Args:
            x: inputs, or ``sf.scan_table(path)``, whose classes are numbers.
            t: labels, (n,), numbers or text; of a table the name of a column.
            weights: frequencies, (n,), >= 0.

        Raises:
            DataError: fewer than two classes, dependent columns.

        Source: McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.
        """
        data, classes = labelled(LinearBasisModel(self.basis, True), x, t, weights, self.classes)
        design, cuts, between = data.design, len(classes) - 1, _BETWEEN[self.link]
        statistic = data.summarised().statistic
        solution = solve(statistic, design.names, design.conversion)
        m = len(design.names) - 1

        def slopes(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            """Of both ends in the parameters, (n, cuts + m), and which ends are finite."""
            q = np.asarray(design.columns(rows.inputs).hi @ solution.root[:, 1:]) * np.sqrt(statistic.count)
            place = codes(data, rows.targets[:, 0], classes)
            at = np.arange(cuts)
            high = np.concatenate([(place[:, None] == at).astype(float), -q], axis=1)
            low = np.concatenate([(place[:, None] == at + 1).astype(float), -q], axis=1)
            return high, low, place < cuts, place > 0

        def read(point: np.ndarray) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
            def reduce(rows: Rows) -> np.ndarray:
                high, low, below, above = slopes(rows)
                g = counted(rows)
                a, b = np.where(below, high @ point, 2 * _FAR), np.where(above, low @ point, -2 * _FAR)
                value, one, two, aa, ab, bb = between(a, b)
                one, aa = (np.where(below, v, 0.0) for v in (one, aa))
                two, bb = (np.where(above, v, 0.0) for v in (two, bb))
                ab = np.where(below & above, ab, 0.0)
                mixed = high.T @ ((g * ab)[:, None] * low)
                information = -(
                    high.T @ ((g * aa)[:, None] * high) + low.T @ ((g * bb)[:, None] * low) + mixed + mixed.T
                )
                return np.concatenate([[g @ value], high.T @ (g * one) + low.T @ (g * two), information.ravel()])

            sums, size = np.asarray(data.folded(reduce)), cuts + m
            rises = (np.diff(point[:cuts]) > 0).all() and np.isfinite(sums).all()
            return float(sums[0]) if rises else -np.inf, (sums[1 : 1 + size], sums[1 + size :].reshape(size, size))

        def separates(step: np.ndarray) -> bool:
            def margin(rows: Rows) -> Least:
                high, low, below, above = slopes(rows)
                up, down = np.where(below, high @ step, 0.0), np.where(above, low @ step, 0.0)
                lost = np.where(counted(rows) > 0, np.minimum(up, -down), 0.0)
                reach = max(np.abs(up).max(initial=0.0), np.abs(down).max(initial=0.0))
                return Least(float(lost.min(initial=0.0) + 1e-6 * reach))

            return data.folded(margin).value >= 0.0

        shares = np.asarray(data.folded(lambda rows: _shares(rows, codes(data, rows.targets[:, 0], classes), cuts)))
        if not (shares > 0).all():
            raise ValueError(f"every class must occur, but there is no {classes[int(shares.argmin())]!r}")
        start = LINKS[self.link].of(np.cumsum(shares)[:-1] / shares.sum())
        runs = [False]

        def ended(_: np.ndarray, step: np.ndarray) -> bool:
            runs[0] = float(np.abs(step).max()) > 0.1 and separates(step)
            return runs[0]

        end = ascend(read, lambda found, _: Proposal(*newton(*found)), np.concatenate([start, np.zeros(m)]), ended)
        scaled = solution.weights_root[:, 1:] * np.sqrt(statistic.count)
        jacobian = np.block([[np.eye(cuts), -np.tile(scaled[:1], (cuts, 1))], [np.zeros((m, cuts)), scaled[1:]]])
        names = (*(f"<= {c:g}" if isinstance(c, float) else f"<= {c}" for c in classes[:-1]), *design.names[1:])
        return OrdinalFit(
            design, classes, names, jacobian @ end.point,
            jacobian @ np.linalg.pinv(end.found[1], hermitian=True) @ jacobian.T, end.likelihood, statistic.count,
            end.converged, end.steps, told(end, runs[0]), self.link,
        )  # fmt: skip


def _shares(rows: Rows, place: np.ndarray, cuts: int) -> np.ndarray:
    return np.bincount(place, counted(rows), cuts + 1)
