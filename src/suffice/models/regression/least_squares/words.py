"""Estimates in words."""

from collections.abc import Iterable

import numpy as np

MOST = 12  # estimates that are told one by one


def told(names: Iterable[str], values: Iterable[float], errors: Iterable[float] | None = None) -> str:
    """Each estimate with its standard error, where it has one; of many the first."""
    pairs = list(zip(names, values, strict=True))
    each = [
        f"{name} {value:.6g} ± {error:.2g}" if np.isfinite(error) else f"{name} {value:.6g}"
        for (name, value), error in zip(pairs, [np.nan] * len(pairs) if errors is None else errors, strict=True)
    ]
    return ", ".join(each[:MOST]) + (f", … {len(each)} in all" if len(each) > MOST else "")
