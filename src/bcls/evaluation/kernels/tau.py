"""What Kendall's tau counts, row by row: ties, and inversions by bits and running counts over words and groups of bits.

All that is made of a row is small enough for the nearest caches, and is used again for the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.bits import popcount
from bcls.compiled.kernel import kernel
from bcls.compiled.sorting import BUCKETS, sort_row
from bcls.evaluation.kernels.ranking import pack_rows

GROUP = 64
"""Words of 64 bits to a group: so many counters are raised by a handful of instructions."""


@kernel
def count_pairs(keys: NDArray[np.uint64], known: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Fill `counts`, shape (4, Q): pairs tied in score, in relevance, in both, and inversions of relevance.

    Args:
        keys: for each query its candidates in ranked order, a number that rises with falling score above one that rises
            with relevance, shape (Q, N).
        known: how many of them count, shape (Q,).
        counts: to be filled.
    """
    queries, width = keys.shape
    levels, spare = np.empty(width, dtype=np.uint64), np.empty(width, dtype=np.uint64)
    places = np.empty((2, BUCKETS), dtype=np.int32)
    half, low = np.uint64(32), np.uint64(0xFFFF_FFFF)
    words = (width // (64 * GROUP) + 1) * GROUP
    marks = np.empty(words, dtype=np.uint64)
    near = np.empty((words // GROUP, GROUP), dtype=np.int16)
    far = np.empty(words // GROUP, dtype=np.int32)
    for query in range(queries):
        row, listed = keys[query, : known[query]], levels[: known[query]]
        for index in range(row.size):  # relevance above the place in the ranking
            listed[index] = (row[index] << half) | np.uint64(index)
        sort_row(listed, spare[: row.size], places)
        counts[0, query] = tied_pairs(row, 32)
        counts[1, query] = tied_pairs(listed, 32)
        counts[2, query] = tied_pairs(row, 0)
        for index in range(row.size):
            listed[index] &= low
        counts[3, query] = inversions(listed, marks, near, far)


@kernel
def rank_and_count(
    score_bits: NDArray[np.uint32],
    relevance: NDArray[Any],
    tolerance: float,
    known: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> bool:
    """Fill `known` and `counts` as `pack_rows`, a sort and `count_pairs` do, holding the keys of one row at a time.

    Returns:
        Whether all numbers are right, as `pack_rows` does.
    """
    keys = np.empty((1, score_bits.shape[1]), dtype=np.uint64)
    spare = np.empty(score_bits.shape[1], dtype=np.uint64)
    places = np.empty((2, BUCKETS), dtype=np.int32)
    for query in range(known.size):
        one = slice(query, query + 1)
        if not pack_rows(score_bits[one], relevance[one], tolerance, keys, known[one]):
            return False
        sort_row(keys[0], spare, places)
        count_pairs(keys, known[one], counts[:, one])
    return True


@kernel
def tied_pairs(numbers: NDArray[np.uint64], shift: int) -> int:
    """Pairs of equals in one ascending row, after a shift right."""
    bits = np.uint64(shift)
    total, run = 0, 0
    for index in range(1, numbers.size):
        run = run + 1 if (numbers[index] >> bits) == (numbers[index - 1] >> bits) else 0
        total += run
    return total


@kernel
def inversions(
    permutation: NDArray[np.uint64], marks: NDArray[np.uint64], near: NDArray[np.int16], far: NDArray[np.int32]
) -> int:
    """Pairs in the wrong order in one row, a permutation of 0..N-1.

    The values met so far are marked in words of 64 bits. How many of them are less than the next value is the sum of
    the bits below it in its word, of the marks in the words before that in its group (`near`), and of those in the
    groups before (`far`). Both are running counts, all raised at once by a few wide instructions: N^2 / 65,536 of them,
    without a branch, which up to a million candidates is quicker than a tree.

    Args:
        permutation: shape (N,).
        marks: room for G groups of words, G * 4096 > N, shape (G * 64,).
        near: room for a count at each word, shape (G, 64).
        far: room for a count at each group, shape (G,).
    """
    marks[:] = 0
    near[:] = 0
    far[:] = 0
    one = np.uint64(1)
    lanes = np.arange(GROUP).astype(np.int16)
    in_order = 0
    for index in range(permutation.size):
        value = permutation[index]
        word, bit = np.int64(value >> np.uint64(6)), one << (value & np.uint64(63))
        group, lane = word // GROUP, np.int16(word % GROUP)
        in_order += int(popcount(marks[word] & (bit - one))) + int(near[group, lane]) + int(far[group])
        marks[word] |= bit
        for later in range(GROUP):
            near[group, later] += np.int16(lanes[later] > lane)
        for later in range(far.size):
            far[later] += np.int32(later > group)
    return permutation.size * (permutation.size - 1) // 2 - in_order
