"""Judge a model: arrays and ids in, one flat dict of numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bcls.arrays import refuse_other_order
from bcls.evaluation.dot import SimilarityFunction, embeddings_similarity
from bcls.evaluation.per_query import per_query_similarity
from bcls.evaluation.protocols import Fold, folds
from bcls.evaluation.ranks import Floats, Ties
from bcls.evaluation.recall import RECALL_CUTOFFS, rank_summary
from bcls.evaluation.truth import DIRECTIONS, RetrievalTruth

_BINARY = ("rank", "map@r", "r_precision")


def evaluate(
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
) -> dict[str, float]:
    """Evaluate embeddings by their cosine, or by their dot product.

    The (images, captions) matrix is made block by block. For any other similarity see `evaluate_similarity`, which
    also tells what the numbers mean.

    Args:
        image_embeddings: shape (I, D), numpy or torch, any floating type; for the cosine their length does not
            matter.
        caption_embeddings: shape (T, D).
        truth: the image of every caption.
        similarity_function: `cosine`, or `dot` for a model that was trained to be compared by the dot product.
        protocol: a name of `PROTOCOLS`.
        relevance: matrix (I, T) in [0, 1], NaN = unknown; or an object with `matrix(images, captions)`; None for no
            graded metric.
        ties: the rule for equal scores: `worst`, or `expected`, the mean over random orders of equals, see
            `positive_ranks` (what is made of ranks, such as recall, then takes the mean rank; tau-b needs no rule).
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.
        block: queries held at a time; None keeps a block at about 4 million scores. It changes no result.

    Returns:
        Metrics by name, as `evaluate_similarity` has them.

    Raises:
        InputError: shapes that do not fit, an embedding that is zero or not finite, a relevance outside [0, 1], a
            number of images that the protocol does not have, an unknown name.

    Example:
        >>> truth = RetrievalTruth.from_counts([2, 1])
        >>> images = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> captions = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
        >>> metrics = evaluate(images, captions, truth)
        >>> metrics["image_to_text/recall@1"], round(metrics["text_to_image/recall@1"], 1)
        (100.0, 66.7)
    """
    if truth.image_ids is not None:
        refuse_other_order(image_embeddings, truth.image_ids, "image_embeddings")
    if truth.caption_ids is not None:
        refuse_other_order(caption_embeddings, truth.caption_ids, "caption_embeddings")
    return evaluate_similarity(
        embeddings_similarity(image_embeddings, caption_embeddings, similarity_function),
        truth,
        protocol=protocol,
        relevance=relevance,
        ties=ties,
        ndcg_at=ndcg_at,
        tau_at=tau_at,
        block=block,
    )


def evaluate_similarity(
    similarity: Any,
    truth: RetrievalTruth,
    *,
    protocol: str = "whole",
    relevance: Any = None,
    ties: Ties = "worst",
    ndcg_at: int = 10,
    tau_at: int = 100,
    block: int | None = None,
) -> dict[str, float]:
    """Judge a similarity matrix, or a function that fills it block by block.

    Under `image_to_text/` and `text_to_image/` stand, as means over the queries of that direction:

    | name | meaning | range |
    |---|---|---|
    | `recall@1`, `@5`, `@10` | share of queries with any positive among the first K | 0..100 |
    | `median_rank`, `mean_rank` | of the best positive | from 1 |
    | `mrr` | mean reciprocal rank of the best positive | 0..1 |
    | `map@r`, `r_precision` | see `average_precision_at_r`, `r_precision` | 0..100 |
    | `ndcg@10`, `ndcg` | graded order, first ten and whole list, see `ndcg` | 0..1 |
    | `tau_b`, `tau_b@100` | graded order, whole list and first hundred, see `kendall_tau_b` | -1..1 |
    | `queries`, `NAME_queries` | queries in the mean: all, and those for which a graded metric is defined | |

    Without a direction: `rsum`, the sum of the six recalls (0..600), and for `map@r`, `r_precision` and the graded
    metrics the mean of both directions. Under `coco-1k` every number is the mean over the five folds, and the counts
    are sums. A mean over no query is NaN.

    Relevance from the scorer that a model was trained on shows how well it fits that scorer; to show more, judge by
    another scorer or by people.

    Args:
        similarity: matrix (I, T), numpy or torch; or a function `(image rows, caption rows) -> block`.
        truth: the image of every caption.
        protocol: a name of `PROTOCOLS`.
        relevance: matrix (I, T) in [0, 1], NaN = unknown; or an object with `matrix(images, captions)`; None for no
            graded metric.
        ties: the rule for equal scores: `worst`, or `expected`, the mean over random orders of equals, see
            `positive_ranks` (what is made of ranks, such as recall, then takes the mean rank; tau-b needs no rule).
        ndcg_at: K of NDCG@K.
        tau_at: K of tau-b on the K best scored candidates.
        block: queries held at a time; None keeps a block at about 4 million scores. It changes no result.

    Returns:
        Metrics by name.

    Raises:
        InputError: shapes that do not fit, a score that is not finite, a relevance outside [0, 1], a number of images
            that the protocol does not have, an unknown name.

    Example:
        >>> metrics = evaluate_similarity(np.eye(12), RetrievalTruth.from_counts([1] * 12), relevance=np.eye(12))
        >>> metrics["rsum"], metrics["ndcg@10"], metrics["image_to_text/median_rank"]
        (600.0, 1.0, 1.0)
    """
    results = per_query_similarity(
        similarity,
        truth,
        protocol=protocol,
        relevance=relevance,
        ties=ties,
        ndcg_at=ndcg_at,
        tau_at=tau_at,
        block=block,
    )
    return summarise(results, truth, protocol)


def summarise(results: Mapping[str, Floats], truth: RetrievalTruth, protocol: str = "whole") -> dict[str, float]:
    """The means of `per_query` results, as `evaluate_similarity` returns them.

    Args:
        results: what `per_query` returned.
        truth: the truth it was given.
        protocol: the protocol it was given.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 1])
        >>> summarise(per_query_similarity(np.eye(2), truth), truth)["rsum"]
        600.0
    """
    parts = [_summarise_fold(results, truth, fold) for fold in folds(protocol, truth)]
    metrics = {name: _over_folds([part[name] for part in parts], total=name.endswith("queries")) for name in parts[0]}
    metrics["rsum"] = sum(metrics[f"{direction}/recall@{k}"] for direction in DIRECTIONS for k in RECALL_CUTOFFS)
    names = [key.removeprefix("image_to_text/") for key in results if key.startswith("image_to_text/")]
    for name in names:
        if name != "rank":
            metrics[name] = float(np.mean([metrics[f"{direction}/{name}"] for direction in DIRECTIONS]))
    return metrics


def _summarise_fold(results: Mapping[str, Floats], truth: RetrievalTruth, fold: Fold) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for direction in DIRECTIONS:
        rows = np.intersect1d(
            fold.images if direction == "image_to_text" else fold.captions, truth.queries(direction), assume_unique=True
        )
        values = {
            key.removeprefix(f"{direction}/"): value[rows]
            for key, value in results.items()
            if key.startswith(direction)
        }
        metrics |= {f"{direction}/{name}": value for name, value in _summarise_direction(values).items()}
    return metrics


def _summarise_direction(values: Mapping[str, Floats]) -> dict[str, float]:
    metrics = rank_summary(values["rank"])
    metrics["map@r"] = float(np.mean(values["map@r"]))
    metrics["r_precision"] = float(np.mean(values["r_precision"]))
    metrics["queries"] = float(values["rank"].size)
    for name, value in values.items():
        if name not in _BINARY:
            defined = value[~np.isnan(value)]
            metrics[name] = float(np.mean(defined)) if defined.size else float("nan")
            metrics[f"{name}_queries"] = float(defined.size)
    return metrics


def _over_folds(values: list[float], *, total: bool) -> float:
    known = [value for value in values if not np.isnan(value)]
    if total:
        return sum(known)
    return float(np.mean(known)) if known else float("nan")
