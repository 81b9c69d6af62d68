"""Metrics as means of single queries' values: what a resampling of queries needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.ranks import Floats
from bcls.evaluation.recall import RECALL_CUTOFFS
from bcls.evaluation.truth import DIRECTIONS, RetrievalTruth


def query_parts(metric: str) -> list[str]:
    """The metrics of one direction that a metric is the mean of (`rsum`: the sum).

    Example:
        >>> query_parts("ndcg@10")
        ['image_to_text/ndcg@10', 'text_to_image/ndcg@10']
        >>> len(query_parts("rsum"))
        6
    """
    if "/" in metric:
        return [metric]
    if metric == "rsum":
        return [f"{direction}/recall@{cutoff}" for direction in DIRECTIONS for cutoff in RECALL_CUTOFFS]
    return [f"{direction}/{metric}" for direction in DIRECTIONS]


def query_values(results: Mapping[str, Floats], part: str, truth: RetrievalTruth, run: str) -> Floats:
    """Every query's value of a metric of one direction.

    Args:
        results: what `per_query` returned, or means over runs from `pool_runs`.
        part: one of its keys, or `DIRECTION/recall@K`, `DIRECTION/mrr`, `DIRECTION/mean_rank`, made of its ranks.
        truth: the truth that it was given.
        run: the run's name, for messages.

    Returns:
        Shape (images,) or (captions,), NaN for a row that is no query or has no value.

    Raises:
        InputError: no such metric, or results of another size than the truth.

    Example:
        >>> truth = RetrievalTruth.from_counts([1, 1])
        >>> query_values({"image_to_text/rank": np.array([1.0, 4.0])}, "image_to_text/recall@1", truth, "a")
        array([100.,   0.])
    """
    direction, _, name = part.partition("/")
    from_rank = part not in results and is_made_of_ranks(name)
    key = f"{direction}/rank" if from_rank else part
    if key not in results:
        raise InputError(f"{run}: {part!r} is no metric of single queries; there are: {', '.join(results)}")
    values = to_array(results[key], f"{run}: {key}").astype(np.float64, copy=False)
    expected = truth.images if direction == "image_to_text" else truth.captions
    if values.shape != (expected,):
        raise InputError(f"{run}: {key} has shape {values.shape}, but the truth has {expected} rows")
    if not from_rank or name == "mean_rank":
        return values
    if name == "mrr":
        return np.asarray(1 / values)
    return np.where(np.isnan(values), np.nan, 100.0 * (values <= int(name.removeprefix("recall@"))))


def is_made_of_ranks(name: str) -> bool:
    """Whether a metric of one direction is the mean of a function of each query's best rank.

    Example:
        >>> [is_made_of_ranks(name) for name in ("mrr", "recall@5", "recall@0", "recall@x", "median_rank")]
        [True, True, False, False, False]
    """
    cutoff = name.removeprefix("recall@")
    return name in {"mrr", "mean_rank"} or (cutoff != name and cutoff.isdecimal() and int(cutoff) > 0)
