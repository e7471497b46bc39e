"""Estimators for scikit-learn: its conventions outside, Suffice inside. Needs ``pip install suffice[sklearn]``."""

from suffice.sklearn.mixture import GaussianMixture
from suffice.sklearn.regressor import LinearBasisRegressor

__all__ = ["GaussianMixture", "LinearBasisRegressor"]
