"""Spearman's correlation of scores with ratings, by resampling queries: the correlation that CxC is reported with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bcls.errors import InputError
from bcls.evaluation.ranks import Floats

SAMPLES = 1000


class SampledCorrelation(NamedTuple):
    """Mean and spread of a correlation over the samples, and the number of queries and rated pairs."""

    mean: float
    deviation: float
    queries: int
    pairs: int


def sampled_spearman(
    scores: ArrayLike, ratings: ArrayLike, query: ArrayLike, *, samples: int = SAMPLES, seed: int = 0
) -> SampledCorrelation:
    """Draw half of the queries, one rated pair of each, correlate; again and again.

    Pairs of one query are alike, so that 44,000 rated pairs are not 44,000 independent ones; a sample holds a query
    once. A half is rounded down. The correlation of a sample is Pearson's of its ranks, ties given their mean rank; a
    sample in which all scores or all ratings are alike has none and is left out of the mean.

    Args:
        scores: the model's score of each rated pair, shape (P,), finite.
        ratings: people's, shape (P,), finite.
        query: which query each pair belongs to, shape (P,), any whole numbers.
        samples: how many to draw.
        seed: of the drawing; it is the same for every model, so that models are compared on the same samples.

    Returns:
        The mean, the standard deviation (of the samples, not of the mean), -1..1; NaN where no sample has a
        correlation.

    Raises:
        InputError: shapes that differ, fewer than four queries, or a number that is not finite.

    Cost: O(Q log Q) for each sample of Q queries.

    Source: Parekh et al., "Crisscrossed Captions" (EACL 2021).

    Example:
        >>> found = sampled_spearman([1.0, 2.0, 3.0, 4.0, 5.0], [0, 1, 2, 3, 4], [7, 7, 8, 9, 10], samples=50)
        >>> found.mean, found.deviation, found.queries
        (1.0, 0.0, 4)
    """
    values, given, asked = np.asarray(scores, np.float64), np.asarray(ratings, np.float64), np.asarray(query)
    if not values.ndim == given.ndim == asked.ndim == 1 or not values.size == given.size == asked.size:
        raise InputError("scores, ratings and query must be three lists of one length")
    for name, numbers in (("score", values), ("rating", given)):
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise InputError(f"the {name} of pair {bad[0]} is {numbers[bad[0]]}, not a finite number")
    counts = np.unique(asked, return_counts=True)[1]
    if counts.size < 4:
        raise InputError(f"{counts.size} queries are rated; half of them must be at least 2")
    by_query = np.argsort(asked, kind="stable")
    starts = np.cumsum(counts) - counts
    random = np.random.default_rng(seed)
    found = np.full(samples, np.nan)
    for sample in range(samples):
        drawn = random.choice(counts.size, counts.size // 2, replace=False)
        pairs = by_query[starts[drawn] + (random.random(drawn.size) * counts[drawn]).astype(np.int64)]
        found[sample] = _spearman(values[pairs], given[pairs])
    known = found[~np.isnan(found)]
    if not known.size:
        return SampledCorrelation(float("nan"), float("nan"), counts.size, values.size)
    return SampledCorrelation(float(known.mean()), float(known.std()), counts.size, values.size)


def _spearman(scores: Floats, ratings: Floats) -> float:
    from scipy.stats import rankdata  # noqa: PLC0415 - a third of a second that only this needs

    first, second = (rankdata(numbers) - (numbers.size + 1) / 2 for numbers in (scores, ratings))
    scale = np.sqrt(np.sum(first * first) * np.sum(second * second))
    return float(np.sum(first * second) / scale) if scale > 0 else float("nan")
