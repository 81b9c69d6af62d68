"""Stable sorting of a query's known candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from bcls.compiled.kernel import kernel
from bcls.compiled.sorting import BUCKETS, sort_row


@kernel
def sorting_room(most: int) -> Any:
    """What `order_of` needs for up to so many values: numbers to sort, as much again, and counters."""
    return np.empty(most, np.uint64), np.empty(most, np.uint64), np.empty((2, BUCKETS), np.int32)


@kernel
def order_of(values: Any, descending: bool, order: Any, ordered: Any, room: Any) -> int:
    """The stable order of the values that are not NaN.

    float32 values are sorted in linear time, by their bits with their places below; float64 values by merging.

    Args:
        values: (n,) float32 or float64, finite or NaN; -0.0 and 0.0 are equal.
        descending: the largest first.
        order: (n,) int32, filled as far as there are values: their places.
        ordered: (n,) in the values' number format, filled as far: the values themselves.
        room: of `sorting_room`.

    Returns:
        How many values are not NaN.
    """
    if values.itemsize == 8:
        known = np.flatnonzero(~np.isnan(values))
        found = values[known]
        for rank, place in enumerate(np.argsort(-found if descending else found, kind="mergesort")):
            order[rank], ordered[rank] = known[place], found[place]
        return len(known)
    numbers, spare, places = room
    sign, turn = np.uint32(0x80000000), np.uint32(0xFFFFFFFF) if descending else np.uint32(0)
    bits, n = values.view(np.uint32), 0
    for place in range(len(values)):
        if not np.isnan(values[place]):
            own = bits[place] if values[place] != 0 else np.uint32(0)  # -0.0 is 0.0
            rising = ~own if own & sign else own | sign
            numbers[n] = np.uint64(rising ^ turn) << np.uint64(32) | np.uint64(place)
            n += 1
    sort_row(numbers[:n], spare[:n], places)
    for rank in range(n):
        place = np.int64(numbers[rank] & np.uint64(0xFFFFFFFF))
        order[rank], ordered[rank] = place, values[place]
    return n
