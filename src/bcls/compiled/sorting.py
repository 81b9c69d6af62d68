"""A sort of rows of 64-bit numbers that spread over their range, as packed scores do.

Two passes of a radix sort put a row in order of the highest bits in which its numbers differ, up to 22; few neighbours
are then in the wrong order, and insertion puts them right. Where there are many, as with scores that tie often, more
passes over lower bits come first. Linear in the length of a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel

MOST_BITS = 11
BUCKETS = 1 << MOST_BITS
LEAST_BITS = 8
MOVES = 4
"""Insertions that are allowed for each number before the row is sorted by all bits."""


@kernel
def count_digits(row: NDArray[np.uint64], places: NDArray[np.int32], least: np.uint64, shift: int, digit: int) -> None:
    """Fill `places`: where the first number of each digit belongs, for the digits of two passes."""
    bits, wide, mask = np.uint64(shift), np.uint64(digit), np.uint64((1 << digit) - 1)
    places[:, : 1 << digit] = 0
    for index in range(row.size):
        number = (row[index] - least) >> bits
        places[0, number & mask] += 1
        places[1, (number >> wide) & mask] += 1
    lower, upper = np.int32(0), np.int32(0)
    for bucket in range(1 << digit):
        lower_count, upper_count = places[0, bucket], places[1, bucket]
        places[0, bucket], places[1, bucket] = lower, upper
        lower += lower_count
        upper += upper_count


@kernel
def move_by_digit(
    source: NDArray[np.uint64],
    target: NDArray[np.uint64],
    place: NDArray[np.int32],
    least: np.uint64,
    shift: int,
    digit: int,
) -> None:
    """One pass: the numbers of `source` into `target`, in the order of their digit at `shift` above `least`."""
    bits, mask = np.uint64(shift), np.uint64((1 << digit) - 1)
    for index in range(source.size):
        bucket = ((source[index] - least) >> bits) & mask
        target[place[bucket]] = source[index]
        place[bucket] += 1


@kernel
def sort_by_two_digits(
    row: NDArray[np.uint64],
    spare: NDArray[np.uint64],
    places: NDArray[np.int32],
    least: np.uint64,
    shift: int,
    digit: int,
) -> None:
    """Order a row by twice `digit` bits from `shift` on, leaving equals in their order."""
    count_digits(row, places, least, shift, digit)
    move_by_digit(row, spare, places[0], least, shift, digit)
    move_by_digit(spare, row, places[1], least, shift + digit, digit)


@kernel
def insert_each(row: NDArray[np.uint64], moves: int) -> bool:
    """Sort a row that is nearly in order; False if it took more moves than allowed, with the row left as it is then."""
    for index in range(1, row.size):
        number = row[index]
        if row[index - 1] > number:
            slot = index
            while slot > 0 and row[slot - 1] > number:
                row[slot] = row[slot - 1]
                slot -= 1
            row[slot] = number
            moves -= index - slot
            if moves < 0:
                return False
    return True


@kernel
def sort_row(row: NDArray[np.uint64], spare: NDArray[np.uint64], places: NDArray[np.int32]) -> None:
    """Sort one row in place, ascending.

    Args:
        row: shape (N,), contiguous.
        spare: room, shape (N,).
        places: room, shape (2, BUCKETS).
    """
    if row.size < 2:
        return
    least, most = row[0], row[0]
    for index in range(row.size):
        least, most = min(least, row[index]), max(most, row[index])
    span, width = most - least, 0
    while width < 64 and span >> np.uint64(width) > 0:
        width += 1
    digit = LEAST_BITS  # a digit of more values than numbers would cost more than it orders
    while digit < MOST_BITS and row.size >> (digit + 1) > 0:
        digit += 1
    shift = max(width - 2 * digit, 0)
    sort_by_two_digits(row, spare, places, least, shift, digit)
    if not insert_each(row, MOVES * row.size):
        for low in range(0, width, 2 * digit):  # the last pair of digits may go over some bits again
            sort_by_two_digits(row, spare, places, least, min(low, 64 - 2 * digit), digit)


@kernel
def sort_each_row(rows: NDArray[np.uint64]) -> None:
    """Sort every row in place, ascending, shape (Q, N), contiguous."""
    spare = np.empty(rows.shape[1], dtype=np.uint64)
    places = np.empty((2, BUCKETS), dtype=np.int32)
    for query in range(rows.shape[0]):
        sort_row(rows[query], spare, places)
