"""Runs of equal values in sorted rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def run_starts(values: NDArray[Any]) -> NDArray[np.bool_]:
    """True where a row, sorted along the last axis, begins a new value; the first place included.

    Example:
        >>> run_starts(np.array([3, 3, 5]))
        array([ True, False,  True])
    """
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = values[..., 1:] != values[..., :-1]
    return starts


def offset_in_run(starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Distance of each place from the last start at or before it, along the last axis.

    Example:
        >>> offset_in_run(np.array([True, False, False, True]))
        array([0, 1, 2, 0])
    """
    place = np.arange(starts.shape[-1])
    return place - np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
