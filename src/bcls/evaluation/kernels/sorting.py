"""A sort of rows of 64-bit numbers whose upper halves tell nearly the whole order.

A radix sort from the low digits up: eleven bits at a time, each pass counts the digits and moves every number to its
place, keeping the order of equals (Seward's counting sort of 1954, digit by digit). Linear in the length of a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bcls.evaluation.compiled import kernel

DIGIT = 11
BUCKETS = 1 << DIGIT


@kernel
def move_by_digit(source: NDArray[np.uint64], target: NDArray[np.uint64], place: NDArray[np.int64], shift: int) -> None:
    """One pass: the numbers of `source` in the order of the digit at `shift`, into `target`."""
    bits, mask = np.uint64(shift), np.uint64(BUCKETS - 1)
    place[:] = 0
    for index in range(source.size):
        place[np.int64((source[index] >> bits) & mask)] += 1
    total = 0
    for digit in range(BUCKETS):
        total += int(place[digit])
        place[digit] = total - place[digit]
    for index in range(source.size):
        bucket = np.int64((source[index] >> bits) & mask)
        target[place[bucket]] = source[index]
        place[bucket] += 1


@kernel
def sort_row(row: NDArray[np.uint64], spare: NDArray[np.uint64], place: NDArray[np.int64]) -> None:
    """Sort one row in place, ascending.

    The upper halves are sorted first. Where this leaves equals in the wrong order of their lower halves, the row is
    sorted by both.

    Args:
        row: shape (N,), contiguous.
        spare: room, shape (N,).
        place: room, shape (BUCKETS,).
    """
    for shift in (32, 43, 54):
        move_by_digit(row, spare, place, shift)
        row[:] = spare
    ordered = True
    for index in range(1, row.size):
        ordered &= row[index - 1] <= row[index]
    if not ordered:
        for shift in (0, 11, 22, 33, 44, 55):
            move_by_digit(row, spare, place, shift)
            row[:] = spare


@kernel
def sort_each_row(rows: NDArray[np.uint64]) -> None:
    """Sort every row in place, ascending, shape (Q, N), contiguous."""
    spare = np.empty(rows.shape[1], dtype=np.uint64)
    place = np.empty(BUCKETS, dtype=np.int64)
    for query in range(rows.shape[0]):
        sort_row(rows[query], spare, place)
