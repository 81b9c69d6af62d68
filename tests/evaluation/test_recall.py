"""Recall and the summary of ranks, against torchmetrics and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.evaluation import positive_ranks, rank_summary, recall_at


def test_by_hand():
    summary = rank_summary([1, 3, 3, 11, 200])
    assert summary == {
        "recall@1": 20.0,
        "recall@5": 60.0,
        "recall@10": 60.0,
        "median_rank": 3.0,
        "mean_rank": pytest.approx(43.6),
        "mrr": pytest.approx((1 + 2 / 3 + 1 / 11 + 1 / 200) / 5),
    }


def test_any_positive_in_the_top_is_a_hit_as_in_torchmetrics():
    from torchmetrics.functional.retrieval import retrieval_hit_rate, retrieval_reciprocal_rank

    random = np.random.default_rng(1)
    scores = 0.1 + random.random((40, 25))  # it drops scores that are not positive
    positives = random.random((40, 25)) < 0.1
    positives[:, 7] = True
    summary = rank_summary(positive_ranks(scores, *np.nonzero(positives)).best())
    pairs = [(torch.tensor(row), torch.tensor(own)) for row, own in zip(scores, positives, strict=True)]
    for cutoff in (1, 5, 10):
        expected = np.mean([float(retrieval_hit_rate(row, own, top_k=cutoff)) for row, own in pairs])
        assert summary[f"recall@{cutoff}"] == pytest.approx(100 * expected, rel=1e-6)
    expected = np.mean([float(retrieval_reciprocal_rank(row, own)) for row, own in pairs])
    assert summary["mrr"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ranks", [[], [0.5], [[1.0]], [np.nan]])
def test_ranks_that_are_none_are_refused(ranks):
    with pytest.raises(InputError, match="from 1 on"):
        rank_summary(ranks)
    with pytest.raises(InputError, match="from 1 on"):
        recall_at(ranks, 1)


def test_a_cutoff_of_zero_is_refused():
    with pytest.raises(InputError, match="recall@0"):
        recall_at([1], 0)
