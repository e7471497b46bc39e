"""Normal mixtures with a Dirichlet process prior, truncated, by variational Bayes: the data say how many components."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.scipy.special import betaln, digamma, gammaln

from suffice.distributions.mixture import Mixture
from suffice.distributions.multivariate_t import MultivariateT
from suffice.inference.testing.replicates import generator
from suffice.models.mixture import seeding
from suffice.models.mixture.climb import check_settings
from suffice.models.mixture.expectation import LOG_2PI
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.rows import MixtureRows, check_spread, rows_of
from suffice.models.mixture.structures import structure
from suffice.models.mixture.triangles import inverse, second_moments
from suffice.numerics.newton import CONVERGED, EXHAUSTED
from suffice.runtime.rng import as_key


@dataclass(frozen=True)
class DirichletProcessMixture:
    """The variational posterior of a normal mixture under a truncated Dirichlet process.

    Attributes:
        weights: expected weights, descending, (K,).
        sticks: parameters of the Beta posteriors of the sticks, (K − 1, 2).
        loc, strength, df, scale: of the normal–inverse-Wishart posteriors: centre (K, d), pseudo-observations of the mean
            (K,), degrees of freedom (K,), scale matrix (K, d, d).
        counts: observations that each component expects.
        trace: lower bound of the log evidence at each step; it never falls.
        result: a code, told by ``converged``.
    """

    weights: np.ndarray
    sticks: np.ndarray
    loc: np.ndarray
    strength: np.ndarray
    df: np.ndarray
    scale: np.ndarray
    counts: np.ndarray
    trace: np.ndarray
    result: int

    @property
    def converged(self) -> bool:
        """Whether the bound came to rest."""
        return self.result == CONVERGED

    @property
    def components(self) -> int:
        """Components that expect at least one observation."""
        return int((self.counts >= 1.0).sum())

    @property
    def predictive(self) -> Mixture:
        """Density of the next observation: a mixture of multivariate t."""
        d = self.loc.shape[1]
        df = self.df - d + 1.0
        scale = self.scale * ((self.strength + 1.0) / (self.strength * df))[:, None, None]
        parts = [MultivariateT(v, m, s) for v, m, s in zip(df, self.loc, scale, strict=True)]
        return Mixture(parts, self.weights / self.weights.sum())

    def __repr__(self) -> str:
        return f"DirichletProcessMixture({self.components} components, bound {self.trace[-1]:.6f})"


def dirichlet_process_mixture(
    data: Any,
    weights: Any = None,
    *,
    truncation: int = 20,
    concentration: float = 1.0,
    strength: float = 0.1,
    df: float | None = None,
    scale: Any = None,
    starts: int = 5,
    rng: Any = 0,
    tolerance: float = 1e-9,
    max_iterations: int = 2000,
    missing: str = "error",
) -> DirichletProcessMixture:
    """Fit a normal mixture whose weights are the sticks of a Dirichlet process, by variational Bayes.

    weights_k = v_k Π_{j<k} (1 − v_j), v_k ~ Beta(1, concentration); covariances ~ InverseWishart(df, scale), means ~
    Normal(m, covariance/strength), m the data's. The bound of the evidence rises at every step (Blei and Jordan 2006,
    doi:10.1214/06-BA104; Bishop 10.2). Components that are not needed keep no observations.

    Args:
        data, weights, missing: as of ``sf.fit_mixture``.
        truncation: largest number of components.
        concentration: of the process: large values favour many.
        strength: pseudo-observations of each mean.
        df: degrees of freedom of the covariances, above d − 1; by default d + 2.
        scale: their scale matrix, (d, d); by default the data's covariance shared out among ``truncation`` components.
        starts, rng: how many starts, and of what randomness.
        tolerance: gain of the bound for each observation at which to end.
        max_iterations: steps at most.

    Raises:
        ValueError: parameters out of range. DataError: as of ``sf.fit_mixture``.

    Example:
        >>> import numpy as np, suffice as sf
        >>> rng = np.random.default_rng(0)
        >>> x = np.concatenate([rng.normal(m, 1.0, (100, 2)) for m in (-6.0, 0.0, 6.0)])
        >>> sf.dirichlet_process_mixture(x, truncation=8).components
        3
    """
    check_settings(starts, tolerance, max_iterations)
    rows = rows_of(data, weights, missing)
    look, d = rows.look, len(rows.look.mean)
    df = d + 2.0 if df is None else float(df)
    if isinstance(truncation, bool) or not isinstance(truncation, int | np.integer) or truncation < 1:
        raise ValueError(f"truncation must be a whole number >= 1, got {truncation!r}")
    if not 0.0 < concentration < np.inf or not 0.0 < strength < np.inf:
        raise ValueError(f"concentration and strength must be > 0 and finite, got {concentration} and {strength}")
    if not d - 1.0 < df < np.inf:
        raise ValueError(f"df must be > {d - 1} and finite, got {df}")
    check_spread(look, slice(0, d), "MultivariateNormal")
    base = look.covariance * (df - d + 1.0) / truncation ** (2.0 / d) if scale is None else np.asarray(scale, float)
    if base.shape != (d, d) or not np.allclose(base, base.T) or not np.all(np.linalg.eigvalsh(base) > 0.0):
        raise ValueError(f"scale must be a positive definite matrix ({d}, {d}), got {base.tolist()}")
    prior = _Prior(float(concentration), float(strength), df, base)
    group = NormalComponents(truncation, (0, d), structure("VVV"), look.mean, look.covariance)
    draw, best = generator(as_key(rng)), None
    for share in seeding.starts(look.sample, look.weights, truncation, starts, draw):
        step = look.sample - look.mean
        r = share * look.weights * (look.count / look.weights.sum())
        n = r.sum(1)
        means = r @ step / n[:, None]
        scatter = np.stack([(w[:, None] * (step - m)).T @ (step - m) for w, m in zip(r, means, strict=True)])
        found = _climb(group, rows, prior, prior.posterior(n, means, scatter), tolerance, max_iterations)
        if best is None or found.trace[-1] > best.trace[-1]:
            best = found
    assert best is not None
    return best


@dataclass(frozen=True)
class _Posterior:
    """Of sticks and components, sorted by count; locations from the data's mean."""

    n: np.ndarray
    sticks: np.ndarray
    loc: np.ndarray
    strength: np.ndarray
    df: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class _Prior:
    concentration: float
    strength: float
    df: float
    scale: np.ndarray

    def posterior(self, n: np.ndarray, means: np.ndarray, scatter: np.ndarray) -> _Posterior:
        """By conjugacy, from counts, means and scatter matrices about them."""
        order = np.argsort(-n, kind="stable")
        n, means, scatter = n[order], means[order], scatter[order]
        after = n[::-1].cumsum()[::-1] - n
        sticks = np.stack([1.0 + n, self.concentration + after], axis=1)[:-1]
        strength = self.strength + n
        pull = (self.strength * n / strength)[:, None, None] * means[:, :, None] * means[:, None, :]
        root = np.linalg.cholesky(self.scale + scatter + pull)
        return _Posterior(n, sticks, n[:, None] * means / strength[:, None], strength, self.df + n, root)

    def divergence(self, q: _Posterior) -> float:
        """KL of the posterior from the prior."""
        d = q.loc.shape[1]
        a, b = q.sticks.T
        one, c = np.ones_like(a), np.full_like(a, self.concentration)
        total = betaln(one, c) - betaln(a, b)
        total = total + (a - one) * digamma(a) + (b - c) * digamma(b) + (one + c - a - b) * digamma(a + b)
        log_det = 2.0 * np.log(np.diagonal(q.root, axis1=-2, axis2=-1)).sum(-1)
        log_det_prior = float(np.linalg.slogdet(self.scale)[1])
        expected = _log_precision(q.df, log_det, d)
        precision = _precision(q)
        trace = np.einsum("kij,ij->k", precision, self.scale)
        pull = self.strength * np.einsum("ki,kij,kj->k", q.loc, precision, q.loc)
        wishart = _log_wishart(self.df, log_det_prior, d) - _log_wishart(q.df, log_det, d)
        wishart = wishart + 0.5 * (q.df - self.df) * expected + 0.5 * trace - 0.5 * q.df * d
        mean = 0.5 * (d * (self.strength / q.strength - 1.0 + np.log(q.strength / self.strength)) + pull)
        return float(np.sum(np.asarray(total)) + np.sum(np.asarray(wishart + mean)))


def _precision(q: _Posterior) -> np.ndarray:
    """Expected precision matrices."""
    whitener = inverse(q.root)
    return q.df[:, None, None] * np.swapaxes(whitener, -1, -2) @ whitener


def _log_precision(df: Any, log_det_scale: Any, d: int) -> np.ndarray:
    """Expected log-determinant of the precision."""
    halves = 0.5 * (np.asarray(df)[..., None] - np.arange(d))
    return np.asarray(digamma(halves)).sum(-1) + d * np.log(2.0) - log_det_scale


def _log_wishart(df: Any, log_det_scale: Any, d: int) -> np.ndarray:
    """Logarithm of the normalising constant of an inverse Wishart distribution, the integral of its kernel."""
    halves = 0.5 * (np.asarray(df)[..., None] - np.arange(d))
    log_gamma = np.asarray(gammaln(halves)).sum(-1) + 0.25 * d * (d - 1) * np.log(np.pi)
    return 0.5 * np.asarray(df) * d * np.log(2.0) + log_gamma - 0.5 * np.asarray(df) * log_det_scale


def _climb(
    group: NormalComponents, rows: MixtureRows, prior: _Prior, q: _Posterior, tolerance: float, most: int
) -> DirichletProcessMixture:
    """Coordinate ascent: responsibilities, then sticks and components, until the bound rests."""
    d, trace, status = group.d, [], EXHAUSTED
    for _ in range(most):
        log_stick = np.asarray(digamma(q.sticks)) - np.asarray(digamma(q.sticks.sum(1, keepdims=True)))
        log_weights = np.append(log_stick[:, 0], 0.0) + np.append(0.0, log_stick[:, 1].cumsum())
        log_det = 2.0 * np.log(np.diagonal(q.root, axis1=-2, axis2=-1)).sum(-1)
        root = q.root / np.sqrt(q.df)[:, None, None]  # so that whitening takes the expected precision
        constant = 0.5 * (_log_precision(q.df, log_det, d) - d / q.strength - d * LOG_2PI)
        p = {"loc": q.loc[None], "root": root[None]}
        prepared = group.prepare(p) | {"constant": constant[None]}
        value, counts, (sums,), _ = rows.expected_under((group.kernel,), (prepared,), log_weights[None])
        trace.append(float(value[0]) - prior.divergence(q))
        if len(trace) > 1 and trace[-1] - trace[-2] <= tolerance * rows.look.count:
            status = CONVERGED
            break
        n = np.maximum(counts[0], 1e-300)
        first = sums["first"][0] / n[:, None]
        inner = second_moments(sums, p["loc"], inverse(p["root"]))[0]
        scatter = root @ inner @ np.swapaxes(root, -1, -2)
        means = q.loc + (root @ first[..., None])[..., 0]
        move = means - q.loc
        scatter = scatter - n[:, None, None] * move[:, :, None] * move[:, None, :]
        q = prior.posterior(counts[0], means, scatter)
    share = q.sticks[:, 0] / q.sticks.sum(1)
    weights = np.append(share, 1.0) * np.append(1.0, np.cumprod(1.0 - share))
    scale = q.root @ np.swapaxes(q.root, -1, -2)
    return DirichletProcessMixture(
        weights, q.sticks, q.loc + group.centre, q.strength, q.df, scale, q.n, np.array(trace), status
    )
