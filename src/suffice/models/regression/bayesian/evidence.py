"""The evidence approximation: precisions of weights and noise by maximising the marginal likelihood (Bishop 3.5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suffice.models.bases.basis import as_basis
from suffice.models.bases.inputs import Inputs
from suffice.models.bases.polynomial import Chebyshev, Legendre, Polynomial
from suffice.models.regression.bayesian.model import BayesianLinearModel
from suffice.models.regression.bayesian.posterior import LinearPosterior, posterior
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design
from suffice.models.regression.least_squares.spectrum import Spectrum, triangle
from suffice.models.regression.least_squares.statistic import RegressionStatistic
from suffice.models.regression.linear.fit import LinearFit
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.runtime.errors import DataError

ORTHOGONAL = (Polynomial, Chebyshev, Legendre)
NOTHING = 1e-24  # of a sum of squares, below which there is none
EXACT = "the evidence rises as beta tends to infinity: the weights can fit all targets exactly"
AT_ZERO, AT_INFINITY = "the evidence rises as alpha tends to 0", "the evidence rises as alpha tends to infinity"


@dataclass(frozen=True, eq=False)
class EvidenceFit:
    """Precisions that maximise the evidence, and the posterior they lead to.

    Attributes:
        alpha: precision of the weights, one number, or with ``ard`` one for each weight, infinite where it is pruned
            and 0 where the prior is flat.
        beta: precision of the noise.
        gamma: effective number of parameters that the data determine (Bishop 3.91), the flat intercept not counted.
        log_evidence: log p(t | alpha, beta).
        posterior: of the weights, given both.
        converged: whether both are maxima in the inside.
        message: what is the case if not.
    """

    alpha: Any
    beta: float
    gamma: float
    log_evidence: float
    posterior: LinearPosterior
    converged: bool
    message: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.posterior.names

    @property
    def count(self) -> float:
        """Number of observations."""
        return self.posterior.count

    def table(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One row for each weight, as of the posterior."""
        return self.posterior.table(level)

    def predict(self, x: Any) -> Any:
        """Posterior mean at inputs."""
        return self.posterior.predict(x)

    def predictive(self, x: Any) -> Any:
        """Law of new targets."""
        return self.posterior.predictive(x)


def evidence_fit(
    basis: Any = None,
    x: Any = None,
    t: Any = None,
    weights: Any = None,
    *,
    intercept: bool = True,
    shrink_intercept: bool = False,
    ard: bool = False,
    precisions: Any = None,
    offset: Any = None,
) -> EvidenceFit:
    """Fit with the precisions alpha of the weights and beta of the noise that maximise the evidence.

    log p(t | alpha, beta) = ½ M log alpha + ½ N log beta − E(m_N) − ½ log |A| − ½ N log 2π (Bishop 3.86). In the
    principal axes of Phi beta has a closed form for each ratio alpha/beta, so that the maximum over one number is
    found for sure; it fulfils alpha = gamma/m_Nᵀm_N (3.92) and 1/beta = |t − Phi m_N|²/(N − gamma) (3.95).

    Args:
        basis: as of ``LinearBasisModel``; a ``LinearBasisModel`` itself will do.
        x, t, weights, precisions, offset: as for ``LinearBasisModel.fit``; one target.
        intercept: whether phi_0 = 1 comes first.
        shrink_intercept: whether alpha is the intercept's precision, too; by default its prior is flat.
        ard: automatic relevance determination: a precision for each weight; those that grow without bound are pruned.

    Raises:
        DataError: bad data, or data that the model fits exactly though it has fewer weights than rows: beta is infinite.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.linspace(0.0, 1.0, 20)
        >>> t = 1.0 + 2.0 * x + 0.1 * np.cos(40.0 * x)
        >>> fit = sf.evidence_fit(sf.Polynomial(3), x, t)
        >>> fit.converged, 0.0 < fit.gamma < 3.0
        (True, True)
    """
    model = (
        basis
        if isinstance(basis, LinearBasisModel)
        else LinearBasisModel(*([basis] if basis is not None else []), intercept=intercept)
    )
    data = model.data(x, t, weights, precisions, offset)
    if not data.single:
        raise ValueError("the evidence is of one target: give t of shape (n,)")
    spec = BayesianLinearModel(data.design.basis, data.design.intercept, shrink_intercept=shrink_intercept)
    return (_relevance if ard else _isotropic)(spec, data.design, data.summarised().statistic, data)


def _isotropic(
    spec: BayesianLinearModel, design: Design, statistic: RegressionStatistic, data: RegressionData | None = None
) -> EvidenceFit:
    spectrum = Spectrum.of(design, statistic, spec.shrink_intercept)
    free = statistic.count - spectrum.free
    s2, d2, left = spectrum.values**2, spectrum.targets**2, spectrum.left
    if not len(s2):
        raise ValueError("the evidence needs at least one weight with a prior")
    whole = left + d2.sum()
    wide = not left + d2[s2 <= NOTHING * s2[0]].sum() > NOTHING * whole  # the columns reach every target
    if free <= 0 or not whole > 0 or (wide and free > (s2 > NOTHING * s2[0]).sum()):
        raise DataError(f"the model fits all {statistic.count:g} targets exactly: the evidence has no maximum in beta")

    def slope(log_ratio: float) -> tuple[float, float]:
        """Derivatives of the profile log-evidence in log(alpha/beta)."""
        r = math.exp(log_ratio)
        share = s2 / (s2 + r)  # gamma_i
        least = left + (d2 * (1.0 - share)).sum()
        first, second = (d2 * share * (1.0 - share)).sum(), (d2 * share * (1.0 - share) * (2.0 * share - 1.0)).sum()
        gradient = 0.5 * share.sum() - 0.5 * free * first / least
        curvature = -0.5 * (share * (1.0 - share)).sum() - 0.5 * free * (second / least - (first / least) ** 2)
        return gradient, curvature

    def value(log_ratio: float) -> float:
        lost = 1.0 / (1.0 + s2 * math.exp(-log_ratio))
        return 0.5 * np.log(lost).sum() - 0.5 * free * math.log(left + (d2 * lost).sum())

    top = 2.0 * math.log(spectrum.values[0])
    grid = np.linspace(top - 70.0, top + 40.0, 551)
    scores = np.array([value(g) for g in grid])
    best = int(scores.argmax())
    log_ratio, message = float(grid[best]), ""
    if scores[-1] >= scores[best] - 1e-13 or best == 0:  # a plateau at the end, to rounding
        message = AT_INFINITY if best else EXACT if wide else AT_ZERO
        log_ratio = float(grid[-1 if best else 0])
    elif wide and scores[0] >= scores[best] - 1e-13:  # a plateau at the other
        message, log_ratio = EXACT, float(grid[0])
    else:
        log_ratio = _root(slope, float(grid[best - 1]), float(grid[best + 1]), log_ratio)
    r = math.exp(log_ratio)
    share = s2 / (s2 + r)
    beta = free / (left + (d2 * (1.0 - share)).sum())
    alpha = r * beta
    found = posterior(replace(spec, weights=alpha, noise=float(beta)).prior(len(design.names)), design, statistic, data)
    return EvidenceFit(alpha, float(beta), float(share.sum()), found.log_evidence, found, not message, message)


def _root(slope: Any, low: float, high: float, at: float) -> float:
    """Where the slope is 0, falling: Newton's steps, halved towards the bracket where they leave it."""
    for _ in range(100):
        gradient, curvature = slope(at)
        low, high = (at, high) if gradient > 0 else (low, at)
        step = at - gradient / curvature if curvature < 0 else math.nan
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - at) <= 1e-14 * max(1.0, abs(at)):
            return new
        at = new
    return at


def _relevance(
    spec: BayesianLinearModel, design: Design, statistic: RegressionStatistic, data: RegressionData | None = None
) -> EvidenceFit:
    """Each precision in turn at its maximum given the others (Tipping and Faul 2003), the noise in between."""
    m = len(design.names)
    columns, target = triangle(design, statistic)
    free = int(design.intercept and not spec.shrink_intercept)
    phi, t, left = columns[free:m, free:], target[free:m], float((target[m:] ** 2).sum())
    n = statistic.count - free
    if not len(phi):
        raise ValueError("the evidence needs at least one weight with a prior")
    if n <= 0 or not left > 1e-24 * (left + t @ t):
        raise DataError(f"the model fits all {statistic.count:g} targets exactly: the evidence has no maximum in beta")
    size = np.sqrt((phi**2).sum(0))
    phi = phi / size
    gram, cross = phi.T @ phi, phi.T @ t
    alpha, beta, gamma, converged = np.full(len(size), math.inf), float(n / (left + t @ t)), 0.0, False
    for _ in range(5000):
        before = alpha.copy(), beta
        for j in range(len(size)):
            held = np.isfinite(alpha) & (np.arange(len(size)) != j)
            spread = np.linalg.inv(np.diag(alpha[held]) + beta * gram[np.ix_(held, held)])
            part = beta * gram[j, held] @ spread
            sparsity = beta * gram[j, j] - beta * part @ gram[held, j]
            quality = beta * cross[j] - beta * part @ cross[held]
            alpha[j] = sparsity**2 / (quality**2 - sparsity) if quality**2 > sparsity else math.inf
        kept = np.isfinite(alpha)
        spread = np.linalg.inv(np.diag(alpha[kept]) + beta * gram[np.ix_(kept, kept)])
        mean = beta * spread @ cross[kept]
        gamma = float((1.0 - alpha[kept] * np.diagonal(spread)).sum())
        beta = float((n - gamma) / (left + ((t - phi[:, kept] @ mean) ** 2).sum()))
        same = np.isfinite(alpha) == np.isfinite(before[0])
        both = np.isfinite(alpha) & np.isfinite(before[0])
        if (
            same.all()
            and (np.abs(np.log(alpha[both] / before[0][both])) < 1e-12).all()
            and abs(math.log(beta / before[1])) < 1e-13
        ):
            converged = True
            break
    full = np.concatenate([np.zeros(free), alpha * size**2])
    # a pruned weight is held at 0 by a precision beyond all that the data know of it
    held = np.where(np.isfinite(full), full, 1e40 * beta * np.concatenate([np.ones(free), size**2]))
    found = posterior(replace(spec, weights=held, noise=beta).prior(len(design.names)), design, statistic, data)
    message = "" if converged else "stopped after 5000 rounds"
    return EvidenceFit(full, beta, gamma, found.log_evidence, found, converged, message)


@dataclass(frozen=True, eq=False)
class ModelOrder:
    """Models in the order of their evidence.

    Attributes:
        labels: what each is called.
        fits: in the order they were given.
        log_evidences: of each.
        probabilities: of each, given the data, if all are equally probable beforehand.
        best: the place of the largest.
    """

    labels: tuple[str, ...]
    fits: tuple[EvidenceFit, ...]

    @property
    def log_evidences(self) -> np.ndarray:
        """log p(t) of each."""
        return np.array([f.log_evidence for f in self.fits])

    @property
    def probabilities(self) -> np.ndarray:
        """Posterior probabilities of the models."""
        p = np.exp(self.log_evidences - self.log_evidences.max())
        return p / p.sum()

    @property
    def best(self) -> int:
        """Place of the most probable."""
        return int(self.log_evidences.argmax())


def nested_orders(fit: LinearFit) -> ModelOrder | None:
    """The polynomials of lower degree inside a fitted one in the order of their evidence, without the data.

    Columns of a lower degree are the first of those of a higher one, so their statistic is a part of the fit's. None
    where the fit is not of one polynomial of one input with a constant, or fits its targets exactly.
    """
    basis: Any = fit.design.basis
    alone = isinstance(basis, ORTHOGONAL) and fit.design.intercept and fit.single and not fit.dependencies
    if not alone or len(basis.names(Inputs(fit.design.input_names, ()))) != basis.degree:
        return None
    found = []
    for degree in range(1, basis.degree + 1):
        design = replace(fit.design, basis=replace(basis, degree=degree))
        statistic = fit.statistic.kept([*range(degree + 1), basis.degree + 1])
        try:
            found.append(_isotropic(BayesianLinearModel(design.basis), design, statistic))
        except DataError:
            return None
    return ModelOrder(tuple(map(str, range(1, basis.degree + 1))), tuple(found))


def order_by_evidence(bases: Sequence[Any], x: Any, t: Any, weights: Any = None, **options: Any) -> ModelOrder:
    """Compare bases by their evidence, as polynomials of different degree (Bishop, figure 3.14).

    Args:
        bases: as of ``LinearBasisModel``.
        x, t, weights: as for ``evidence_fit``, and its options.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.linspace(-1.0, 1.0, 30)
        >>> t = x**2 + 0.1 * np.random.default_rng(0).normal(size=30)
        >>> order = sf.order_by_evidence([sf.Polynomial(m) for m in range(1, 6)], x, t)
        >>> order.labels[order.best]
        'Polynomial(degree=2)'
    """
    if not bases:
        raise ValueError("bases must have at least one member, got none")
    labels = tuple(repr(as_basis(b)) for b in bases)
    return ModelOrder(labels, tuple(evidence_fit(b, x, t, weights, **options) for b in bases))
