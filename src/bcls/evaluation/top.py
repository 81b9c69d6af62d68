"""The best candidates of every query, block by block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.ranking import descending_codes
from bcls.evaluation.similarity import rows_in_block, similarity_blocks
from bcls.evaluation.truth import Direction, RetrievalTruth, Rows
from bcls.threads import over_rows

THREAD_SCORES = 80_000
"""Scores that one thread looks through at a time."""


class TopCandidates(NamedTuple):
    """The best candidates of each query, the best first, and their scores, shape (Q, K) each."""

    rows: NDArray[np.int64]
    scores: NDArray[Any]


def top_candidates(
    similarity: Any, truth: RetrievalTruth, direction: Direction, length: int, *, block: int | None = None
) -> TopCandidates:
    """The `length` best scored candidates of every row of the query side, distractors included on both sides.

    Of equal scores the lower row comes first, whatever the block. The cost is a selection, O(N) for each query, and a
    sort of what was selected; the working memory is one block.

    Args:
        similarity: matrix (I, T), or a function `(image rows, caption rows) -> block`, such as `CosineSimilarity`.
        truth: tells the numbers of images and captions.
        direction: which side asks.
        length: K, at least 1; cut to the number of candidates.
        block: queries held at a time; None keeps a block at about 4 million scores. It changes no result.

    Returns:
        Rows and scores, shape (Q, K), single or double precision as the similarity has.

    Raises:
        InputError: shapes that do not fit, a score that is not finite, a length below 1.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 2])
        >>> top = top_candidates([[0.9, 0.1, 0.8], [0.2, 0.3, 0.3]], truth, "image_to_text", 2)
        >>> top.rows
        array([[0, 2],
               [1, 2]])
        >>> top.scores[0]
        array([0.9, 0.8])
    """
    if length < 1:
        raise InputError(f"length={length}: it must be at least 1")
    scores = similarity_blocks(similarity, truth)
    sizes = (truth.images, truth.captions)
    queries, candidates = (np.arange(size) for size in (sizes if direction == "image_to_text" else sizes[::-1]))
    parts = []
    step = rows_in_block(block, candidates.size)
    for first in range(0, queries.size, step):
        found = scores.block(direction, queries[first : first + step], candidates)
        rows = top_rows(found, min(length, candidates.size))
        parts.append(TopCandidates(rows, np.take_along_axis(found, rows, axis=1)))
    return TopCandidates(np.concatenate([part.rows for part in parts]), np.concatenate([part.scores for part in parts]))


def top_rows(scores: NDArray[Any], length: int) -> Rows:
    """Columns of the best of each row, (rows, length), the best first; of equal scores the lower column comes first."""

    def work(start: int, stop: int) -> Rows:
        # Score and column as one number, so that no two are equal.
        keys = descending_codes(scores[start:stop]).astype(np.uint64) << np.uint64(32)
        keys |= np.arange(scores.shape[1], dtype=np.uint64)
        best = np.sort(np.partition(keys, length - 1, axis=1)[:, :length], axis=1)
        return (best & np.uint64(0xFFFF_FFFF)).astype(np.int64)

    return np.concatenate(over_rows(work, scores.shape[0], max(1, THREAD_SCORES // scores.shape[1])))
