"""The counts of `counting` for cosines known in single precision only, with the doubtful ones looked at again.

A rough score and the exact one differ by less than `band`. So a rough score above `own + band` beats the positive, one
below `own - band` does not, and only those between are computed again in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel, summing_kernel

PIECE = 256


@summing_kernel
def exact_cosine(left: NDArray[np.float64], right: NDArray[np.float64]) -> Any:
    """Product of two unit rows, summed in double and rounded to single precision."""
    total = 0.0
    for dimension in range(left.size):
        total += left[dimension] * right[dimension]
    return np.float32(total)


@kernel
def exact_cosines(
    images: NDArray[np.float64],
    captions: NDArray[np.float64],
    image_rows: NDArray[np.int64],
    caption_rows: NDArray[np.int64],
    cosines: NDArray[np.float32],
) -> None:
    """Fill `cosines`, shape (P,), with those of P pairs of rows."""
    for pair in range(cosines.size):
        cosines[pair] = exact_cosine(images[image_rows[pair]], captions[caption_rows[pair]])


@kernel
def count_rough_block(
    block: NDArray[np.float32],
    band: np.float32,
    image_rows: NDArray[np.int64],
    caption_rows: NDArray[np.int64],
    images: NDArray[np.float64],
    captions: NDArray[np.float64],
    starts: NDArray[np.int64],
    columns: NDArray[np.int64],
    own: NDArray[np.float32],
    column_own: NDArray[np.float32],
    owned: NDArray[np.int64],
    first_row: int,
    row_counts: NDArray[np.int64],
    column_counts: NDArray[np.int32],
    limit: int,
) -> int:
    """Add the block's counts of strangers: at level 0 those that score at least as much, at level 1 those that tie.

    Args:
        block: rough scores of R images and T captions, shape (R, T), contiguous.
        band: what rough and exact scores differ by at most, with room for rounding.
        image_rows: row in `images` of each row of the block, shape (R,).
        caption_rows: row in `captions` of each column, shape (T,).
        images: unit rows.
        captions: unit rows.
        starts: where the positives of each row begin, counted from the first of the block, shape (R + 1,).
        columns: column of each positive, shape (P,).
        own: exact score of each positive, shape (P,).
        column_own: exact score of each column's positive, infinite for a column without one, shape (T,).
        owned: number of the row (of the whole task) whose positive a column is, -1 for none, shape (T,).
        first_row: number of the block's first row.
        row_counts: shape (2, P).
        column_counts: shape (2, T).
        limit: stop when more scores than this are doubtful.

    Returns:
        How many scores were doubtful; the counts are of no use if more than `limit`.
    """
    width = block.shape[1]
    column_lows, column_highs = column_own - band, column_own + band
    doubtful = 0
    for row in range(block.shape[0]):
        image = images[image_rows[row]]
        first, last = starts[row], starts[row + 1]
        for begin in range(0, width, PIECE):
            piece = block[row, begin : begin + PIECE]
            for positive in range(first, last):
                low, high = own[positive] - band, own[positive] + band
                possible, certain = 0, 0
                for column in range(piece.size):
                    possible += piece[column] >= low
                    certain += piece[column] >= high
                row_counts[0, positive] += certain
                if possible > certain:
                    for column in range(piece.size):
                        if low <= piece[column] < high and owned[begin + column] != first_row + row:
                            exact = exact_cosine(image, captions[caption_rows[begin + column]])
                            row_counts[0, positive] += exact >= own[positive]
                            row_counts[1, positive] += exact == own[positive]
                            doubtful += 1
            lows, highs = column_lows[begin : begin + PIECE], column_highs[begin : begin + PIECE]
            at_least = column_counts[0, begin : begin + PIECE]
            between = np.int32(0)
            for column in range(piece.size):
                sure = np.int32(piece[column] >= highs[column])
                at_least[column] += sure
                between += np.int32(piece[column] >= lows[column]) - sure
            if between > 0:
                for column in range(piece.size):
                    if lows[column] <= piece[column] < highs[column] and owned[begin + column] != first_row + row:
                        exact = exact_cosine(image, captions[caption_rows[begin + column]])
                        at_least[column] += exact >= column_own[begin + column]
                        column_counts[1, begin + column] += exact == column_own[begin + column]
                        doubtful += 1
            if doubtful > limit:
                return doubtful
        for positive in range(first, last):  # take the positives out again
            score = block[row, columns[positive]]
            column_counts[0, columns[positive]] -= score >= column_highs[columns[positive]]
            for other in range(first, last):
                row_counts[0, other] -= score >= own[other] + band
    return doubtful
