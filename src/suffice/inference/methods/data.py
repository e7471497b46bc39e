"""Observations as methods that sort them need them: values and frequencies, all in memory."""

import numpy as np

from suffice.inference.observations import Memory, Observations
from suffice.runtime.errors import DataError


def values_of(data: Observations, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of positive frequency, (n,), and these; DataError where they are not known one by one."""
    if not data.is_plain:
        raise DataError(
            f"{name!r} needs values that are known and not truncated; censored and truncated data are fitted by 'mle', "
            "also with a penalty or prior"
        )
    if not isinstance(data, Memory):
        raise DataError(f"{name!r} needs all values in memory; longer files are fitted by 'mle'")
    _ = data.survey.summary  # raises for missing and infinite values
    x = np.asarray(data.values, float)
    w = np.ones(len(x)) if data.weights is None else np.asarray(data.weights, float)
    return x[w > 0.0], w[w > 0.0]
