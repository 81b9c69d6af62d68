"""Every query's own result: what the means are made of, and what two models are compared by."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.both_directions import both_directions
from bcls.evaluation.compiled import compiled_pays
from bcls.evaluation.dot import SimilarityFunction, embeddings_similarity
from bcls.evaluation.kendall import ranked_tau_b
from bcls.evaluation.ndcg import ranked_ndcg
from bcls.evaluation.precision import average_precision_at_r, r_precision
from bcls.evaluation.protocols import Fold, folds
from bcls.evaluation.ranking import rank
from bcls.evaluation.ranks import Floats, PositiveRanks, Ties, check_ties, positive_ranks
from bcls.evaluation.row_blocks import in_row_blocks
from bcls.evaluation.similarity import Blocks, relevance_blocks, rows_in_block, similarity_blocks
from bcls.evaluation.truth import DIRECTIONS, Direction, RetrievalTruth, Rows

Function = TypeVar("Function", bound=Callable[..., Any])


def _takes_a_similarity_too(function: Function) -> Function:
    """Let the call of release 0.1, `per_query(similarity, truth, ...)`, work with a warning."""

    @wraps(function)
    def either(*given: Any, **named: Any) -> Any:
        if "similarity" in named or any(isinstance(one, RetrievalTruth) for one in given[:2]) or len(given) == 1:
            message = "per_query(similarity, truth) is deprecated: call per_query_similarity, or give both embeddings"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return per_query_similarity(*given, **named)
        return function(*given, **named)

    return cast(Function, either)


@_takes_a_similarity_too
def per_query(
    image_embeddings: Any,
    caption_embeddings: Any,
    truth: RetrievalTruth,
    *,
    similarity_function: SimilarityFunction = "cosine",
    protocol: str = "whole",
    relevance: Any = None,
    ties: Ties = "worst",
    ndcg_at: int = 10,
    tau_at: int = 100,
    block: int | None = None,
) -> dict[str, Floats]:
    """Results of every query in both directions by embeddings: the values whose means `evaluate` returns.

    Args:
        image_embeddings: as for `evaluate`.
        caption_embeddings: as for `evaluate`.
        truth: the image of every caption.
        similarity_function: `cosine` or `dot`.
        protocol: a name of `PROTOCOLS`.
        relevance: as for `evaluate`.
        ties: the rule for equal scores, see `positive_ranks`.
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.
        block: queries held at a time.

    Returns:
        As `per_query_similarity`.

    Raises:
        InputError: shapes that do not fit, values out of range, an unknown name.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 1])
        >>> per_query([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2]], truth)["image_to_text/rank"]
        array([1., 1.])
    """
    return per_query_similarity(
        embeddings_similarity(image_embeddings, caption_embeddings, similarity_function),
        truth,
        protocol=protocol,
        relevance=relevance,
        ties=ties,
        ndcg_at=ndcg_at,
        tau_at=tau_at,
        block=block,
    )


def per_query_similarity(
    similarity: Any,
    truth: RetrievalTruth,
    *,
    protocol: str = "whole",
    relevance: Any = None,
    ties: Ties = "worst",
    ndcg_at: int = 10,
    tau_at: int = 100,
    block: int | None = None,
) -> dict[str, Floats]:
    """Results of every query in both directions by a similarity matrix, or a function that fills it block by block.

    Args:
        similarity: matrix (I, T), numpy or torch; or a function `(image rows, caption rows) -> block`, such as
            `CosineSimilarity(image_embeddings, caption_embeddings)`. Without relevance a function is asked for every
            pair once, and beforehand for images and their own captions; with relevance once for each direction.
        truth: the image of every caption.
        protocol: a name of `PROTOCOLS`. With folds, a query's candidates are those of its fold.
        relevance: matrix (I, T) in [0, 1], NaN = unknown; or an object with `matrix(images, captions)`; None for no
            graded metric.
        ties: the rule for equal scores, see `positive_ranks`.
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.
        block: queries held at a time; None keeps a block at about 4 million scores. It changes no result.

    Returns:
        Arrays of shape (I,) under `image_to_text/NAME` and of shape (T,) under `text_to_image/NAME`; NaN for a row that
        is no query, or whose value is not defined. NAME: `rank` (of the best positive, from 1), `map@r`, `r_precision`
        (percent); with relevance also `ndcg@K`, `ndcg` (0..1), `tau_b`, `tau_b@K` (-1..1).

    Raises:
        InputError: shapes that do not fit, values out of range, an unknown name.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 2])
        >>> results = per_query_similarity([[0.9, 0.1, 0.8], [0.2, 0.3, 0.1]], truth)
        >>> results["image_to_text/rank"], results["text_to_image/rank"]
        (array([1., 1.]), array([1., 1., 2.]))
    """
    check_ties(ties)
    for name, number in (("ndcg_at", ndcg_at), ("tau_at", tau_at), ("block", 1 if block is None else block)):
        if number < 1:
            raise InputError(f"{name}={number}: it must be at least 1")
    scores = similarity_blocks(similarity, truth)
    if relevance is None:
        parts = _ranked(scores, truth, protocol, ties, block)
    else:
        labels = relevance_blocks(relevance, truth)
        parts = _graded_too(scores, labels, truth, protocol, block, ties=ties, ndcg_at=ndcg_at, tau_at=tau_at)
    results: dict[str, Floats] = {}
    for direction, queries, values in parts:
        for name, value in values.items():
            key = f"{direction}/{name}"
            results.setdefault(key, np.full(truth.size(direction), np.nan))[queries] = value
    return results


Part: TypeAlias = tuple[Direction, Rows, dict[str, Floats]]


def _ranked(scores: Blocks, truth: RetrievalTruth, protocol: str, ties: Ties, block: int | None) -> Iterator[Part]:
    """Binary metrics, each score asked for once."""
    parts = folds(protocol, truth)
    fast = compiled_pays(sum(fold.images.size * fold.captions.size for fold in parts))
    for fold in parts:
        ranks = both_directions(scores, fold, ties, block, fast=fast)
        yield "image_to_text", fold.images, _binary(ranks["image_to_text"])
        yield "text_to_image", fold.captions, _binary(ranks["text_to_image"])


def _graded_too(
    scores: Blocks,
    labels: Blocks,
    truth: RetrievalTruth,
    protocol: str,
    block: int | None,
    *,
    ties: Ties,
    ndcg_at: int,
    tau_at: int,
) -> Iterator[Part]:
    """Binary and graded metrics: whole lists of some queries at a time, one direction after the other."""
    for direction in DIRECTIONS:
        for fold in folds(protocol, truth):
            for queries, candidates in _query_blocks(truth, direction, fold, block):
                found = scores.block(direction, queries, candidates)
                values = _binary(positive_ranks(found, *truth.positives(direction, queries, candidates), ties))
                values |= _graded(found, labels.block(direction, queries, candidates), ties, ndcg_at, tau_at)
                yield direction, queries, values


def _binary(ranks: PositiveRanks) -> dict[str, Floats]:
    return {
        "rank": ranks.best(),
        "map@r": average_precision_at_r(ranks),
        "r_precision": r_precision(ranks),
    }


def _graded(scores: NDArray[Any], relevance: NDArray[Any], ties: Ties, ndcg_at: int, tau_at: int) -> dict[str, Floats]:
    def work(part_scores: NDArray[Any], part_relevance: NDArray[Any], fast: bool) -> dict[str, Floats]:
        ranking = rank(part_scores, part_relevance, fast=fast)
        ndcg_top, ndcg_whole = ranked_ndcg(ranking, [ndcg_at, None], ties)
        return {
            f"ndcg@{ndcg_at}": ndcg_top,
            "ndcg": ndcg_whole,
            "tau_b": ranked_tau_b(ranking, fast=fast),
            f"tau_b@{tau_at}": ranked_tau_b(ranking.top(tau_at), fast=fast),
        }

    parts = in_row_blocks(work, scores, relevance)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _query_blocks(
    truth: RetrievalTruth, direction: Direction, fold: Fold, block: int | None
) -> Iterator[tuple[Rows, Rows]]:
    asking, candidates = (fold.images, fold.captions) if direction == "image_to_text" else (fold.captions, fold.images)
    queries = np.intersect1d(asking, truth.queries(direction), assume_unique=True)
    step = rows_in_block(block, candidates.size)
    for start in range(0, queries.size, step):
        yield queries[start : start + step], candidates
