"""Scores and relevances packed into the numbers that a ranking sorts, one pass over each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel


@kernel
def pack_rows(
    score_bits: NDArray[np.uint32],
    relevance: NDArray[Any],
    tolerance: float,
    keys: NDArray[np.uint64],
    known: NDArray[np.int64],
) -> bool:
    """Fill `keys`, shape (Q, N), and the number of known relevances in each row, shape (Q,).

    Args:
        score_bits: the bits of single-precision scores, shape (Q, N).
        relevance: in [0, 1], NaN = unknown, shape (Q, N).
        tolerance: rounding that a relevance may show beyond 0 and 1.
        keys: to be filled: the score turned so that it falls, above the relevance turned so that it rises; all ones
            for an unknown relevance.
        known: to be filled.

    Returns:
        Whether all scores are finite and all relevances in their range; if not, the keys are of no use.
    """
    queries, width = keys.shape
    sign, magnitude, infinite = np.uint32(0x8000_0000), np.uint32(0x7FFF_FFFF), np.uint32(0x7F80_0000)
    unknown = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    levels = np.empty(width, dtype=np.float32)
    level_bits = levels.view(np.uint32)
    for query in range(queries):
        right, listed = True, 0
        for index in range(width):
            value = relevance[query, index]
            missing = np.isnan(value)
            right &= missing or (-tolerance <= value <= 1 + tolerance)
            listed += not missing
            levels[index] = min(max(value, 0), 1)
        for index in range(width):
            bits = score_bits[query, index]
            right &= (bits & infinite) != infinite
            falling = bits
            if not bits & sign:
                falling = ~bits ^ sign  # of a number from 0 on: the bits that make it smaller
            elif not bits & magnitude:
                falling = magnitude  # -0.0 is 0.0
            key = (np.uint64(falling) << np.uint64(32)) | np.uint64(level_bits[index] | sign)
            keys[query, index] = unknown if np.isnan(relevance[query, index]) else key
        if not right:
            return False
        known[query] = listed
    return True
