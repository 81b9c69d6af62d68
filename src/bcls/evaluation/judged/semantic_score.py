"""The normalised cumulative semantic score and semantic recall: how good is what is retrieved beside the own caption?

Biten, Mafla, Gómez, Karatzas, "Is An Image Worth Five Sentences? A New Look into Semantics for Image-Text Matching"
(WACV 2022). Their relevance is CIDEr or SPICE of a caption against all captions of an image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.judged.semantic_relevant import relevant_sets
from bcls.evaluation.judged.task import Task
from bcls.evaluation.ranking import rank
from bcls.evaluation.ranks import PositiveRanks, positive_ranks
from bcls.evaluation.similarity import Blocks, relevance_blocks, rows_in_block
from bcls.evaluation.truth import DIRECTIONS, Direction, RetrievalTruth, Rows

CUTOFFS = (1, 5, 10)


def judge_semantic_score(task: Task, *, relevant: int = 1) -> dict[str, float]:
    """NCS@K, and semantic recall plain and weighted, a query's own pairs taken out of every list first.

    - `ncs@K`: the relevance of the first K, summed over all queries, to that of the K most relevant.
    - `semantic_recall@K`: share of a query's relevant set (see `relevant_sets`) that is among the first K.
    - `semantic_soft_recall@K`: the same, each item weighted by its relevance; 0 where the set has none for the query.

    Of equal scores the least relevant, and in recall the items of the relevant set, come last (worst case). Candidates
    of unknown relevance are left out of NCS.

    Args:
        task: with relevance; its scale does not matter.
        relevant: images in a relevant set, 1 to 3 in the published evaluation.

    Returns:
        Percentages for K = 1, 5, 10 under `image_to_text/`, `text_to_image/`, and the means of both directions.

    Raises:
        InputError: `relevant` is below 1, or there is no relevance to be found beside the own pairs.
    """
    if relevant < 1:
        raise InputError(f"relevant={relevant}: it must be at least 1")
    scores, labels = task.scores(), relevance_blocks(task.relevance, task.truth)
    sets = relevant_sets(labels, task.truth, relevant)
    metrics: dict[str, float] = {}
    for direction in DIRECTIONS:
        found = _of_direction(scores, labels, task.truth, direction, sets[direction])
        metrics |= {f"{direction}/{name}": value for name, value in found.items()}
    for name in ("ncs", "semantic_recall", "semantic_soft_recall"):
        for cutoff in CUTOFFS:
            both = [metrics[f"{direction}/{name}@{cutoff}"] for direction in DIRECTIONS]
            metrics[f"{name}@{cutoff}"] = float(np.mean(both))
    return metrics


def _of_direction(
    scores: Blocks, labels: Blocks, truth: RetrievalTruth, direction: Direction, judged: JudgedPositives
) -> dict[str, float]:
    queries, candidates = truth.queries(direction), np.arange(truth.size(_other(direction)))
    step = rows_in_block(None, candidates.size)
    gained, ideal = np.zeros(max(CUTOFFS)), np.zeros(max(CUTOFFS))
    recalls: list[NDArray[np.float64]] = []
    for start in range(0, queries.size, step):
        rows = queries[start : start + step]
        found = scores.block(direction, rows, candidates)
        worth = labels.block(direction, rows, candidates).copy()  # own pairs are taken out of it
        query, own = truth.positives(direction, rows, candidates)
        worth[query, own] = np.nan
        gained += _first_places(found, worth)
        ideal += _first_places(np.nan_to_num(worth, nan=0.0), worth)
        recalls.append(_recalls(found, worth, (query, own), _part(judged, rows)))
    if not ideal[0] > 0:
        raise InputError("no candidate but the queries' own has any relevance: there is nothing to find")
    metrics = {f"ncs@{cutoff}": 100 * float(gained[:cutoff].sum() / ideal[:cutoff].sum()) for cutoff in CUTOFFS}
    means = 100 * np.nanmean(np.concatenate(recalls, axis=1), axis=1)
    names = [f"{name}@{cutoff}" for name in ("semantic_recall", "semantic_soft_recall") for cutoff in CUTOFFS]
    return metrics | dict(zip(names, means.tolist(), strict=True))


def _recalls(
    found: NDArray[Any], worth: NDArray[Any], own: tuple[Rows, Rows], judged: tuple[Rows, Rows]
) -> NDArray[np.float64]:
    """Plain and weighted recall at each cutoff, shape (6, Q); NaN for a query with an empty relevant set."""
    behind = found.astype(np.float64)
    behind[own] = behind.min(initial=0.0) - 1.0
    ranks = positive_ranks(behind, *judged)
    counts = np.ones(ranks.rank.size)
    gains = np.nan_to_num(worth[_places(behind, judged)], nan=0.0).astype(np.float64)
    return np.stack([_share(ranks, weights, cutoff) for weights in (counts, gains) for cutoff in CUTOFFS])


def _places(scores: NDArray[Any], judged: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    """The pairs in the order of `positive_ranks`."""
    order = np.lexsort((-scores[judged], judged[0]))
    return judged[0][order], judged[1][order]


def _share(ranks: PositiveRanks, weights: NDArray[np.float64], cutoff: int) -> NDArray[np.float64]:
    total = np.bincount(ranks.query, weights=weights, minlength=ranks.queries)
    hits = np.bincount(ranks.query, weights=weights * (ranks.rank <= cutoff), minlength=ranks.queries)
    return np.where(total > 0, hits / np.where(total > 0, total, 1), np.where(ranks.counts > 0, 0.0, np.nan))


def _part(judged: JudgedPositives, rows: Rows) -> tuple[Rows, Rows]:
    """The positives of some ascending queries, as positions among them."""
    kept = np.isin(judged.query, rows)
    return np.searchsorted(rows, judged.query[kept]), judged.candidate[kept]


def _first_places(order: NDArray[Any], worth: NDArray[Any]) -> NDArray[np.float64]:
    """What stands at each of the first places, summed over the queries; 0 where there are no more candidates."""
    total = np.zeros(max(CUTOFFS))
    first = rank(order, worth).top(total.size).relevance
    total[: first.shape[1]] = first.sum(axis=0, dtype=np.float64)
    return total


def _other(direction: Direction) -> Direction:
    return "text_to_image" if direction == "image_to_text" else "image_to_text"
