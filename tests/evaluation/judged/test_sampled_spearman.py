"""Spearman's correlation by resampling queries, against the definition and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from bcls.errors import InputError
from bcls.evaluation.judged.sampled_spearman import SAMPLES, sampled_spearman


@given(st.integers(0, 10_000), st.integers(4, 9), st.integers(2, 6))
@settings(deadline=None, max_examples=30)
def test_of_one_pair_a_query_and_all_samples_it_is_the_mean_of_scipys_on_halves(seed, queries, levels):
    """Every half that was drawn is drawn again here: the drawing of queries is the documented one, of NumPy."""
    random = np.random.default_rng(seed)
    scores, ratings = random.integers(0, levels, queries), random.integers(0, levels, queries)
    draws, expected = np.random.default_rng(seed), []
    for _ in range(12):
        half = draws.choice(queries, queries // 2, replace=False)
        draws.random(half.size)
        if len({*scores[half]}) > 1 and len({*ratings[half]}) > 1:
            expected.append(spearmanr(scores[half], ratings[half]).statistic)
    found = sampled_spearman(scores, ratings, np.arange(queries), samples=12, seed=seed)
    if expected:
        assert found.mean == pytest.approx(np.mean(expected), abs=1e-12)
        assert found.deviation == pytest.approx(np.std(expected), abs=1e-12)
    else:
        assert np.isnan([found.mean, found.deviation]).all()
    assert (found.queries, found.pairs) == (queries, queries)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_only_the_order_of_scores_and_ratings_matters(seed):
    random = np.random.default_rng(seed)
    scores, ratings, query = random.normal(size=30), random.integers(0, 6, 30), random.integers(0, 8, 30)
    query[:4] = range(4)
    plain = sampled_spearman(scores, ratings, query, samples=20)
    assert sampled_spearman(np.exp(scores) - 7, ratings**3.0, query, samples=20) == plain
    turned = sampled_spearman(-scores, ratings, query, samples=20)
    assert turned.mean == pytest.approx(-plain.mean, abs=1e-12)
    assert turned.deviation == pytest.approx(plain.deviation, abs=1e-12)
    assert -1 <= plain.mean <= 1


def test_a_query_gives_one_pair_to_a_sample():
    """The two pairs of the first query contradict each other: in no sample may they stand together."""
    scores, ratings = [0.0, 9.0, 1.0, 2.0, 3.0], [0.0, -1.0, 1.0, 2.0, 3.0]
    means = {sampled_spearman(scores, ratings, [7, 7, 1, 2, 3], samples=1, seed=seed).mean for seed in range(60)}
    assert means == {1.0, -1.0}  # halves of four queries: two pairs, in order or not


def test_each_pair_of_a_query_is_as_likely():
    scores, ratings = [0.0, 9.0, 9.0, 9.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    found = sampled_spearman(scores, ratings, [0, 0, 0, 0, 1, 2, 3], samples=1500)
    assert found.mean == pytest.approx(0.5 + 0.5 * (0.25 - 0.75), abs=0.06)  # half of the samples hold the query


def test_any_whole_numbers_name_queries_in_any_order():
    random = np.random.default_rng(1)
    scores, ratings, query = random.normal(size=40), random.normal(size=40), random.permutation(np.arange(40) // 4)
    plain = sampled_spearman(scores, ratings, query, samples=25)
    assert sampled_spearman(scores, ratings, query * 1000 - 5, samples=25) == plain
    by_query = np.argsort(query, kind="stable")
    assert sampled_spearman(scores[by_query], ratings[by_query], query[by_query], samples=25) == plain


def test_a_half_is_rounded_down():
    """Two of five queries: their correlation is 1 or -1, never between."""
    scores, ratings = np.arange(5.0), np.array([0.0, 2.0, 1.0, 4.0, 3.0])
    assert {sampled_spearman(scores, ratings, np.arange(5), samples=1, seed=seed).mean for seed in range(40)} == {1, -1}


def test_the_seed_tells_the_samples_and_there_are_a_thousand():
    random = np.random.default_rng(2)
    values = random.normal(size=20), random.normal(size=20), np.arange(20)
    assert sampled_spearman(*values) == sampled_spearman(*values, samples=1000, seed=0)
    assert sampled_spearman(*values, samples=30, seed=1).mean != sampled_spearman(*values, samples=30).mean
    assert SAMPLES == 1000


def test_samples_without_a_correlation_are_left_out_of_the_mean():
    scores, ratings = [1.0, 2.0, 3.0, 3.0], [1.0, 2.0, 3.0, 3.0]
    found = sampled_spearman(scores, ratings, [0, 1, 2, 3], samples=200)
    assert (found.mean, found.deviation) == (1, 0)


@pytest.mark.parametrize("alike", ["scores", "ratings"])
def test_where_all_is_alike_there_is_no_correlation(alike):
    values = {"scores": np.arange(6.0), "ratings": np.arange(6.0), "query": np.arange(6)} | {alike: np.ones(6)}
    found = sampled_spearman(**values, samples=5)
    assert np.isnan([found.mean, found.deviation]).all()
    assert (found.queries, found.pairs) == (6, 6)


@pytest.mark.parametrize(
    ("scores", "ratings", "query", "message"),
    [
        ([1.0] * 4, [1.0] * 3, [0, 1, 2, 3], "^scores, ratings and query must be three lists of one length$"),
        ([1.0] * 4, [1.0] * 4, [0, 1, 2], "three lists of one length"),
        ([[1.0] * 4], [[1.0] * 4], [[0, 1, 2, 3]], "three lists of one length"),
        ([1, 2, 3, np.inf], [1] * 4, [0, 1, 2, 3], "^the score of pair 3 is inf, not a finite number$"),
        ([1, 2, 3, 4], [1, np.nan, 1, 1], [0, 1, 2, 3], "^the rating of pair 1 is nan, not a finite number$"),
        ([1] * 6, [1] * 6, [0, 1, 2, 2, 1, 0], "^3 queries are rated; half of them must be at least 2$"),
        ([], [], [], "^0 queries are rated"),
    ],
)
def test_lists_that_cannot_be_correlated_are_refused(scores, ratings, query, message):
    with pytest.raises(InputError, match=message):
        sampled_spearman(scores, ratings, query)
