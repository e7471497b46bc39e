"""Gaussian mixtures with the names and habits of ``sklearn.mixture.GaussianMixture``, and the E-step of ``sf.fit_mixture``."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator, DensityMixin, _fit_context
    from sklearn.cluster import KMeans, kmeans_plusplus
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils._param_validation import Interval, StrOptions
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("suffice.sklearn needs scikit-learn: pip install 'suffice[sklearn]'") from error

from suffice.models.mixture.model import Expected, Model, Params
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.rows import MixtureRows, is_light, posterior_of, rows_of
from suffice.models.mixture.structures import structure
from suffice.models.mixture.triangles import cholesky, inverse


class GaussianMixture(DensityMixin, BaseEstimator):
    """Mixture of normal distributions, fitted by EM; a drop-in for scikit-learn's class of this name.

    From the same start it makes the same steps to rounding, so that attributes agree; it makes them faster.
    ``sf.fit_mixture`` gives standard errors, weights, other families, and many starts.

    Args:
        n_components: number of components.
        covariance_type: "full", "tied", "diag" or "spherical".
        tol: gain of log-likelihood for each row at which steps end.
        reg_covar: added to each variance.
        max_iter: steps at most.
        n_init: starts, of which the best is kept.
        init_params: "kmeans", "k-means++", "random" or "random_from_data".
        weights_init, means_init, precisions_init: start of the steps, or of some parameters.
        random_state: of the starts.
        warm_start: whether to go on from the last fit.
        verbose, verbose_interval: accepted for compatibility.

    Attributes:
        weights_, means_, covariances_, precisions_, precisions_cholesky_: of the best step.
        converged_, n_iter_, lower_bound_, lower_bounds_: how it ended, its log-likelihood for each row, and of each step.

    Example:
        >>> from suffice.sklearn import GaussianMixture
        >>> gm = GaussianMixture(2, random_state=0).fit([[-1.0], [-1.2], [-0.9], [4.0], [4.1], [4.3]])
        >>> sorted(gm.means_[:, 0].round(4).tolist())
        [-1.0333, 4.1333]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions({"full", "tied", "diag", "spherical"})],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "random", "random_from_data", "k-means++"})],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    # -- fitting --------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows X, (n, d)."""
        self.fit_predict(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit, and tell the most probable component of each row."""
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        if len(X) < self.n_components:
            raise ValueError(
                f"Expected n_samples >= n_components but got n_components = {self.n_components}, n_samples = {len(X)}"
            )
        self._check_start(X.shape[1])
        rows = rows_of(np.ascontiguousarray(X, np.float64), None, "error")
        model = self._model(rows.look.mean, is_light(len(X), X.shape[1], self.n_components))
        warm = self.warm_start and hasattr(self, "converged_")
        state, best, found = check_random_state(self.random_state), -np.inf, None
        self.converged_ = False
        for _ in range(1 if warm else self.n_init):
            start = self._params(model) if warm else self._start(model, rows, state)
            p, bounds, converged = self._climb(model, rows, start)
            if found is None or bounds[-1] > best:
                best, found = bounds[-1], (p, bounds, converged)
        assert found is not None
        p, bounds, self.converged_ = found
        if not self.converged_ and self.max_iter > 0:
            warnings.warn(
                "Best performing initialization did not converge. Try different init parameters, or increase max_iter, "
                "tol, or check for degenerate data.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.n_iter_, self.lower_bound_, self.lower_bounds_ = len(bounds), bounds[-1], bounds
        self._keep(p, rows.look.mean)
        return self._posterior(rows.x)[0].argmax(1)

    def _climb(self, model: Model, rows: MixtureRows, p: Params) -> tuple[Params, list[float], bool]:
        """Plain steps until the bound moves less than ``tol``."""
        bound, bounds = (self.lower_bound_ if self.warm_start and hasattr(self, "lower_bound_") else -np.inf), []
        for _ in range(self.max_iter):
            e: Expected = rows.evaluate(model, p)
            p = model.maximise(p, e)
            if not np.all(np.isfinite(p.groups[0]["root"])):
                raise ValueError(
                    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
                    "instance caused by singleton or collapsed samples). Try to decrease the number of components, "
                    "increase reg_covar, or scale the input data."
                )
            before, bound = bound, float(e.log_likelihood[0]) / rows.look.count
            bounds.append(bound)
            if abs(bound - before) < self.tol:
                return p, bounds, True
        return p, bounds, False

    def _model(self, centre: np.ndarray, light: bool = False) -> Model:
        kind, d, ridge = structure(self.covariance_type), len(centre), float(self.reg_covar)
        part = NormalComponents(self.n_components, (0, d), kind, centre, np.eye(d), ridge=ridge, general=light)
        return Model((part,), light=light)

    def _start(self, model: Model, rows: MixtureRows, state: np.random.RandomState) -> Params:
        """Parameters from responsibilities, with what the user gives in their place."""
        X, n, k = rows.x, len(rows.x), self.n_components
        share = np.zeros((n, k))
        if self.init_params == "kmeans":
            labels = KMeans(n_clusters=k, n_init=1, random_state=state).fit(X).labels_  # type: ignore[arg-type]
            share[np.arange(n), labels] = 1.0
        elif self.init_params == "random":
            share = state.uniform(size=(n, k))
            share /= share.sum(1, keepdims=True)
        elif self.init_params == "random_from_data":
            share[state.choice(n, size=k, replace=False), np.arange(k)] = 1.0
        else:
            share[kmeans_plusplus(X, k, random_state=state)[1], np.arange(k)] = 1.0
        p = model.start(X, np.ones(n), share.T)
        log_weights, (part,) = p
        part = dict(part)
        if self.covariance_type == "tied" and self.init_params in ("random_from_data", "k-means++"):
            # rows without a component count there, and about 0, as they do in scikit-learn
            means = part["loc"][0] + rows.look.mean
            spread = (X.T @ X - share.sum(0) * means.T @ means) / share.sum()
            root = cholesky(spread + self.reg_covar * np.eye(X.shape[1]))
            part["root"] = np.broadcast_to(root, (1, k, *root.shape)).copy()
        if self.weights_init is not None:
            log_weights = np.log(np.asarray(self.weights_init, float))[None]
        if self.means_init is not None:
            part["loc"] = np.asarray(self.means_init, float)[None] - rows.look.mean
        if self.precisions_init is not None:
            part["root"] = self._roots_of_precisions(np.asarray(self.precisions_init, float))[None]
        return Params(log_weights, (part,))

    def _check_start(self, d: int) -> None:
        k = self.n_components
        shapes = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}
        wanted = {"weights_init": (k,), "means_init": (k, d), "precisions_init": shapes[self.covariance_type]}
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value is not None and np.shape(value) != shape:
                raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {np.shape(value)}")
        if self.weights_init is not None:
            w = np.asarray(self.weights_init, float)
            if np.any(w < 0.0) or np.any(w > 1.0) or not np.isclose(w.sum(), 1.0):
                raise ValueError(
                    f"The parameter 'weights_init' should be in the range [0, 1] and sum to 1, but got {w}"
                )

    def _roots_of_precisions(self, precisions: np.ndarray) -> np.ndarray:
        """Cholesky factors of the covariances, (K, d, d)."""
        k, kind = self.n_components, self.covariance_type
        if kind in ("diag", "spherical"):
            d = np.shape(self.precisions_init)[-1] if kind == "diag" else self.n_features_in_  # type: ignore[attr-defined]
            each = precisions if kind == "diag" else np.repeat(precisions[:, None], d, axis=1)
            if np.any(each <= 0.0):
                raise ValueError(f"'{kind} precision' should be positive")
            return each[:, :, None] ** -0.5 * np.eye(d)
        if not np.allclose(precisions, np.swapaxes(precisions, -1, -2)) or np.any(
            np.linalg.eigvalsh(precisions) <= 0.0
        ):
            raise ValueError(f"'{kind} precision' should be symmetric, positive-definite")
        upper = np.flip(cholesky(np.flip(precisions, (-2, -1))), (-2, -1))
        root = inverse(np.swapaxes(upper, -1, -2))
        return np.broadcast_to(root, (k, *root.shape[-2:])).copy()

    def _keep(self, p: Params, centre: np.ndarray) -> None:
        """Parameters as scikit-learn shows them."""
        root = p.groups[0]["root"][0]
        self.weights_, self.means_ = np.exp(p.log_weights[0]), p.groups[0]["loc"][0] + centre
        covariance = root @ np.swapaxes(root, -1, -2)
        whitener = np.swapaxes(inverse(root), -1, -2)
        precision = whitener @ np.swapaxes(whitener, -1, -2)
        show = {
            "full": lambda m: m,
            "tied": lambda m: m[0],
            "diag": lambda m: np.diagonal(m, axis1=-2, axis2=-1).copy(),
            "spherical": lambda m: m[:, 0, 0].copy(),
        }[self.covariance_type]
        self.covariances_, self.precisions_, self.precisions_cholesky_ = map(show, (covariance, precision, whitener))

    # -- what it tells --------------------------------------------------------------------------------------------------

    def _params(self, model: Model) -> Params:
        """Our parameters from the attributes."""
        show = np.asarray(self.precisions_cholesky_, float)
        k, d = self.means_.shape
        if self.covariance_type == "tied":
            show = np.broadcast_to(show, (k, d, d))
        elif self.covariance_type != "full":
            show = np.broadcast_to(show.reshape(k, -1), (k, d))[..., None] * np.eye(d)
        root = inverse(np.swapaxes(show, -1, -2))
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights_)[None]
        loc = self.means_[None] - model.groups[0].centre
        return Params(log_weights, ({"loc": loc, "root": root[None]},))

    def _posterior(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Responsibilities (n, K) and log-densities (n,)."""
        model = self._model(self.weights_ @ self.means_, is_light(len(X), X.shape[1], self.n_components))
        return posterior_of(model, self._params(model), np.ascontiguousarray(X, np.float64))

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable component of each row."""
        return self._posterior(self._checked(X))[0].argmax(1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each component for each row, (n, K)."""
        return self._posterior(self._checked(X))[0]

    def score_samples(self, X: Any) -> np.ndarray:
        """log p(x) of each row."""
        return self._posterior(self._checked(X))[1]

    def score(self, X: Any, y: Any = None) -> float:  # type: ignore[override]
        """Mean log-likelihood of the rows."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, and the component that each comes from, in the order of the components."""
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample.")
        state = check_random_state(self.random_state)
        p = self._params(self._model(np.zeros(self.means_.shape[1])))
        labels = np.repeat(np.arange(self.n_components), state.multinomial(n_samples, self.weights_))
        z = state.standard_normal((n_samples, self.means_.shape[1]))
        return self.means_[labels] + (p.groups[0]["root"][0][labels] @ z[..., None])[..., 0], labels

    def _n_parameters(self) -> int:
        d, kind = self.means_.shape[1], structure(self.covariance_type)
        return self.n_components * (d + 1) - 1 + kind.dimension(self.n_components, d)

    def bic(self, X: Any) -> float:
        """Bayesian information criterion of rows."""
        X = self._checked(X)
        return -2.0 * float(self._posterior(X)[1].sum()) + self._n_parameters() * float(np.log(len(X)))

    def aic(self, X: Any) -> float:
        """Akaike's information criterion of rows."""
        return -2.0 * float(self._posterior(self._checked(X))[1].sum()) + 2.0 * self._n_parameters()
