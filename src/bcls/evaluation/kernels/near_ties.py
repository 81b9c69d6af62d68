"""The counts of `counting` for cosines known in single precision only, with the doubtful ones looked at again.

A rough score and the exact one differ by less than `band`. So a rough score above `own + band` beats the positive, one
below `own - band` does not, and only those between are computed again in double precision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel, summing_kernel
from bcls.evaluation.cosine import GRID

PIECE = 256


@kernel
def on_grid(cosine: float) -> Any:
    """A cosine as `CosineSimilarity` rounds it; in a kernel of its own, so that nothing of it is reordered."""
    return np.float32(cosine + GRID - GRID)


@summing_kernel
def exact_cosine(left: NDArray[np.float64], right: NDArray[np.float64]) -> Any:
    """Product of two unit rows, summed in double and rounded to single precision."""
    total = 0.0
    for dimension in range(left.size):
        total += left[dimension] * right[dimension]
    return on_grid(total)


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


class BlockRows(NamedTuple):
    """What the exact scores of a block are computed from.

    Attributes:
        images: unit rows, double precision.
        captions: unit rows, double precision.
        image_rows: row in `images` of each row of the block, shape (R,).
        caption_rows: row in `captions` of each column, shape (T,).
    """

    images: NDArray[np.float64]
    captions: NDArray[np.float64]
    image_rows: NDArray[np.int64]
    caption_rows: NDArray[np.int64]


class Thresholds(NamedTuple):
    """The positives of a block, whose exact scores strangers are held against.

    Attributes:
        starts: where the positives of each row begin, counted from the first of the block, shape (R + 1,).
        columns: column of each positive, shape (P,).
        own: exact score of each positive, shape (P,).
        column_own: exact score of each column's positive, infinite for a column without one, shape (T,).
        owners: row of the block whose positive a column is, any other number for none of them, shape (T,).
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    own: NDArray[np.float32]
    column_own: NDArray[np.float32]
    owners: NDArray[np.int64]


@kernel
def count_rough_block(
    block: NDArray[np.float32],
    band: np.float32,
    rows: BlockRows,
    thresholds: Thresholds,
    row_counts: NDArray[np.int64],
    column_counts: NDArray[np.int32],
    limit: int,
) -> int:
    """Add the block's counts of strangers: at level 0 those that score at least as much, at level 1 those that tie.

    Args:
        block: rough scores of R images and T captions, shape (R, T), contiguous.
        band: what rough and exact scores differ by at most, with room for rounding.
        rows: of the exact scores.
        thresholds: the block's positives.
        row_counts: shape (2, P).
        column_counts: shape (2, T).
        limit: stop when more scores than this are doubtful.

    Returns:
        How many scores were doubtful; the counts are of no use if more than `limit`.
    """
    lows, highs = thresholds.column_own - band, thresholds.column_own + band
    doubtful = 0
    for row in range(block.shape[0]):
        for begin in range(0, block.shape[1], PIECE):
            piece = block[row, begin : begin + PIECE]
            doubtful += count_for_image(piece, row, begin, band, rows, thresholds, row_counts)
            doubtful += count_for_captions(piece, row, begin, lows, highs, rows, thresholds, column_counts)
            if doubtful > limit:
                return doubtful
        for positive in range(thresholds.starts[row], thresholds.starts[row + 1]):  # take the positives out again
            score, column = block[row, thresholds.columns[positive]], thresholds.columns[positive]
            column_counts[0, column] -= score >= highs[column]
            for other in range(thresholds.starts[row], thresholds.starts[row + 1]):
                row_counts[0, other] -= score >= thresholds.own[other] + band
    return doubtful


@kernel
def count_for_image(
    piece: NDArray[np.float32],
    row: int,
    begin: int,
    band: np.float32,
    rows: BlockRows,
    thresholds: Thresholds,
    row_counts: NDArray[np.int64],
) -> int:
    """Hold a piece of a row, which begins at a column, against the row's positives; how many scores were doubtful."""
    doubtful = 0
    for positive in range(thresholds.starts[row], thresholds.starts[row + 1]):
        own = thresholds.own[positive]
        low, high = own - band, own + band
        possible, certain = 0, 0
        for column in range(piece.size):
            possible += piece[column] >= low
            certain += piece[column] >= high
        row_counts[0, positive] += certain
        if possible > certain:
            for column in range(piece.size):
                if low <= piece[column] < high and thresholds.owners[begin + column] != row:
                    exact = exact_score(rows, row, begin + column)
                    row_counts[0, positive] += exact >= own
                    row_counts[1, positive] += exact == own
                    doubtful += 1
    return doubtful


@kernel
def count_for_captions(
    piece: NDArray[np.float32],
    row: int,
    begin: int,
    lows: NDArray[np.float32],
    highs: NDArray[np.float32],
    rows: BlockRows,
    thresholds: Thresholds,
    column_counts: NDArray[np.int32],
) -> int:
    """Hold each score of a piece of a row against its column's positive; how many scores were doubtful."""
    here = slice(begin, begin + piece.size)
    low, high, at_least = lows[here], highs[here], column_counts[0, here]
    doubtful, between = 0, np.int32(0)
    for column in range(piece.size):
        sure = np.int32(piece[column] >= high[column])
        at_least[column] += sure
        between += np.int32(piece[column] >= low[column]) - sure
    if between > 0:
        for column in range(piece.size):
            if low[column] <= piece[column] < high[column] and thresholds.owners[begin + column] != row:
                exact = exact_score(rows, row, begin + column)
                at_least[column] += exact >= thresholds.column_own[begin + column]
                column_counts[1, begin + column] += exact == thresholds.column_own[begin + column]
                doubtful += 1
    return doubtful


@kernel
def exact_score(rows: BlockRows, row: int, column: int) -> Any:
    """Of a row and a column of the block."""
    return exact_cosine(rows.images[rows.image_rows[row]], rows.captions[rows.caption_rows[column]])
