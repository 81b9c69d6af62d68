"""Numbers of any kind (numpy, torch, pandas, Arrow, lists) as plain arrays: right, or refused.

`numpy.asarray` drops the mask of a masked array, wraps unsigned numbers, cuts fractions off and fails with errors of
its own on tensors that have a gradient or live on a GPU. Every public function that takes arrays converts them here.
Of these libraries only numpy is imported.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError

EXACT = 2**53
"""Whole numbers beyond this have no exact float64."""

_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, np.generic, type(None))
_MANTISSAS = {"bfloat16", "float8_e4m3fn", "float8_e5m2"}


class _Values(NamedTuple):
    """A plain array of any format, and which of its elements are missing (None: none)."""

    array: NDArray[Any]
    missing: NDArray[np.bool_] | None


def to_array(values: Any, name: str) -> NDArray[Any]:
    """Real numbers of any kind as a numpy array of float32 or float64.

    Args:
        values: an array, a tensor (of any device, with a gradient or not), a data frame, an Arrow column, or nested
            lists. What is masked, NA, None or null becomes NaN.
        name: of the values, for messages.

    Returns:
        float32 from float16, bfloat16 and float32; float64 from all else. The values themselves where they have that
        format already.

    Raises:
        InputError: rows of different lengths, a sparse array (whether what is absent is 0 or unknown is not said), or
            anything that is not real numbers; whole numbers above 2**53, which would be rounded.

    Example:
        >>> to_array([[1, 2]], "similarity")
        array([[1., 2.]])
        >>> to_array(np.ma.array([0.5, 0.7], mask=[False, True]), "relevance")
        array([0.5, nan])
    """
    array, missing = _plain(values, name)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers, got {array.dtype}")
    wide = array.dtype.kind in "iu" and array.itemsize == 8 and array.size > 0
    if wide and (int(array.max()) > EXACT or int(array.min()) < -EXACT):
        raise InputError(f"{name} holds whole numbers above 2**53, which would be rounded")
    single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    with np.errstate(over="ignore", invalid="ignore"):
        floats = array.astype(np.float32 if single else np.float64, copy=False)
    if missing is None:
        return floats
    floats = floats.copy()
    floats[missing] = np.nan
    return floats


def to_rows(values: Any, name: str) -> NDArray[np.int64]:
    """Whole numbers of any kind, such as row numbers and counts, as an int64 array of one axis.

    Args:
        values: a list, array, tensor or column of integers. An empty one may have any format.
        name: of the values, for messages.

    Raises:
        InputError: more or fewer axes than one, a missing value, or anything that is not whole numbers of 64 bits:
            floats and booleans too.

    Example:
        >>> to_rows([3, 1], "rows")
        array([3, 1])
        >>> to_rows([0.5], "rows")
        Traceback (most recent call last):
        bcls.errors.InputError: rows must be a list of whole numbers, got shape (1,) of float64
    """
    array, missing = _plain(values, name)
    if missing is not None:
        raise InputError(f"{name} must be a list of whole numbers; element {int(np.argmax(missing))} is missing")
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(f"{name} must be a list of whole numbers, got shape {array.shape} of {array.dtype}")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise InputError(f"{name} holds {int(array.max())}, which does not fit 64 bits")
    return array.astype(np.int64, copy=False)


def refuse_other_order(values: Any, names: Sequence[str] | None, name: str, axis: int = 0) -> None:
    """Refuse a table whose labels are in another order than the rows (or columns) that they name.

    Values are taken by position. A data frame that was sorted or shuffled has them in other places, as its labels tell.

    Args:
        values: anything; only what has pandas' `axes` is looked at.
        names: ids in the order that is meant; None = the numbers 0, 1, 2, ...
        name: of the values, for messages.
        axis: 0 for rows, 1 for columns.

    Raises:
        InputError: the labels are those ids in another order.
    """
    axes = getattr(values, "axes", None)
    if not isinstance(axes, list) or len(axes) <= axis:
        return
    labels: list[Any] = list(axes[axis])
    meant: list[Any] = list(range(len(labels)) if names is None else names)
    if labels != meant and len(labels) == len(meant) and set(labels) == set(meant):
        first = next(place for place, pair in enumerate(zip(labels, meant, strict=True)) if pair[0] != pair[1])
        raise InputError(
            f"{name}: {'row' if axis == 0 else 'column'} {first} has the label {labels[first]!r}, but position {first} "
            f"is that of {meant[first]!r}: bring the table into that order, or give its values alone"
        )


def _plain(values: Any, name: str) -> _Values:
    """The values in the format that they have, and what is missing."""
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        inner, missing = _plain(np.asarray(values.data), name)
        lacks = mask if missing is None else mask | missing
        return _Values(inner, lacks if lacks.any() else None)
    if hasattr(values, "detach"):
        return _of_tensor(values, name)
    if hasattr(values, "todense") or hasattr(values, "tocoo"):
        raise InputError(
            f"{name} is sparse: whether what is absent is 0 or unknown is not said; make it dense (`.toarray()`)"
        )
    if isinstance(values, (list, tuple)) and any(_needs_care(value) for value in values):
        return _stacked(values, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "converting a masked element to nan", which is what is wanted
            array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        ragged = "inhomogeneous" in str(error)
        reason = "in rows of one length" if ragged else f"({type(values).__name__}: {error})"
        raise InputError(f"{name} must be numbers {reason}") from None
    if array.dtype.name in _MANTISSAS:
        array = array.astype(np.float32)
    return _of_objects(array, values, name) if array.dtype == object else _Values(array, None)


def _needs_care(value: Any) -> bool:
    """Whether numpy would drop something, or fail with an error of its own, were this an element of a list."""
    return not isinstance(value, _PLAIN) and (type(value) is not np.ndarray or value.dtype == object)


def _stacked(values: Sequence[Any], name: str) -> _Values:
    if all(_is_number(value) for value in values):
        return _of_objects(np.array([*values, None], dtype=object)[:-1], values, name)
    parts = [_plain(value, name) for value in values]
    shapes = {part.array.shape for part in parts}
    if len(shapes) > 1:
        raise InputError(f"{name} must be numbers in rows of one length; there are {sorted(shapes)[:2]}")
    array = np.stack([part.array for part in parts])
    if all(part.missing is None for part in parts):
        return _Values(array, None)
    shape = array.shape[1:]
    return _Values(array, np.stack([np.zeros(shape, bool) if p.missing is None else p.missing for p in parts]))


def _of_tensor(tensor: Any, name: str) -> _Values:
    missing = None
    if hasattr(tensor, "get_mask"):  # a torch MaskedTensor: True is what is there
        missing = ~tensor.get_mask().cpu().numpy()
        tensor = tensor.get_data()
    if getattr(tensor, "is_nested", False):
        raise InputError(f"{name} is a nested tensor, which has rows of different lengths")
    if "strided" not in str(getattr(tensor, "layout", "strided")):
        raise InputError(
            f"{name} is sparse: whether what is absent is 0 or unknown is not said; make it dense (`.to_dense()`)"
        )
    try:
        plain = tensor.detach().cpu()
        if getattr(plain, "is_quantized", False):
            plain = plain.dequantize()
        if plain.is_floating_point() and plain.element_size() < 4:  # numpy has no bfloat16
            plain = plain.float()
        array = np.asarray(plain.resolve_conj().resolve_neg().numpy())
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise InputError(f"{name} cannot be read from a tensor of {tensor.dtype} ({error})") from None
    return _Values(array, None if missing is None or not missing.any() else missing)


def _of_objects(array: NDArray[Any], values: Any, name: str) -> _Values:
    """Python objects, one by one: numbers stay, what stands for nothing is missing, lists become a further axis."""
    if array.ndim == 0:
        raise InputError(f"{name} must be numbers, got {type(values).__name__}")
    flat = list(array.ravel())
    if flat and not any(_is_number(value) for value in flat):
        inner = _stacked(flat, name) if all(hasattr(value, "__len__") for value in flat) else None
        if inner is None or inner.array.dtype.kind not in "fiub":
            raise InputError(f"{name} must be numbers, got {type(flat[0]).__name__} {flat[0]!r}")
        shape = (*array.shape, *inner.array.shape[1:])
        return _Values(inner.array.reshape(shape), None if inner.missing is None else inner.missing.reshape(shape))
    missing = np.array([_is_missing(value) for value in flat], dtype=bool).reshape(array.shape)
    known = [0 if _is_missing(value) else value for value in flat]
    for place, value in enumerate(known):
        if not _is_number(value):
            where = tuple(int(axis) for axis in np.unravel_index(place, array.shape))
            raise InputError(f"{name} must be numbers; element {where} is {type(value).__name__} {value!r}")
    whole = all(isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)) for value in known)
    try:
        numbers = np.array(known, np.int64) if whole else np.array([float(value) for value in known], np.float64)
    except OverflowError:
        raise InputError(f"{name} holds a number that is too large") from None
    return _Values(numbers.reshape(array.shape), missing if missing.any() else None)


def _is_missing(value: Any) -> bool:
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def _is_number(value: Any) -> bool:
    return isinstance(value, (Real, Decimal, np.bool_)) or _is_missing(value)
