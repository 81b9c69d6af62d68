"""The semantic adaptive margin against a loop from the formula."""

from __future__ import annotations

import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import SemanticMarginLoss, semantic_margin_loss, triplet_loss


def naive_direction(similarity, relevance, positives, divisor, sampling):
    terms = []
    for i in range(len(similarity)):
        candidates = [j for j in range(similarity.shape[1]) if not relevance[i, j].isnan()]
        negatives = [n for n in candidates if not positives[i, n]]
        if sampling == "hard":
            negatives = sorted(negatives, key=lambda n: similarity[i, n].item())[-1:]
        for p in candidates:
            if positives[i, p]:
                hinges = [
                    max(
                        0.0,
                        (similarity[i, n] - similarity[i, p] + (relevance[i, p] - relevance[i, n]) / divisor).item(),
                    )
                    for n in negatives
                ]
                terms.append(sum(hinges) / max(1, len(hinges)))
    return sum(terms) / max(1, len(terms))


@pytest.mark.parametrize("sampling", ["all", "hard"])
@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(make_matrices, sampling, images, captions, seed):
    similarity, relevance, positives = make_matrices(images, captions, seed)
    rows = naive_direction(similarity, relevance, positives, 3.0, sampling)
    columns = naive_direction(similarity.T, relevance.T, positives.T, 3.0, sampling)
    value = semantic_margin_loss(similarity, relevance, positives, divisor=3.0, sampling=sampling)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-12)


def test_random_draws_tend_to_the_mean_over_all(make_matrices):
    similarity, relevance, positives = make_matrices(5, 6, 3)
    torch.manual_seed(0)
    draws = [semantic_margin_loss(similarity, relevance, positives, sampling="random").item() for _ in range(1500)]
    expected = semantic_margin_loss(similarity, relevance, positives, sampling="all").item()
    error = statistics.stdev(draws) / math.sqrt(len(draws))
    assert error < 0.02 * expected
    assert sum(draws) / len(draws) == pytest.approx(expected, abs=4 * error)


def test_the_loss_is_the_triplet_term_and_the_weighted_graded_term(make_matrices):
    similarity, relevance, positives = make_matrices(6, 8, 1)
    loss = SemanticMarginLoss(divisor=2.0, weight=3.0, sampling="hard", margin=0.1, negatives="soft")
    terms = loss.terms(similarity, relevance, positives)
    assert terms["triplet"] == triplet_loss(similarity, positives, margin=0.1)
    assert loss(similarity, relevance, positives) == terms["triplet"] + 3 * terms["semantic_margin"]


@pytest.mark.parametrize("setting", [{"divisor": 0.5}, {"weight": -1.0}, {"sampling": "some"}, {"margin": -1.0}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        SemanticMarginLoss(**setting)
