"""The way in: data of any form that ``fit`` accepts, as observations."""

from typing import Any

import numpy as np

from suffice.inference.censored import Censored
from suffice.inference.observations import Memory, Observations, Stream, held, loaded
from suffice.streams import Data, Source, from_array


def observe(data: Any, weights: Any = None, missing: Any = "error", progress: Any = None) -> Observations:
    """Take data in any form that ``fit`` accepts.

    Arrays of float64 are used where they lie, without a look at their values: an estimator that meets a NaN asks for
    the survey, which says what is wrong. That saves a pass over memory in the common case.
    """
    if isinstance(data, Data):
        if weights is not None or missing != "error":
            raise TypeError("weights and missing are part of sf.Data: give them when it is made")
        if not data.is_plain:
            return Censored.of(data.source)
        data, weights = data.rows[:, 0].copy(), data.weights
    if isinstance(data, Source):
        if weights is not None:
            raise TypeError("weights of a source are named when it is made: sf.scan(path, column=…, weights=…)")
        if missing != "error":
            data = data.treating(missing)
        return Censored.of(data, progress) if data.censored else loaded(data) or Stream(data, progress)
    source = from_array(data, weights, missing=missing)
    plain = isinstance(data, np.ndarray) and data.ndim == 1 and data.dtype == float and missing == "error"
    if plain and weights is None and len(data):
        return Memory(source, data, None)
    return held(source, list(source.chunks()))
