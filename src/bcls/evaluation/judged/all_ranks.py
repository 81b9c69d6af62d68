"""The ranks of all judged positives of the queries that have any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bcls.evaluation.compiled import compiled_pays
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.protocols import Fold
from bcls.evaluation.ranks import PositiveRanks, positive_ranks, ranks_from_strangers
from bcls.evaluation.similarity import Blocks, rows_in_block
from bcls.evaluation.truth import Direction
from bcls.threads import over_rows


def all_ranks(scores: Blocks, fold: Fold, direction: Direction, judged: JudgedPositives) -> PositiveRanks:
    """Rank every positive; of equal scores the positives come last (worst case).

    The cost is a comparison for each positive and candidate, on threads; only blocks of queries with a positive are
    asked for.

    Args:
        scores: similarities.
        fold: the gallery.
        direction: which side asks.
        judged: its positives, in positions of the gallery.

    Returns:
        Ranks whose `query` counts the queries that have a positive, from 0; infinite for one beyond the gallery.

    Example:
        >>> from bcls.evaluation import RetrievalTruth
        >>> from bcls.evaluation.similarity import similarity_blocks
        >>> scores = similarity_blocks([[0.9, 0.5, 0.5, 0.1]], RetrievalTruth.from_counts([4]))
        >>> judged = JudgedPositives(np.array([0, 0]), np.array([1, 3]), 1)
        >>> all_ranks(scores, Fold(np.arange(1), np.arange(4)), "image_to_text", judged).rank
        array([3., 4.])
    """
    asking, candidates = (fold.images, fold.captions) if direction == "image_to_text" else (fold.captions, fold.images)
    asked = judged.asked
    starts = np.append(np.searchsorted(judged.query, asked), judged.query.size)
    fast = compiled_pays(asked.size * candidates.size)
    step = rows_in_block(None, candidates.size)
    parts = [PositiveRanks(np.zeros(0, np.int64), np.zeros(0), 0)]
    for first in range(0, asked.size, step):
        last = min(first + step, asked.size)
        here = slice(starts[first], starts[last])
        query, candidate = np.searchsorted(asked[first:last], judged.query[here]), judged.candidate[here]
        found = scores.block(direction, asking[asked[first:last]], candidates)
        part = _compiled(found, query, candidate) if fast else positive_ranks(found, query, candidate)
        parts.append(PositiveRanks(part.query + first, part.rank, part.queries))
    beyond = np.searchsorted(asked, judged.beyond)
    query = np.concatenate([*(part.query for part in parts), beyond])
    rank = np.concatenate([*(part.rank for part in parts), np.full(beyond.size, np.inf)])
    order = np.argsort(query, kind="stable")
    return PositiveRanks(query[order], rank[order], asked.size)


def _compiled(scores: NDArray[np.floating], query: NDArray[np.int64], candidate: NDArray[np.int64]) -> PositiveRanks:
    from bcls.evaluation.kernels.counting import count_block  # noqa: PLC0415

    order = np.lexsort((-scores[query, candidate], query))
    query, candidate = query[order], candidate[order]
    own = scores[query, candidate]
    no_columns = np.full((1, scores.shape[1]), np.inf, dtype=scores.dtype)
    starts = np.searchsorted(query, np.arange(scores.shape[0] + 1))

    def work(start: int, stop: int) -> NDArray[np.int64]:
        here = slice(starts[start], starts[stop])
        counts = np.zeros((1, here.stop - here.start), np.int64)
        thresholds, unused = np.ascontiguousarray(own[None, here]), np.zeros(no_columns.shape, np.int32)
        rows = np.ascontiguousarray(scores[start:stop])
        places = starts[start : stop + 1] - here.start
        largest = np.finfo(scores.dtype).max
        count_block(rows, places, candidate[here], thresholds, no_columns, counts, unused, largest)
        return np.asarray(counts[0])

    at_least = np.concatenate(over_rows(work, scores.shape[0]))
    return ranks_from_strangers(query, own, scores.shape[0], at_least, at_least, ties="worst")
