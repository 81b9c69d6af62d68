"""Kendall's tau-b, against SciPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from bcls.evaluation import kendall_tau_b
from bcls.evaluation.kendall import count_inversions


def scipy_tau(scores, relevance):
    values = []
    for row, labels in zip(scores, relevance, strict=True):
        known = ~np.isnan(labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values.append(
                kendalltau(row[known], labels[known].astype(np.float32)).statistic if known.sum() > 1 else np.nan
            )
    return values


@pytest.mark.parametrize("width", [2, 3, 16, 17, 100, 257])
@pytest.mark.parametrize("levels", [2, 10, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_that_of_scipy(width, levels, dtype):
    random = np.random.default_rng(width)
    scores = random.integers(0, levels, (15, width)).astype(dtype) - levels // 2
    relevance = random.integers(0, levels, (15, width)) / levels
    np.testing.assert_allclose(kendall_tau_b(scores, relevance), scipy_tau(scores, relevance), atol=1e-10)


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from([np.nan, 0.0, 0.1, 0.5, 1.0])), min_size=1, max_size=12))
@settings(deadline=None, max_examples=120)
def test_unknown_tied_and_constant_lists_are_those_of_scipy(row):
    scores, relevance = (np.array([column], dtype=float) for column in zip(*row, strict=True))
    np.testing.assert_allclose(kendall_tau_b(scores, relevance), scipy_tau(scores, relevance), atol=1e-10)


def test_perfect_reversed_and_undefined():
    scores = np.array([[1.0, 2.0, 3.0]] * 5)
    relevance = [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.2, 0.2], [np.nan, 0.3, np.nan], [np.nan] * 3]
    np.testing.assert_allclose(kendall_tau_b(scores, relevance), [1, -1, np.nan, np.nan, np.nan], atol=1e-15)
    np.testing.assert_array_equal(kendall_tau_b(np.zeros((1, 3)), [[0.1, 0.2, 0.3]]), [np.nan])


def test_the_top_is_the_best_scored():
    random = np.random.default_rng(6)
    scores, relevance = random.standard_normal((8, 60)), random.random((8, 60))
    best = np.argsort(-scores, axis=1)[:, :20]
    expected = scipy_tau(np.take_along_axis(scores, best, 1), np.take_along_axis(relevance, best, 1))
    np.testing.assert_allclose(kendall_tau_b(scores, relevance, length=20), expected, atol=1e-10)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 31, 33])
def test_inversions_are_counted(width):
    random = np.random.default_rng(7)
    rows = np.argsort(random.random((9, width)), axis=1).astype(np.int32)
    naive = [sum(int(a > b) for place, a in enumerate(row) for b in row[place:]) for row in rows.tolist()]
    assert count_inversions(rows).tolist() == naive


@pytest.mark.parametrize("length", [7, 113, 400])
def test_a_perfect_order_is_never_above_one(length):
    rng = np.random.default_rng(length)
    for _ in range(50):
        values = np.sort(rng.random(length)).round(2)
        assert abs(kendall_tau_b([values, values], [values, values[::-1]])).max() <= 1
