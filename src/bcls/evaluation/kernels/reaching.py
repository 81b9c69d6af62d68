"""How many candidates reach each query's best positive, for several judgements of one block at once.

A row is taken in pieces that stay in the nearest cache while the thresholds of all judgements are held against them.
Where a judgement asks few of the columns, only those are looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.compiled.kernel import kernel

PIECE = 1024


@kernel
def count_reaching(
    block: NDArray[Any],
    row_least: NDArray[Any],
    column_least: NDArray[Any],
    few: NDArray[np.int64],
    few_starts: NDArray[np.int64],
    row_counts: NDArray[np.int64],
    column_counts: NDArray[np.int32],
    largest: Any,
) -> int:
    """Add the block's counts to `row_counts` and `column_counts`.

    Args:
        block: scores of R images and T captions, shape (R, T), contiguous.
        row_least: what a caption must reach to count for an image, for S judgements, infinite for a row that asks
            nothing, shape (S, R).
        column_least: what an image must reach to count for a caption, shape (S, T).
        few: the columns to look at, of all judgements that ask few.
        few_starts: where those of each judgement begin in `few`, shape (S + 1,); one without any there asks all.
        row_counts: shape (S, R).
        column_counts: shape (S, T).
        largest: the largest finite number of the scores' type.

    Returns:
        How many scores are not finite; the counts are of no use unless it is 0.
    """
    judgements, width = column_least.shape
    wrong = 0
    for row in range(block.shape[0]):
        for begin in range(0, width, PIECE):
            piece = block[row, begin : begin + PIECE]
            finite = 0
            for column in range(piece.size):
                finite += abs(piece[column]) <= largest
            wrong += piece.size - finite
            for judgement in range(judgements):
                threshold = row_least[judgement, row]
                if threshold <= largest:
                    count = 0
                    for column in range(piece.size):
                        count += piece[column] >= threshold
                    row_counts[judgement, row] += count
                if few_starts[judgement] < few_starts[judgement + 1]:
                    continue
                thresholds = column_least[judgement, begin : begin + PIECE]
                counts = column_counts[judgement, begin : begin + PIECE]
                for column in range(piece.size):
                    counts[column] += piece[column] >= thresholds[column]
        for judgement in range(judgements):
            for place in range(few_starts[judgement], few_starts[judgement + 1]):
                column = few[place]
                column_counts[judgement, column] += block[row, column] >= column_least[judgement, column]
    return wrong
