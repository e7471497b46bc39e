"""Regressors: ``sf.LinearBasisModel`` with the conventions of scikit-learn."""

from dataclasses import replace
from typing import Any, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("suffice.sklearn needs scikit-learn: pip install 'suffice[sklearn]'") from error

from suffice.models.regression.linear.model import LinearBasisModel


class LinearBasisRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares on basis functions as a scikit-learn regressor, for pipelines and searches.

    Args:
        basis: as of ``sf.LinearBasisModel``; None for the inputs themselves.
        fit_intercept: whether there is a constant.
        rank_deficient: "error", "pivot" or "minimum_norm".

    Attributes:
        fit_: the ``sf.LinearFit``, with standard errors, predictive distributions and all else.
        coef_: weights without the constant, (M,) or (K, M), as scikit-learn orders them.
        intercept_: the constant, 0 where there is none.

    Example:
        >>> from suffice.sklearn import LinearBasisRegressor
        >>> LinearBasisRegressor().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).predict([[3.0]]).tolist()
        [7.0]
    """

    def __init__(self, basis: Any = None, *, fit_intercept: bool = True, rank_deficient: str = "minimum_norm") -> None:
        self.basis = basis
        self.fit_intercept = fit_intercept
        self.rank_deficient = rank_deficient

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit; ``sample_weight`` are frequencies."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        if sample_weight is not None:
            sample_weight = np.broadcast_to(np.asarray(sample_weight, float), len(X))
        model = LinearBasisModel(*([] if self.basis is None else [self.basis]), intercept=self.fit_intercept)
        fit = model.fit(X, y, sample_weight, rank_deficient=self.rank_deficient)  # type: ignore[arg-type]
        self.fit_ = replace(fit, data=None)  # estimators are pickled without their data
        first = int(self.fit_intercept)
        self.coef_ = self.fit_.weights[first:].T
        self.intercept_ = self.fit_.weights[0] if first else 0.0
        return self

    def predict(self, X: Any) -> np.ndarray:
        """y(x, w)."""
        check_is_fitted(self)
        return np.asarray(self.fit_.predict(validate_data(self, X, reset=False, dtype=np.float64)))
