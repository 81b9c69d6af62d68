"""mAP@R and R-Precision, against naive loops and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.evaluation import average_precision_at_r, positive_ranks, r_precision


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(2)
    scores = 0.1 + random.random((30, 40))
    positives = random.random((30, 40)) < 0.2
    positives[:, 0] = True
    scores[positives] += 0.5
    return scores, positives, positive_ranks(scores, *np.nonzero(positives))


def naive_map_at_r(row, own):
    """(1/R) sum over r <= R of P(r) rel(r)."""
    relevant = own[np.argsort(-row)]
    count = int(own.sum())
    return sum(relevant[:place].mean() * relevant[place - 1] for place in range(1, count + 1)) / count


def test_map_at_r_is_its_formula(case):
    scores, positives, ranks = case
    expected = [100 * naive_map_at_r(row, own) for row, own in zip(scores, positives, strict=True)]
    np.testing.assert_allclose(average_precision_at_r(ranks), expected, rtol=1e-12)
    assert 5 < np.mean(expected) < 95  # the case is neither hopeless nor solved


def test_r_precision_is_that_of_torchmetrics(case):
    from torchmetrics.functional.retrieval import retrieval_r_precision

    scores, positives, ranks = case
    expected = [
        100 * float(retrieval_r_precision(torch.tensor(row), torch.tensor(own)))
        for row, own in zip(scores, positives, strict=True)
    ]
    np.testing.assert_allclose(r_precision(ranks), expected, rtol=1e-6)


def test_with_one_positive_both_are_recall_at_one():
    scores = np.random.default_rng(3).random((20, 4))
    ranks = positive_ranks(scores, np.arange(20), np.zeros(20, dtype=int))
    expected = 100.0 * (ranks.best() == 1)
    np.testing.assert_array_equal(average_precision_at_r(ranks), expected)
    np.testing.assert_array_equal(r_precision(ranks), expected)


def test_a_query_without_positive_has_no_value():
    ranks = positive_ranks(np.eye(2), np.array([1]), np.array([1]))
    np.testing.assert_array_equal(r_precision(ranks), [np.nan, 100])
    np.testing.assert_array_equal(average_precision_at_r(ranks), [np.nan, 100])
