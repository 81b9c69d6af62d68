"""BCLS is the sum of its parts."""

from __future__ import annotations

import pytest
import torch

from bcls.errors import InputError
from bcls.losses import BCLSLoss, kendall_loss, triplet_loss


@pytest.mark.parametrize("pairs", ["boundary", "window", "stride", "first", "all"])
def test_terms_are_those_of_the_two_losses(make_matrices, pairs):
    similarity, relevance, positives = make_matrices(6, 8, 1)
    loss = BCLSLoss(
        margin=0.1, temperature=0.07, kendall_weight=0.4, kendall_margin=0.02, gap=0.2, pairs=pairs, window=4
    )
    terms = loss.terms(similarity, relevance, positives)
    expected = kendall_loss(similarity, relevance, gap=0.2, margin=0.02, pairs=pairs, window=4)
    assert terms["triplet"] == triplet_loss(similarity, positives, margin=0.1, temperature=0.07)
    assert terms["kendall"] == expected
    assert loss(similarity, relevance, positives) == terms["triplet"] + 0.4 * terms["kendall"]


def test_the_weight_may_change_while_training(make_matrices):
    similarity, relevance, _ = make_matrices(5, 5, 1)
    loss = BCLSLoss(kendall_weight=1.0)
    loss.kendall_weight = 0.0
    assert loss(similarity, relevance) == triplet_loss(similarity)


def test_unusable_input_is_refused():
    with pytest.raises(InputError, match="kendall_weight"):
        BCLSLoss(kendall_weight=-1.0)
    with pytest.raises(InputError, match="needs relevance"):
        BCLSLoss().terms(torch.randn(2, 2))
