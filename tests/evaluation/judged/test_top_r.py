"""R-Precision by masks, against a sort of every query."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.judged.top_r import ROWS, masked_r_precision


def naive(scores, mask, beyond):
    """Sort each query's candidates, positives behind equals, and count among the first R."""
    values = []
    for row, right, more in zip(scores, mask, beyond, strict=True):
        first = sorted(range(row.size), key=lambda column: (-row[column], right[column]))
        wanted = int(right.sum() + more)
        values.append(sum(right[column] for column in first[:wanted]) / wanted if wanted else np.nan)
    return values


@given(st.integers(0, 100_000), st.integers(1, 6), st.integers(1, 12), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=40)
def test_it_is_a_sort_of_every_query(seed, levels, width, dtype):
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, (5, width)).astype(dtype)
    masks = [random.random((5, width)) < share for share in (0.0, 0.3, 0.8, 1.0)]
    beyond = random.integers(0, 2 * width, 5) * (random.random(5) < 0.5)
    found = masked_r_precision(scores, masks, beyond)
    np.testing.assert_array_equal(found, [naive(scores, mask, beyond) for mask in masks])


@pytest.mark.parametrize("queries", [ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 2])
def test_queries_shared_out_to_threads_stay_in_order(queries):
    random = np.random.default_rng(queries)
    scores, mask = random.random((queries, 9)), random.random((queries, 9)) < 0.4
    beyond = random.integers(0, 3, queries)
    np.testing.assert_array_equal(masked_r_precision(scores, [mask], beyond), [naive(scores, mask, beyond)])


def test_ties_count_against_the_model():
    scores = np.array([[0.5, 0.5, 0.5, 0.5, 0.9]])
    mask = np.array([[True, True, True, False, False]])
    assert masked_r_precision(scores, [mask]).tolist() == [[1 / 3]]
    assert masked_r_precision(scores, [mask], 2).tolist() == [[3 / 5]]


def test_a_query_without_a_positive_has_none_and_one_with_all_beyond_has_0():
    mask = np.zeros((2, 3), dtype=bool)
    np.testing.assert_array_equal(masked_r_precision(np.ones((2, 3)), [mask], [0, 2]), [[np.nan, 0]])


def test_one_number_beyond_is_that_of_every_query():
    scores, mask = np.array([[3.0, 2.0, 1.0]] * 2), np.array([[True, False, False], [False, False, True]])
    assert masked_r_precision(scores, [mask], 1).tolist() == [[0.5, 0]]


def test_no_queries_have_no_values():
    without = masked_r_precision(np.zeros((2, 0)), [np.zeros((2, 0), dtype=bool)], [0, 3])
    np.testing.assert_array_equal(without, [[np.nan, 0]])
    assert masked_r_precision(np.zeros((0, 4)), [np.zeros((0, 4), dtype=bool)] * 3).shape == (3, 0)


def test_the_scores_stay_as_they_are():
    scores = np.array([[0.1, 0.9, 0.5]])
    masked_r_precision(scores, [np.array([[True, False, True]])])
    assert scores.tolist() == [[0.1, 0.9, 0.5]]
