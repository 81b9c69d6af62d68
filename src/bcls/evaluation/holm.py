"""Many tests at once: p-values that keep the chance of any false alarm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.ranks import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Holm's correction: p-values such that the chance of any false alarm among all of them is kept.

    Args:
        p_values: shape (N,), in [0, 1]; NaN is no test and stays NaN.

    Returns:
        Shape (N,): the k-th smallest of N times (N - k + 1), never less than the one before it, at most 1.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        array([0.03, 0.06, 0.06])
    """
    values = to_array(p_values, "p_values").astype(np.float64)
    if values.ndim != 1 or ((values < 0) | (values > 1)).any():
        raise InputError("p_values must be a list of numbers in [0, 1], or NaN for no test")
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(order.size, 0, -1)))
    return adjusted
