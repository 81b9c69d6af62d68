"""Is one model better than another, or is it luck? Paired differences with intervals and p-values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.holm import holm
from bcls.evaluation.query_metrics import query_parts, query_values
from bcls.evaluation.ranks import Floats
from bcls.evaluation.table import MAIN_METRICS
from bcls.evaluation.truth import RetrievalTruth

SAMPLES = 10_000
BLOCK_DRAWS = 2_000_000
ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """How much one run differs from the baseline in one metric.

    Attributes:
        run: the run that is compared with the baseline.
        metric: as `evaluate` names it.
        baseline: the baseline's value, over the queries for which both runs have one.
        value: the run's, over the same queries.
        low: lower end of the interval of `value - baseline`.
        high: upper end.
        p_value: two-sided, of no difference, 0..1.
        adjusted: the p-value after Holm's correction over everything that was compared at once.
        confidence: of the interval, between 0 and 1.
    """

    run: str
    metric: str
    baseline: float
    value: float
    low: float
    high: float
    p_value: float
    adjusted: float
    confidence: float = 0.95

    @property
    def difference(self) -> float:
        """The run's value less the baseline's."""
        return self.value - self.baseline


def compare(
    results: Mapping[str, Mapping[str, Floats]],
    truth: RetrievalTruth,
    *,
    metrics: Sequence[str] | None = None,
    samples: int = SAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Difference]:
    """Compare runs with the first of them, query by query.

    Paired bootstrap: images are drawn with replacement, each with its captions, for the captions of one image are not
    independent; every draw is the same for both runs. The interval goes from quantile to quantile of the differences
    of the means (Efron 1979). The p-value is the one that belongs to it: twice the share of draws in which the
    difference vanishes or turns round, so that an interval at 95 % leaves out 0 where p is below 0.05. It tells the
    luck of the test queries alone, not of training: two seeds of one recipe may differ as surely.

    Args:
        results: what `per_query` returned for each run, by name; the first is the baseline.
        truth: the truth that they were judged by.
        metrics: names such as `text_to_image/recall@5`, `image_to_text/mrr`, `rsum`, or without a direction for the
            mean of both (`ndcg@10`); None for those of `MAIN_METRICS` that all runs have. `median_rank` is no mean of
            queries and cannot be compared so.
        samples: number of draws; the least p-value is 2 / (samples + 1).
        confidence: of the interval, between 0 and 1.
        seed: of the draws.

    Returns:
        One difference a run and metric, run by run. Values are means over all queries; where every fold of a protocol
        has as many queries, that is the mean over folds too. A metric that no query has is NaN throughout.

    Raises:
        InputError: fewer than two runs, results of another size than the truth, an unknown metric, or a setting out
            of range.

    Cost: 10,000 draws of 1,000 images with nine metrics take some 0.5 s; the memory is about 50 MB.

    Example:
        >>> from bcls.evaluation import per_query_similarity
        >>> truth = RetrievalTruth.from_counts([1] * 40)
        >>> good, bad = np.eye(40), np.zeros((40, 40))
        >>> runs = {name: per_query_similarity(matrix, truth) for name, matrix in {"bad": bad, "good": good}.items()}
        >>> found = compare(runs, truth, metrics=["text_to_image/recall@1"], samples=999)[0]
        >>> found.difference, found.low, found.high, found.p_value
        (100.0, 100.0, 100.0, 0.002)
    """
    _check(results, samples, confidence)
    baseline, *others = results
    wanted = _default_metrics(results) if metrics is None else list(metrics)
    found = [
        difference
        for run in others
        for difference in _compare_pair(
            {name: results[name] for name in (baseline, run)}, truth, wanted, _draws(truth, samples, seed), confidence
        )
    ]
    adjusted = holm([difference.p_value for difference in found])
    return [replace(one, adjusted=float(value)) for one, value in zip(found, adjusted, strict=True)]


def _check(results: Mapping[str, Mapping[str, Floats]], samples: int, confidence: float) -> None:
    if len(results) < 2:
        raise InputError(f"a comparison needs two runs or more, got {len(results)}")
    if samples < 1:
        raise InputError(f"samples={samples}: it must be at least 1")
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence}: it must lie between 0 and 1")


def _default_metrics(results: Mapping[str, Mapping[str, Floats]]) -> list[str]:
    def known(metric: str) -> bool:
        name = metric.rpartition("/")[2]
        derived = name == "rsum" or name.startswith("recall@")
        return derived or all(f"image_to_text/{name}" in values for values in results.values())

    return [metric for metric in MAIN_METRICS if known(metric)]


def _compare_pair(
    pair: Mapping[str, Mapping[str, Floats]],
    truth: RetrievalTruth,
    metrics: list[str],
    draws: Iterator[Floats],
    confidence: float,
) -> list[Difference]:
    parts = list(dict.fromkeys(part for metric in metrics for part in query_parts(metric)))
    before, after, counts = (np.empty((truth.images, len(parts))) for _ in range(3))
    for column, part in enumerate(parts):
        one, other = (query_values(results, part, truth, name) for name, results in pair.items())
        image, known = _image_of(part, truth), ~np.isnan(one) & ~np.isnan(other)
        for sums, values in ((before, one), (after, other), (counts, np.ones(one.size))):
            sums[:, column] = np.bincount(image[known], values[known], minlength=truth.images)
    means = [_means(sums.sum(axis=0), counts.sum(axis=0)) for sums in (before, after)]
    drawn = np.concatenate([_means(weights @ (after - before), weights @ counts) for weights in draws])
    found = []
    for metric in metrics:
        columns = [parts.index(part) for part in query_parts(metric)]
        total = np.sum if metric == "rsum" else np.mean
        low, high, p_value = _summary(total(drawn[:, columns], axis=1), confidence)
        baseline, value = (float(total(values[columns])) for values in means)
        found.append(Difference([*pair][1], metric, baseline, value, low, high, p_value, float("nan"), confidence))
    return found


def _image_of(part: str, truth: RetrievalTruth) -> NDArray[np.int64]:
    """The image that each query of a part is drawn with; a caption without image is no query, so that any will do."""
    return np.arange(truth.images) if part.startswith("image_to_text/") else np.maximum(truth.caption_image, 0)


def _draws(truth: RetrievalTruth, samples: int, seed: int) -> Iterator[Floats]:
    """How often each image is drawn, in blocks of shape (draws, images)."""
    random = np.random.default_rng(seed)
    pool = truth.queries("image_to_text")
    step = max(1, BLOCK_DRAWS // truth.images)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        drawn = pool[random.integers(pool.size, size=(size, pool.size))] + truth.images * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * truth.images)
        yield counts.reshape(size, truth.images).astype(np.float64)


def _means(sums: Floats, counts: Floats) -> Floats:
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _summary(drawn: Floats, confidence: float) -> tuple[float, float, float]:
    """Both ends of the interval, and the p-value."""
    drawn = drawn[~np.isnan(drawn)]
    drawn = np.where(np.abs(drawn) < ROUNDING, 0.0, drawn)
    if not drawn.size:
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    tail = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return float(low), float(high), float(min(1.0, 2 * (1 + tail) / (1 + drawn.size)))
