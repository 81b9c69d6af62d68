"""How many strangers score at least as much as each positive, in both directions in one pass over a block.

A stranger is a candidate that is no positive of the query. A row is taken in pieces that stay in the nearest cache
while every threshold of the row and of its columns is held against them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel

PIECE = 1024


@kernel
def count_block(
    block: NDArray[Any],
    starts: NDArray[np.int64],
    captions: NDArray[np.int64],
    row_thresholds: NDArray[Any],
    column_thresholds: NDArray[Any],
    row_counts: NDArray[np.int64],
    column_counts: NDArray[np.int32],
    largest: Any,
) -> int:
    """Add the block's counts to `row_counts` and `column_counts`.

    Args:
        block: scores of R images and T captions, shape (R, T), contiguous.
        starts: where the positives of each row begin, counted from the first of the block, shape (R + 1,).
        captions: column of each positive, shape (P,).
        row_thresholds: for L levels what a stranger of the image must reach, shape (L, P).
        column_thresholds: what a stranger of the caption must reach, shape (L, T).
        row_counts: shape (L, P).
        column_counts: shape (L, T).
        largest: the largest finite number of the scores' type.

    Returns:
        How many scores are not finite; the counts are of no use unless it is 0.
    """
    levels, width = column_thresholds.shape
    wrong = 0
    for row in range(block.shape[0]):
        first, last = starts[row], starts[row + 1]
        for begin in range(0, width, PIECE):
            piece = block[row, begin : begin + PIECE]
            finite = 0
            for column in range(piece.size):
                finite += abs(piece[column]) <= largest
            wrong += piece.size - finite
            for level in range(levels):
                for positive in range(first, last):
                    threshold = row_thresholds[level, positive]
                    count = 0
                    for column in range(piece.size):
                        count += piece[column] >= threshold
                    row_counts[level, positive] += count
                thresholds = column_thresholds[level, begin : begin + PIECE]
                counts = column_counts[level, begin : begin + PIECE]
                for column in range(piece.size):
                    counts[column] += piece[column] >= thresholds[column]
        for level in range(levels):  # take the positives out again
            for positive in range(first, last):
                column = captions[positive]
                column_counts[level, column] -= block[row, column] >= column_thresholds[level, column]
                for other in range(first, last):
                    row_counts[level, other] -= block[row, column] >= row_thresholds[level, other]
    return wrong
