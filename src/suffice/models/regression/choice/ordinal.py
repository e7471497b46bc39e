"""Ordinal regression: classes in an order."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.regression.choice.climb import ClassData
from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.labels import told
from suffice.models.regression.generalised.link import LINKS
from suffice.models.regression.iterated.blockwise import blockwise
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


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
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


class _Between:
    """log p of the own class = log(F(theta_k − q b) − F(theta_k−1 − q b)), of parameters [theta, b]."""

    def __init__(self, link: OrdinalLink, cuts: int):
        self._of, self._cuts = _BETWEEN[link], cuts

    def _slopes(self, q: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of both ends in the parameters, (n, P), and which ends are finite."""
        at = np.arange(self._cuts)
        high, low = (np.concatenate([(place[:, None] == at + end).astype(float), -q[:, 1:]], axis=1) for end in (0, 1))
        return high, low, place < self._cuts, place > 0

    def sums(self, q: np.ndarray, place: np.ndarray, often: np.ndarray, point: np.ndarray) -> np.ndarray:
        high, low, below, above = self._slopes(q, place)
        if not (np.diff(point[: self._cuts]) > 0).all():
            return np.full(1 + len(point) * (1 + len(point)), np.nan)
        a, b = np.where(below, high @ point, 2 * _FAR), np.where(above, low @ point, -2 * _FAR)
        value, one, two, aa, ab, bb = self._of(a, b)
        one, aa = (np.where(below, v, 0.0) for v in (one, aa))
        two, bb = (np.where(above, v, 0.0) for v in (two, bb))
        mixed = high.T @ ((often * np.where(below & above, ab, 0.0))[:, None] * low)
        pure = high.T @ ((often * aa)[:, None] * high) + low.T @ ((often * bb)[:, None] * low)
        gradient = high.T @ (often * one) + low.T @ (often * two)
        return np.concatenate([[(often * value).sum()], gradient, -(pure + mixed + mixed.T).ravel()])

    def margins(self, q: np.ndarray, place: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, float]:
        high, low, below, above = self._slopes(q, place)
        up, down = np.where(below, high @ step, 0.0), np.where(above, low @ step, 0.0)
        return np.minimum(up, -down), float(max(np.abs(up).max(initial=0.0), np.abs(down).max(initial=0.0)))


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
            x: inputs, or ``sf.scan_table(path)``, whose classes are numbers, or one of its ``categories``.
            t: labels, (n,), numbers or text; of a table the name of a column.
            weights: frequencies, (n,), >= 0.

        Raises:
            DataError: fewer than two classes, dependent columns.

        Source: McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.
        """
        found = ClassData.of(LinearBasisModel(self.basis, True), x, t, weights, self.classes)
        design, classes, cuts = found.data.design, found.classes, len(found.classes) - 1
        shares = np.asarray(found.folded(lambda _, place, often: np.bincount(place, often, cuts + 1)))
        if not (shares > 0).all():
            raise ValueError(f"every class must occur, but there is no {classes[int(shares.argmin())]!r}")
        scaled = found.weights_root[:, 1:]
        m = scaled.shape[1]
        start = LINKS[self.link].of(np.cumsum(shares)[:-1] / shares.sum())
        end = found.climbed(_Between(self.link, cuts), np.concatenate([start, np.zeros(m)]))
        jacobian = np.block([[np.eye(cuts), -np.tile(scaled[:1], (cuts, 1))], [np.zeros((m, cuts)), scaled[1:]]])
        names = (*(f"<= {told(c)}" for c in classes[:-1]), *design.names[1:])
        return OrdinalFit(**found.fitted(end, names, jacobian), link=self.link)
