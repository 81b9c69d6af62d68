"""Metrics as means of single queries' values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth
from bcls.evaluation.query_metrics import query_parts, query_values
from bcls.evaluation.recall import recall_at

TRUTH = RetrievalTruth.from_counts([2, 1, 0])
RANKS = np.array([1.0, 4.0, np.nan])
RESULTS = {"image_to_text/rank": RANKS, "text_to_image/rank": np.array([3.0, 1.5, 10.0])}


@pytest.mark.parametrize("metric", ["image_to_text/recall@1", "text_to_image/ndcg@10", "text_to_image/mrr"])
def test_a_metric_of_one_direction_is_its_own_only_part(metric):
    assert query_parts(metric) == [metric]


@pytest.mark.parametrize("name", ["mrr", "recall@7", "tau_b"])
def test_a_metric_without_a_direction_has_a_part_in_both(name):
    assert query_parts(name) == [f"image_to_text/{name}", f"text_to_image/{name}"]


def test_rsum_has_three_recalls_in_both_directions():
    sides = ("image_to_text", "text_to_image")
    assert sorted(query_parts("rsum")) == sorted(f"{side}/recall@{cutoff}" for side in sides for cutoff in (1, 5, 10))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("image_to_text/recall@1", [100, 0, np.nan]),
        ("image_to_text/recall@4", [100, 100, np.nan]),
        ("image_to_text/mrr", [1, 0.25, np.nan]),
        ("image_to_text/mean_rank", [1, 4, np.nan]),
        ("image_to_text/rank", [1, 4, np.nan]),
        ("text_to_image/recall@1", [0, 0, 0]),
        ("text_to_image/recall@3", [100, 100, 0]),
        ("text_to_image/mrr", [1 / 3, 1 / 1.5, 0.1]),
    ],
)
def test_values_made_of_ranks(part, expected):
    np.testing.assert_allclose(query_values(RESULTS, part, TRUTH, "a"), expected, rtol=1e-15)


def test_a_value_that_is_there_is_taken_rather_than_made_of_the_rank():
    given_values = {**RESULTS, "image_to_text/recall@1": np.array([7.0, 8.0, 9.0])}
    assert query_values(given_values, "image_to_text/recall@1", TRUTH, "a").tolist() == [7, 8, 9]


def test_the_ranks_stay_as_they_are():
    query_values(RESULTS, "image_to_text/mrr", TRUTH, "a")
    np.testing.assert_array_equal(RANKS, [1, 4, np.nan])


def test_values_of_any_type_become_double():
    found = query_values({"image_to_text/rank": [1, 2, 3]}, "image_to_text/mean_rank", TRUTH, "a")
    assert found.dtype == np.float64
    assert found.tolist() == [1, 2, 3]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 30))
@settings(deadline=None, max_examples=40)
def test_the_mean_of_a_recalls_values_is_the_recall(ranks, cutoff):
    truth = RetrievalTruth.from_counts([1] * len(ranks))
    values = query_values({"text_to_image/rank": np.array(ranks)}, f"text_to_image/recall@{cutoff}", truth, "a")
    assert values.mean() == pytest.approx(recall_at(ranks, cutoff))


@pytest.mark.parametrize(
    "part",
    [
        "image_to_text/median_rank",
        "image_to_text/recall@",
        "image_to_text/recall@-1",
        "image_to_text/recall@1.5",
        "image_to_text/recall@x",
        "sideways/recall@1",
        "rsum",
        "image_to_text/recall@0",
        "",
    ],
)
def test_what_no_query_has_is_refused_and_what_there_is_is_listed(part):
    listed = "image_to_text/rank, text_to_image/rank"
    with pytest.raises(InputError, match=f"^run a: '{part}' is no metric of single queries; there are: {listed}$"):
        query_values(RESULTS, part, TRUTH, "run a")


@pytest.mark.parametrize(
    ("part", "shape", "rows"),
    [("image_to_text/mrr", (4,), 3), ("text_to_image/rank", (2,), 3), ("image_to_text/rank", (3, 1), 3)],
)
def test_results_of_another_size_than_the_truth_are_refused(part, shape, rows):
    key = f"{part.partition('/')[0]}/rank"
    message = rf"^b: {key} has shape {np.ones(shape).shape}, but the truth has {rows} rows$"
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        query_values({key: np.ones(shape)}, part, TRUTH, "b")


def test_each_direction_has_the_rows_of_its_own_side():
    truth = RetrievalTruth.from_counts([3, 1])
    results = {"image_to_text/rank": np.ones(2), "text_to_image/rank": np.ones(4)}
    assert query_values(results, "image_to_text/rank", truth, "a").size == 2
    assert query_values(results, "text_to_image/rank", truth, "a").size == 4
    with pytest.raises(InputError, match="but the truth has 4 rows"):
        query_values({"text_to_image/rank": np.ones(2)}, "text_to_image/rank", truth, "a")
