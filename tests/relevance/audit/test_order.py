"""Agreement at a gap against a double loop, and the gap that reaches an agreement."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.relevance.audit import OrderAgreement, comparisons, sharing_a_caption

tenths = st.integers(0, 10).map(lambda number: number / 10)
rated = st.lists(st.tuples(tenths, tenths), min_size=2, max_size=14)


def naive(values, ratings, gap, pairs):
    """Share of the pairs that people order which survive the gap, and agreement among them, by the definition."""
    ordered = survived = agreed = 0
    for i, j in pairs:
        if ratings[i] == ratings[j]:
            continue
        ordered += 1
        if abs(values[i] - values[j]) > gap:
            survived += 1
            agreed += (values[i] > values[j]) == (ratings[i] > ratings[j])
    return agreed / survived if survived else np.nan, survived / ordered if ordered else np.nan


def order_of(values, ratings):
    left, right = comparisons([np.arange(len(values))], np.random.default_rng(0))
    return OrderAgreement(values, ratings, left, right)


@given(pairs=rated, gap=st.integers(0, 40).map(lambda number: number / 40))
@settings(max_examples=200, deadline=None)
def test_equals_the_double_loop(pairs, gap):
    values, ratings = np.array(pairs).T
    every = list(itertools.combinations(range(len(values)), 2))
    point = order_of(values, ratings).at(gap)
    np.testing.assert_allclose((point.agreement, point.share), naive(values, ratings, gap, every))


@given(pairs=rated, level=st.sampled_from([0.5, 0.8, 0.9, 1.0]))
@settings(max_examples=200, deadline=None)
def test_the_gap_found_is_the_smallest_that_reaches_the_agreement(pairs, level):
    values, ratings = np.array(pairs).T
    every = list(itertools.combinations(range(len(values)), 2))
    assume(any(ratings[i] != ratings[j] for i, j in every))
    gaps = sorted({0.0, *(abs(values[i] - values[j]) for i, j in every)})
    reached = [gap for gap in gaps if naive(values, ratings, gap, every)[0] >= level - 1e-12]
    found = order_of(values, ratings).reaching(level)
    if found is None:
        assert not reached
    else:
        assert found.gap == reached[0]
        assert found.agreement >= level - 1e-12


def test_worked_by_hand():
    """Six comparisons: differences .1 wrong, .2 right, .3 right, .1 right, .2 right and one that people leave open."""
    values, ratings = np.array([0.1, 0.2, 0.4, 0.5]), np.array([0.3, 0.2, 0.5, 0.5])
    order = order_of(values, ratings)
    assert len(order) == 5
    assert order.at(0.0) == (0.0, 0.8, 1.0)
    assert order.at(0.15) == (0.15, 1.0, 0.8)
    assert order.reaching(0.8).gap == 0.0
    assert order.reaching(0.9).gap == pytest.approx(0.1)
    assert np.isnan(order.at(0.4).agreement)
    assert order.at(0.4).share == 0
    assert [point.gap for point in order.curve(0.1)] == [0.0, 0.1, 0.2, 0.3, 0.4][: len(order.curve(0.1))]


def test_a_gap_that_almost_nothing_survives_is_none():
    """Two hundred comparisons the wrong way, and one far apart the right way: a share of 1 in 201."""
    values = np.array([0.5, 0.6] * 200 + [0.0, 1.0])
    ratings = np.array([0.6, 0.5] * 200 + [0.0, 1.0])
    left = np.arange(0, 402, 2)
    order = OrderAgreement(values, ratings, left, left + 1)
    assert order.at(0.5).agreement == 1
    assert order.reaching(0.9) is None


def test_a_sample_comes_near_the_whole(make_ratings):
    ratings = make_ratings(400)
    values = np.clip(ratings.ratings + np.random.default_rng(1).normal(scale=0.2, size=400), 0, 1)
    whole = order_of(values, ratings.ratings)
    left, right = comparisons([np.arange(400)], np.random.default_rng(2), most=20_000)
    assert len(left) == 20_000
    assert (left != right).all()
    sampled = OrderAgreement(values, ratings.ratings, left, right)
    for gap in (0.0, 0.1, 0.3):
        assert sampled.at(gap).agreement == pytest.approx(whole.at(gap).agreement, abs=0.015)
        assert sampled.at(gap).share == pytest.approx(whole.at(gap).share, abs=0.015)


def test_a_sample_stays_within_its_sets_and_weighs_them_by_their_comparisons():
    sets = [np.array([0, 1, 2, 3]), np.array([10, 11])]
    left, right = comparisons(sets, np.random.default_rng(0), most=6)
    assert len(left) == 6
    assert ((left < 4) == (right < 4)).all()
    left, right = comparisons(sets * 500, np.random.default_rng(0), most=3000)
    assert np.mean(left < 4) == pytest.approx(6 / 7, abs=0.03)
    assert (left != right).all()


@given(ends=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_pairs_that_share_a_caption_are_found(ends):
    first, second = np.array(ends).T
    left, right = comparisons(sharing_a_caption(first, second), np.random.default_rng(0))
    expected = [
        (i, j)
        for caption in range(7)
        for i, j in itertools.combinations(range(len(ends)), 2)
        if caption in ends[i] and caption in ends[j]
    ]
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == sorted(expected)


def test_nothing_to_compare():
    left, right = comparisons([], np.random.default_rng(0))
    order = OrderAgreement(np.array([0.1]), np.array([0.2]), left, right)
    assert len(order) == 0
    assert order.reaching(0.8) is None
    assert order.curve() == []
    assert np.isnan(order.at(0.0).share)
    with pytest.raises(InputError, match="at least 1"):
        comparisons([np.arange(3)], np.random.default_rng(0), most=0)
