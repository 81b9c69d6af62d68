"""Ranks of positives, against sorting and against random tie breaking."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import PositiveRanks, positive_ranks


def ranks_by_sorting(scores, positives):
    """The field's way: sort each query's candidates, look where its positives are."""
    ranks = []
    for row, own in zip(scores, positives, strict=True):
        order = np.argsort(-row)
        ranks += sorted(1 + int(np.flatnonzero(order == column)[0]) for column in np.flatnonzero(own))
    return ranks


def worst_ranks(scores, positives):
    """Sort with the positives last among equals."""
    ranks = []
    for row, own in zip(scores, positives, strict=True):
        order = sorted(range(len(row)), key=lambda column, row=row, own=own: (-row[column], own[column]))
        ranks += [place for place, column in enumerate(order, start=1) if own[column]]
    return ranks


@pytest.mark.parametrize("ties", ["worst", "expected"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_without_ties_it_is_the_place_in_the_sorted_list(ties, dtype):
    random = np.random.default_rng(0)
    scores = np.argsort(random.random((20, 30)), axis=1).astype(dtype)
    positives = random.random((20, 30)) < 0.15
    positives[3] = False
    ranks = positive_ranks(scores, *np.nonzero(positives), ties)
    assert ranks.rank.tolist() == ranks_by_sorting(scores, positives)
    assert ranks.query.tolist() == np.nonzero(positives)[0].tolist()
    assert ranks.counts.tolist() == positives.sum(axis=1).tolist()
    assert np.isnan(ranks.best()[3])
    assert ranks.best()[positives.any(axis=1)].min() >= 1


rows_with_ties = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


@given(st.lists(rows_with_ties, min_size=1, max_size=4))
@settings(deadline=None, max_examples=80)
def test_a_tied_stranger_comes_before_a_positive(rows):
    width = max(map(len, rows))
    rows = [row + [(-1, False)] * (width - len(row)) for row in rows]
    scores = np.array([[float(score) for score, _ in row] for row in rows])
    positives = np.array([[own for _, own in row] for row in rows])
    assert positive_ranks(scores, *np.nonzero(positives)).rank.tolist() == worst_ranks(scores, positives)


@given(rows_with_ties)
@settings(deadline=None, max_examples=40)
def test_the_expected_rank_is_the_mean_over_all_orders_of_equals(row):
    scores = np.array([float(score) for score, _ in row])
    positives = np.array([own for _, own in row])
    every_order = [
        [place for place, column in enumerate(order, start=1) if positives[column]]
        for order in permutations(range(len(row)))
        if (np.diff(scores[list(order)]) <= 0).all()
    ]
    ranks = positive_ranks(scores[None], *np.nonzero(positives[None]), "expected").rank
    np.testing.assert_allclose(ranks, np.mean(every_order, axis=0) if positives.any() else [], rtol=1e-12)


def test_a_constant_scorer_gets_no_credit():
    ranks = positive_ranks(np.zeros((1, 10)), np.array([0, 0]), np.array([0, 5]))
    assert ranks.rank.tolist() == [9, 10]
    assert ranks.order.tolist() == [1, 2]


def test_the_order_in_which_positives_are_given_does_not_matter():
    scores = np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]])
    given_mixed = positive_ranks(scores, np.array([1, 0, 0]), np.array([2, 0, 1]))
    assert given_mixed.query.tolist() == [0, 0, 1]
    assert given_mixed.rank.tolist() == [1, 3, 3]


def test_no_positive_at_all():
    nothing = np.zeros(0, dtype=np.int64)
    for ties in ("worst", "expected"):
        ranks = positive_ranks(np.zeros((2, 3)), nothing, nothing, ties)
        assert ranks.rank.size == 0
        assert np.isnan(ranks.best()).all()


@pytest.mark.parametrize(
    ("scores", "ties", "message"),
    [
        ([[0.0, np.nan]], "worst", "query 0 and candidate 1 is nan"),
        ([[0.0, 1.0], [np.inf, 1.0]], "worst", "query 1 and candidate 0 is inf"),
        ([0.0, 1.0], "worst", r"got shape \(2,\)"),
        ([[0.0, 1.0]], "best", "ties='best' is not a rule: choose one of worst, expected"),
    ],
)
def test_bad_input_is_refused(scores, ties, message):
    with pytest.raises(InputError, match=message):
        positive_ranks(np.array(scores), np.array([0]), np.array([0]), ties)


def test_best_rank_of_each_query():
    ranks = PositiveRanks(np.array([0, 0, 2]), np.array([2.0, 4.0, 1.0]), queries=3)
    np.testing.assert_array_equal(ranks.best(), [2, np.nan, 1])
