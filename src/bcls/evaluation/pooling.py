"""Several runs of one recipe as one: the mean of each query's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bcls.evaluation.query_metrics import is_made_of_ranks, query_parts, query_values
from bcls.evaluation.ranks import Floats
from bcls.evaluation.truth import RetrievalTruth


def pool_runs(
    runs: Sequence[Mapping[str, Floats]], truth: RetrievalTruth, metrics: Sequence[str], name: str
) -> dict[str, Floats]:
    """Every query's mean over runs with different seeds, for `compare`.

    A query that is found first in two runs of three has a recall@1 of 66.7.

    Args:
        runs: what `per_query` returned for each, one at least.
        truth: the truth that they were judged by.
        metrics: those that will be compared.
        name: of the recipe, for messages.

    Returns:
        Arrays by the names of one-direction metrics, e.g. `image_to_text/recall@1`; NaN where any run has none.

    Raises:
        InputError: no such metric of queries, or results of another size than the truth.

    Example:
        >>> truth = RetrievalTruth.from_counts([1])
        >>> runs = [{"image_to_text/rank": np.array([rank])} for rank in (1.0, 1.0, 2.0)]
        >>> pool_runs(runs, truth, ["image_to_text/recall@1"], "a")["image_to_text/recall@1"].round(1)
        array([66.7])
    """
    parts = dict.fromkeys(part for metric in metrics for part in query_parts(metric))
    return {part: np.mean([query_values(run, part, truth, name) for run in runs], axis=0) for part in parts}


def is_of_queries(metric: str, results: Mapping[str, Floats]) -> bool:
    """Whether a metric is a mean (or a sum of means) over queries of these results of `per_query`.

    Example:
        >>> results = {"image_to_text/rank": np.ones(1), "text_to_image/rank": np.ones(1)}
        >>> [is_of_queries(name, results) for name in ("rsum", "text_to_image/recall@5", "median_rank", "tau_b")]
        [True, True, False, False]
    """
    return all(part in results or is_made_of_ranks(part.partition("/")[2]) for part in query_parts(metric))
