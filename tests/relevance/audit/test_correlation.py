"""Rank correlation and its interval against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from bcls.relevance.audit import correlate


def numbers(pairs=200, seed=0):
    random = np.random.default_rng(seed)
    values = random.random(pairs).round(2)
    return values, (0.5 * values + 0.5 * random.random(pairs)).round(1)


def test_equals_scipy_with_ties():
    values, ratings = numbers()
    found = correlate(values, ratings, resamples=0, random=np.random.default_rng(0))
    assert found.pairs == 200
    assert found.spearman.value == pytest.approx(spearmanr(values, ratings).statistic)
    assert found.kendall.value == pytest.approx(kendalltau(values, ratings).statistic)
    assert np.isnan(found.spearman.low)
    assert np.isnan(found.kendall.high)


def test_the_interval_is_that_of_scipys_percentile_bootstrap():
    from scipy.stats import bootstrap

    values, ratings = numbers()
    found = correlate(values, ratings, resamples=600, random=np.random.default_rng(0)).spearman
    theirs = bootstrap(
        (values, ratings),
        lambda x, y: spearmanr(x, y).statistic,
        paired=True,
        vectorized=False,
        n_resamples=600,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.low < found.value < found.high
    assert found.low == pytest.approx(theirs.low, abs=0.02)
    assert found.high == pytest.approx(theirs.high, abs=0.02)


def test_the_same_draws_give_the_same_interval():
    one, two = (correlate(*numbers(), resamples=20, random=np.random.default_rng(5)) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5, 0.5]])
def test_what_has_no_order_has_no_correlation(values):
    found = correlate(np.array(values), np.arange(len(values)) / 10, resamples=5, random=np.random.default_rng(0))
    assert found.pairs == len(values)
    assert np.isnan([*found.spearman, *found.kendall]).all()
