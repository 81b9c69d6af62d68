"""Numbers of any kind as arrays, and rows taken from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.truth import Rows


def to_array(values: Any, name: str) -> NDArray[Any]:
    """Numbers of any kind as a numpy array of float32 or float64 (whole numbers become float64).

    Raises:
        InputError: they are not real numbers.

    Example:
        >>> to_array([[1, 2]], "similarity")
        array([[1., 2.]])
    """
    if hasattr(values, "detach"):  # a torch tensor; numpy has no bfloat16
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() and values.element_size() < 4 else values
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name} must be numbers in rows of one length") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers, got {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        return array.astype(np.float32, copy=False)
    return array.astype(np.float64, copy=False)


def slice_if_consecutive(rows: Rows) -> Rows | slice:
    """A slice takes a view where an array of row numbers takes a copy."""
    if rows.size and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
