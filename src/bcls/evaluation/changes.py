"""Which queries two models answer differently, and what each of them ranks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bcls.evaluation.protocols import folds
from bcls.evaluation.ranks import Floats
from bcls.evaluation.similarity import relevance_blocks, similarity_blocks
from bcls.evaluation.truth import DIRECTIONS, Direction, RetrievalTruth, Rows


@dataclass(frozen=True)
class Candidate:
    """One place of a ranking: the row that stands there, its score, its relevance (None = unknown), if it is right."""

    row: int
    similarity: float
    relevance: float | None
    positive: bool


@dataclass(frozen=True)
class QueryRankings:
    """What several models rank first for one query.

    Attributes:
        near_misses: how many wrong candidates are nearly right; None where no relevance is known.
        top: for each model its first candidates.
    """

    near_misses: int | None
    top: tuple[tuple[Candidate, ...], ...]


def rank_gain(first: Floats, second: Floats) -> Floats:
    """How often the rank halves from the first to the second: from 8 to 2 is 2, from 2 to 8 is -2.

    Example:
        >>> rank_gain(np.array([8.0, 1.0]), np.array([2.0, 1.0]))
        array([2., 0.])
    """
    return np.asarray(np.log2(first / second))


def query_gains(
    first: Mapping[str, Floats], second: Mapping[str, Floats], direction: Direction, ndcg_at: int = 10
) -> dict[str, Floats]:
    """By how much every query got better: `rank` (see `rank_gain`) and, where both have it, `ndcg` (the difference).

    Args:
        first: what `per_query` returned for one model.
        second: the same for the other.
        direction: which queries.
        ndcg_at: K of NDCG@K.

    Returns:
        Arrays of one number a row of the query side, positive = better, NaN = not defined.
    """
    gains = {"rank": rank_gain(first[f"{direction}/rank"], second[f"{direction}/rank"])}
    key = f"{direction}/ndcg@{ndcg_at}"
    if key in first and key in second:
        gains["ndcg"] = second[key] - first[key]
    return gains


def largest_changes(
    first: Mapping[str, Floats], second: Mapping[str, Floats], count: int, ndcg_at: int = 10
) -> dict[Direction, Rows]:
    """The queries that changed most, as many for the better as for the worse, by rank and by NDCG, in each direction.

    Args:
        first: what `per_query` returned for one model.
        second: the same for the other.
        count: about how many in all; fewer where one query changed most by rank and by NDCG, or where fewer changed.
        ndcg_at: K of NDCG@K.

    Returns:
        Rows of each direction's queries, ascending.

    Example:
        >>> first = {f"{d}/rank": np.array([8.0, 2.0, 3.0]) for d in DIRECTIONS}
        >>> second = {f"{d}/rank": np.array([1.0, 1.0, 9.0]) for d in DIRECTIONS}
        >>> largest_changes(first, second, 4)["image_to_text"]
        array([0, 2])
    """
    chosen: dict[Direction, Rows] = {}
    for direction in DIRECTIONS:
        gains = query_gains(first, second, direction, ndcg_at)
        share = max(1, count // (4 * len(gains)))
        rows = []
        for gain in gains.values():
            order = np.argsort(-np.nan_to_num(gain), kind="stable")
            rows += [row for row in order[:share] if gain[row] > 0] + [row for row in order[-share:] if gain[row] < 0]
        chosen[direction] = np.unique(np.array(rows, dtype=np.int64))
    return chosen


def query_rankings(
    similarities: Sequence[Any],
    truth: RetrievalTruth,
    direction: Direction,
    queries: Rows,
    *,
    protocol: str = "whole",
    relevance: Any = None,
    length: int = 5,
    near_miss: float = 0.5,
) -> dict[int, QueryRankings]:
    """The first candidates of some queries by several models.

    Args:
        similarities: one for each model, as `per_query` takes them.
        truth: the image of every caption.
        direction: which side asks.
        queries: rows of the query side.
        protocol: with folds, a query's candidates are those of its fold.
        relevance: as `per_query` takes it, or None.
        length: candidates to list.
        near_miss: the relevance from which on a wrong candidate is nearly right.

    Returns:
        Rankings by query row. Of equal scores wrong candidates come first, as under the tie rule `worst`.

    Raises:
        InputError: shapes that do not fit, values out of range, an unknown name.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 1])
        >>> found = query_rankings([[[0.1, 0.9], [0.3, 0.2]]], truth, "image_to_text", np.array([0]))
        >>> [candidate.row for candidate in found[0].top[0]]
        [1, 0]
    """
    blocks = [similarity_blocks(similarity, truth) for similarity in similarities]
    labels = None if relevance is None else relevance_blocks(relevance, truth)
    found: dict[int, QueryRankings] = {}
    for fold in folds(protocol, truth):
        asking, candidates = fold.images, fold.captions
        if direction == "text_to_image":
            asking, candidates = candidates, asking
        for query in np.intersect1d(asking, queries):
            row = np.array([query])
            positive = np.zeros(candidates.size, dtype=bool)
            positive[truth.positives(direction, row, candidates)[1]] = True
            graded = None if labels is None else labels.block(direction, row, candidates)[0]
            near = None if graded is None else int(np.count_nonzero((graded >= near_miss) & ~positive))
            top = tuple(
                _top(block.block(direction, row, candidates)[0], candidates, positive, graded, length)
                for block in blocks
            )
            found[int(query)] = QueryRankings(near, top)
    return found


def _top(scores: Floats, candidates: Rows, positive: Any, graded: Any, length: int) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            int(candidates[place]),
            float(scores[place]),
            None if graded is None or np.isnan(graded[place]) else float(graded[place]),
            bool(positive[place]),
        )
        for place in np.lexsort((positive, -scores))[:length]
    )
