"""NDCG, against scikit-learn, all orders of equals, and by hand."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import ndcg


@pytest.mark.parametrize("length", [1, 3, 10, None])
@pytest.mark.parametrize(("levels", "ties"), [(None, "worst"), (None, "expected"), (6, "expected")])
def test_it_is_that_of_scikit_learn(length, levels, ties):
    from sklearn.metrics import ndcg_score

    random = np.random.default_rng(4)
    scores = random.standard_normal((25, 30)) if levels is None else random.integers(0, levels, (25, 30)) / 4
    relevance = random.integers(0, 9, (25, 30)) / 8
    gains = 2**relevance - 1  # its gains are linear
    expected = [ndcg_score([gain], [row], k=length) for gain, row in zip(gains, scores, strict=True)]
    np.testing.assert_allclose(ndcg(scores, relevance, length, ties), expected, rtol=1e-10)


tied_row = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.25, 1.0])), min_size=2, max_size=5)


@given(tied_row, st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_ties_are_the_worst_or_the_mean_of_all_orders(row, length):
    scores, relevance = (np.array(column, dtype=float) for column in zip(*row, strict=True))
    orders = [list(o) for o in permutations(range(len(row))) if (np.diff(scores[list(o)]) <= 0).all()]
    discounts = (1 / np.log2(np.arange(2, len(row) + 2))) * (np.arange(len(row)) < length)
    ideal = np.sort(2**relevance - 1)[::-1] @ discounts
    if ideal == 0:
        assert np.isnan(ndcg([scores], [relevance], length))
        return
    values = [(2 ** relevance[order] - 1) @ discounts / ideal for order in orders]
    assert ndcg([scores], [relevance], length)[0] == pytest.approx(min(values), abs=1e-12)
    assert ndcg([scores], [relevance], length, "expected")[0] == pytest.approx(np.mean(values), abs=1e-12)


def test_by_hand():
    value = ndcg([[3.0, 2.0, 1.0]], [[0.5, np.nan, 1.0]])[0]
    half = 2**0.5 - 1
    assert value == pytest.approx((half + 1 / np.log2(3)) / (1 + half / np.log2(3)))


@pytest.mark.parametrize("ties", ["worst", "expected"])
def test_unknown_candidates_are_left_out(ties):
    random = np.random.default_rng(5)
    scores, relevance = random.integers(0, 5, (1, 20)) * 1.0, random.integers(0, 4, (1, 20)) / 4
    unknown = random.random((1, 20)) < 0.4
    with_gaps = np.where(unknown, np.nan, relevance)
    expected = ndcg(scores[~unknown][None], relevance[~unknown][None], 7, ties)
    np.testing.assert_array_equal(ndcg(scores, with_gaps, 7, ties), expected)


def test_nothing_to_gain_has_no_value():
    values = ndcg(np.zeros((3, 2)), [[0.0, 0.0], [np.nan, np.nan], [np.nan, 1.0]])
    np.testing.assert_array_equal(values, [np.nan, np.nan, 1.0])


def test_an_unknown_rule_is_refused():
    with pytest.raises(InputError, match="ties='random'"):
        ndcg([[1.0]], [[1.0]], ties="random")


@pytest.mark.parametrize("length", [0, -1])
def test_a_length_below_one_is_refused(length):
    with pytest.raises(InputError, match="at least 1"):
        ndcg([[0.9, 0.5]], [[0.0, 1.0]], length=length)
