"""Language-guided margins against a loop from the formula."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import LanguageMarginLoss, infonce_loss, language_margin_loss


def naive_direction(similarity, relevance, positives, margin, threshold, temperature):
    terms = []
    for i in range(len(similarity)):
        weight = 0.0
        for n in range(similarity.shape[1]):
            if positives[i, n]:
                continue
            r = relevance[i, n].item()
            own = margin * (1 - r) / (1 - threshold) if r >= threshold else margin
            weight += math.exp((similarity[i, n].item() + own) / temperature)
        for p in range(similarity.shape[1]):
            if positives[i, p]:
                match = math.exp(similarity[i, p].item() / temperature)
                terms.append(-math.log(match / (match + weight)))
    return sum(terms) / len(terms)


@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(make_matrices, images, captions, seed):
    similarity, relevance, positives = make_matrices(images, captions, seed)
    settings_ = (0.2, 0.45, 0.1)
    rows = naive_direction(similarity, relevance, positives, *settings_)
    columns = naive_direction(similarity.T, relevance.T, positives.T, *settings_)
    value = language_margin_loss(similarity, relevance, positives, margin=0.2, threshold=0.45, temperature=0.1)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-8)


def test_negatives_as_relevant_as_a_match_have_no_margin(make_matrices):
    similarity, _, positives = make_matrices(5, 6, 1)
    value = language_margin_loss(similarity, torch.ones(5, 6), positives, temperature=0.1)
    assert value.item() == pytest.approx(infonce_loss(similarity, positives, temperature=0.1).item(), abs=1e-12)


@pytest.mark.parametrize("setting", [{"margin": -1.0}, {"threshold": 1.0}, {"threshold": -0.1}, {"temperature": 0.0}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        LanguageMarginLoss(**setting)
