"""Several runs as one: every query's mean."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, compare, per_query_similarity
from bcls.evaluation.pooling import is_of_queries, pool_runs
from bcls.evaluation.query_metrics import query_parts

TRUTH = RetrievalTruth.from_counts([1, 2])


def run(seed):
    random = np.random.default_rng(seed)
    return per_query_similarity(random.random((2, 3)), TRUTH, relevance=random.random((2, 3)))


def test_a_mean_is_taken_of_values_not_of_ranks():
    runs = [{"image_to_text/rank": np.array(ranks)} for ranks in ([1.0, 2.0], [1.0, 1.0], [4.0, 2.0], [2.0, 4.0])]
    pooled = pool_runs(runs, TRUTH, ["image_to_text/recall@1", "image_to_text/mrr"], "a")
    assert pooled["image_to_text/recall@1"].tolist() == [50, 25]
    assert pooled["image_to_text/mrr"].tolist() == [(1 + 1 + 0.25 + 0.5) / 4, (0.5 + 1 + 0.5 + 0.25) / 4]


def test_there_is_one_array_for_each_part_that_was_asked_for():
    pooled = pool_runs([run(0), run(1)], TRUTH, ["rsum", "image_to_text/recall@5", "ndcg@10"], "a")
    assert list(pooled) == [*query_parts("rsum"), *query_parts("ndcg@10")]
    assert {key: values.shape for key, values in pooled.items()} == {
        key: (2,) if key.startswith("image") else (3,) for key in pooled
    }


def test_one_run_is_itself():
    one = run(2)
    pooled = pool_runs([one], TRUTH, ["tau_b", "mean_rank"], "a")
    np.testing.assert_array_equal(pooled["text_to_image/tau_b"], one["text_to_image/tau_b"])
    np.testing.assert_array_equal(pooled["image_to_text/mean_rank"], one["image_to_text/rank"])


def test_what_any_run_lacks_is_unknown():
    runs = [{"image_to_text/rank": np.array([np.nan, 2.0])}, {"image_to_text/rank": np.array([1.0, 4.0])}]
    pooled = pool_runs(runs, TRUTH, ["image_to_text/mean_rank", "image_to_text/recall@1"], "a")
    np.testing.assert_array_equal(pooled["image_to_text/mean_rank"], [np.nan, 3])
    np.testing.assert_array_equal(pooled["image_to_text/recall@1"], [np.nan, 0])


def test_pooled_runs_compare_as_the_mean_of_their_metric():
    runs = {name: [run(seed) for seed in seeds] for name, seeds in (("a", (3, 4)), ("b", (5, 6, 7)))}
    pooled = {name: pool_runs(few, TRUTH, ["rsum"], name) for name, few in runs.items()}
    found = compare(pooled, TRUTH, metrics=["rsum"], samples=9)[0]
    means = {
        name: np.mean(
            [sum(100 * np.mean(one[f"{side}/rank"] <= k) for side in SIDES for k in (1, 5, 10)) for one in few]
        )
        for name, few in runs.items()
    }
    assert (found.baseline, found.value) == (pytest.approx(means["a"]), pytest.approx(means["b"]))


SIDES = ("image_to_text", "text_to_image")


def test_a_metric_that_one_of_the_runs_has_not_is_refused_by_the_recipes_name():
    with pytest.raises(InputError, match=r"^my recipe: 'image_to_text/tau_b' is no metric of single queries"):
        pool_runs([run(0), {"image_to_text/rank": np.ones(2)}], TRUTH, ["image_to_text/tau_b"], "my recipe")


def test_a_run_of_another_size_is_refused():
    runs = [{"image_to_text/rank": np.ones(2)}, {"image_to_text/rank": np.ones(5)}]
    with pytest.raises(InputError, match=r"a: image_to_text/rank has shape \(5,\), but the truth has 2 rows"):
        pool_runs(runs, TRUTH, ["image_to_text/mrr"], "a")


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mrr", True),
        ("image_to_text/mean_rank", True),
        ("text_to_image/recall@3", True),
        ("rsum", True),
        ("ndcg@10", True),
        ("image_to_text/ndcg@10", True),
        ("tau_b", False),
        ("image_to_text/tau_b", True),
        ("text_to_image/tau_b", False),
        ("median_rank", False),
        ("recall@x", False),
        ("image_to_text/recall@0", False),
        ("recall@7", True),
        ("text_to_image/median_rank", False),
        ("coco_1k_rsum", False),
    ],
)
def test_a_metric_is_of_queries_where_all_its_parts_are(metric, expected):
    keys = ("image_to_text/ndcg@10", "text_to_image/ndcg@10", "image_to_text/tau_b")
    results = {key: np.ones(2) for key in ("image_to_text/rank", "text_to_image/rank", *keys)}
    assert is_of_queries(metric, results) is expected


def test_what_is_of_queries_can_be_pooled():
    one = run(8)
    names = [name for name in ("rsum", "mrr", "recall@2", "ndcg", "tau_b", "map@r") if is_of_queries(name, one)]
    assert names == ["rsum", "mrr", "recall@2", "ndcg", "tau_b", "map@r"]
    assert set(pool_runs([one], TRUTH, names, "a")) == {part for name in names for part in query_parts(name)}
