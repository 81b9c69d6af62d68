"""Two stages: a quick similarity ranks everything, a dear one ranks the first K of it anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.per_query import per_query_similarity
from bcls.evaluation.protocols import folds
from bcls.evaluation.ranks import Floats, Ties
from bcls.evaluation.similarity import rows_in_block, similarity_blocks
from bcls.evaluation.top import top_rows
from bcls.evaluation.truth import DIRECTIONS, Direction, RetrievalTruth
from bcls.progress import progress


def per_query_reranked(
    first: Any,
    second: Any,
    truth: RetrievalTruth,
    *,
    top: int = 100,
    protocol: str = "whole",
    relevance: Any = None,
    ties: Ties = "worst",
    ndcg_at: int = 10,
    tau_at: int = 100,
) -> dict[str, Floats]:
    """Results of every query whose first K candidates are ranked anew, in both directions.

    Each direction is judged by what it alone would return: an image's first K captions are ranked anew, and so are a
    caption's first K images. Behind them all others keep the order of the first stage. Cost: K pairs of the second
    stage a query, in place of all candidates.

    Args:
        first: matrix (I, T), or a function that fills blocks of it, such as `CosineSimilarity`.
        second: a matrix, or a function `(image rows, caption rows) -> block`, which is asked for one query at a time.
        truth: the image of every caption.
        top: K, at least 1.
        protocol: a name of `PROTOCOLS`. With folds, the first K are those of the fold.
        relevance: as `per_query` takes it.
        ties: the rule for equal scores.
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.

    Returns:
        Results as of `per_query`, which `summarise` takes.

    Raises:
        InputError: as `per_query`; a top below 1.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 1, 1])
        >>> first = np.array([[0.8, 0.9, 0.1], [0.9, 0.2, 0.5], [0.1, 0.3, 0.7]])
        >>> eye = lambda images, captions: 1.0 * (images[:, None] == captions)
        >>> results = per_query_reranked(first, eye, truth, top=2)
        >>> results["image_to_text/rank"], results["text_to_image/rank"]
        (array([1., 3., 1.]), array([1., 3., 1.]))
    """
    if top < 1:
        raise InputError(f"top={top}: it must be at least 1")
    results: dict[str, Floats] = {}
    for direction in DIRECTIONS:
        scores = reranked(first, second, truth, direction, top=top, protocol=protocol)
        found = per_query_similarity(
            scores, truth, protocol=protocol, relevance=relevance, ties=ties, ndcg_at=ndcg_at, tau_at=tau_at
        )
        results |= {name: values for name, values in found.items() if name.startswith(direction)}
    return results


def reranked(
    first: Any, second: Any, truth: RetrievalTruth, direction: Direction, *, top: int, protocol: str = "whole"
) -> NDArray[np.float64]:
    """Scores (I, T) that order each query's candidates of one direction by both stages; 0 outside the folds.

    They are places, not similarities: only their order within a query means anything. The memory is eight bytes a pair.
    """
    scores = np.zeros((truth.images, truth.captions))
    turned = scores if direction == "image_to_text" else scores.T
    quick, dear = similarity_blocks(first, truth), similarity_blocks(second, truth)
    for fold in folds(protocol, truth):
        sides = (fold.images, fold.captions)
        queries, candidates = sides if direction == "image_to_text" else sides[::-1]
        step = rows_in_block(None, candidates.size)
        for start in progress(range(0, queries.size, step), "ranking anew", unit="block"):
            rows = queries[start : start + step]
            found = quick.block(direction, rows, candidates)
            for row, places in enumerate(top_rows(found, min(top, candidates.size))):
                asked = np.sort(places)
                anew = dear.block(direction, rows[row : row + 1], candidates[asked])[0]
                levels = _levels(found[row])
                levels[asked] = candidates.size + _levels(anew)
                turned[rows[row], candidates] = levels
    return scores


def _levels(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Whole numbers in the order of the scores, equal where they are equal: no score is too small to count."""
    return np.unique(scores, return_inverse=True)[1]
