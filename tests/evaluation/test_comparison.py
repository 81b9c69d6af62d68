"""Differences of two runs, against a loop, known cases and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, compare, evaluate_similarity, per_query_similarity

SETTINGS = {"samples": 400, "seed": 3}


@pytest.fixture(scope="module")
def judged():
    """Two runs on ragged images (one without caption, one caption without image), and their truth."""
    random = np.random.default_rng(0)
    truth = RetrievalTruth(np.array([0, 0, 0, 1, 2, 2, 4, 5, 5, 6, -1]), 7)
    relevance = random.random((7, 11))
    own = truth.caption_image == np.arange(7)[:, None]
    runs = {name: random.random((7, 11)) + shift * own for name, shift in (("a", 0.3), ("b", 0.6))}
    results = {
        name: per_query_similarity(scores, truth, relevance=relevance, tau_at=5) for name, scores in runs.items()
    }
    metrics = {name: evaluate_similarity(scores, truth, relevance=relevance, tau_at=5) for name, scores in runs.items()}
    return truth, results, metrics


def naive(results, truth, value_of, samples, seed):
    """Draw images, collect their queries, take the means: one draw after the other."""
    random = np.random.default_rng(seed)
    pool = [row for row in range(truth.images) if (truth.caption_image == row).any()]
    draws = random.integers(len(pool), size=(samples, len(pool)))
    differences = []
    for draw in draws:
        rows = {"image_to_text": [], "text_to_image": []}
        for place in draw:
            rows["image_to_text"].append(pool[place])
            rows["text_to_image"] += np.flatnonzero(truth.caption_image == pool[place]).tolist()
        differences.append(value_of(results["b"], rows) - value_of(results["a"], rows))
    return np.array(differences)


def _recall(run, rows, direction, cutoff):
    return 100 * np.mean([run[f"{direction}/rank"][row] <= cutoff for row in rows[direction]])


OF = {
    "rsum": lambda run, rows: sum(_recall(run, rows, d, k) for d in rows for k in (1, 5, 10)),
    "text_to_image/recall@5": lambda run, rows: _recall(run, rows, "text_to_image", 5),
    "text_to_image/mrr": lambda run, rows: np.mean(1 / run["text_to_image/rank"][rows["text_to_image"]]),
    "ndcg@10": lambda run, rows: np.mean([run[f"{d}/ndcg@10"][rows[d]].mean() for d in rows]),
    "image_to_text/tau_b": lambda run, rows: run["image_to_text/tau_b"][rows["image_to_text"]].mean(),
}


@pytest.mark.parametrize("metric", OF)
def test_it_is_the_loop(judged, metric):
    truth, results, _ = judged
    found = compare(results, truth, metrics=[metric], **SETTINGS)[0]
    drawn = naive(results, truth, OF[metric], **SETTINGS)
    np.testing.assert_allclose([found.low, found.high], np.quantile(drawn, [0.025, 0.975]), atol=1e-9)
    tail = min((drawn < 1e-9).sum(), (drawn > -1e-9).sum())
    assert found.p_value == pytest.approx(min(1, 2 * (1 + tail) / 401))


def test_its_values_are_those_of_evaluate(judged):
    truth, results, metrics = judged
    names = [*OF, "map@r", "image_to_text/mean_rank", "image_to_text/recall@1", "tau_b@5"]
    for found in compare(results, truth, metrics=names, **SETTINGS):
        assert found.baseline == pytest.approx(metrics["a"][found.metric])
        assert found.value == pytest.approx(metrics["b"][found.metric])
        assert found.difference == found.value - found.baseline


def test_a_run_does_not_differ_from_itself(judged):
    truth, results, _ = judged
    for found in compare({"a": results["a"], "again": results["a"]}, truth, **SETTINGS):
        assert (found.low, found.high, found.p_value, found.adjusted) == (0, 0, 1, 1)


def test_runs_are_compared_with_the_first_and_corrected_together(judged):
    truth, results, _ = judged
    found = compare(results | {"c": results["a"]}, truth, **SETTINGS)
    alone = compare(results, truth, **SETTINGS)
    assert [one.run for one in found] == ["b"] * 9 + ["c"] * 9
    assert [one.p_value for one in found[:9]] == [one.p_value for one in alone]
    assert all(one.adjusted >= other.adjusted >= other.p_value for one, other in zip(found[:9], alone, strict=True))


def test_swapped_runs_give_the_mirror_image(judged):
    truth, results, _ = judged
    there = compare(results, truth, **SETTINGS)
    back = compare(dict(reversed(results.items())), truth, **SETTINGS)
    for one, other in zip(there, back, strict=True):
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.p_value == other.p_value


def test_the_size_of_a_block_changes_nothing(judged, monkeypatch):
    truth, results, _ = judged
    whole = compare(results, truth, **SETTINGS)
    monkeypatch.setattr("bcls.evaluation.comparison.BLOCK_DRAWS", 50)
    assert compare(results, truth, **SETTINGS) == whole


def test_without_graded_metrics_there_are_only_the_others():
    truth = RetrievalTruth.from_counts([1] * 5)
    results = {name: per_query_similarity(np.eye(5), truth) for name in "ab"}
    assert [found.metric.rpartition("/")[2] for found in compare(results, truth, samples=9)][-1] == "rsum"


def test_an_undefined_metric_is_nan_and_harms_no_other(judged):
    truth, results, _ = judged
    key = "image_to_text/tau_b"
    broken = {name: values | {key: np.full(7, np.nan)} for name, values in results.items()}
    undefined, fine = compare(broken, truth, metrics=[key, "rsum"], **SETTINGS)
    assert np.isnan([undefined.value, undefined.low, undefined.p_value, undefined.adjusted]).all()
    assert fine == compare(results, truth, metrics=["rsum"], **SETTINGS)[0]


def test_intervals_cover_the_truth_and_captions_of_an_image_stay_together():
    """Captions of one image share their fate; intervals that took them for independent would miss far too often."""
    random = np.random.default_rng(4)
    truth = RetrievalTruth.from_counts([5] * 50)
    metric, trials, hits = "text_to_image/score", 200, 0
    for _ in range(trials):
        shared = np.repeat(random.normal(0.2, 1.0, size=50), 5)
        runs = {"a": {metric: np.zeros(250)}, "b": {metric: shared + random.normal(0, 0.3, size=250)}}
        found = compare(runs, truth, metrics=[metric], samples=300, seed=int(random.integers(1 << 30)))[0]
        hits += found.low <= 0.2 <= found.high
    assert 0.89 <= hits / trials <= 0.985


def test_false_alarms_come_as_often_as_p_says():
    random = np.random.default_rng(5)
    truth = RetrievalTruth.from_counts([1] * 60)
    metric = "image_to_text/score"
    p_values = []
    for _ in range(200):
        runs = {name: {metric: random.normal(size=60)} for name in "ab"}
        p_values.append(compare(runs, truth, metrics=[metric], samples=199)[0].p_value)
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "samples=0"),
        ({"confidence": 95}, "confidence=95"),
        ({"metrics": ["bleu"]}, "b?a: 'image_to_text/bleu' is no metric of single queries"),
        ({"metrics": ["median_rank"]}, "'image_to_text/median_rank' is no metric of single queries"),
        ({"metrics": ["recall@x"]}, "is no metric"),
    ],
)
def test_a_wrong_setting_is_refused(judged, settings, message):
    truth, results, _ = judged
    with pytest.raises(InputError, match=message):
        compare(results, truth, **settings)


def test_misfits_are_refused(judged):
    truth, results, _ = judged
    with pytest.raises(InputError, match="needs two runs or more, got 1"):
        compare({"a": results["a"]}, truth)
    with pytest.raises(InputError, match=r"a: image_to_text/rank has shape \(7,\), but the truth has 3 rows"):
        compare(results, RetrievalTruth.from_counts([1] * 3))
