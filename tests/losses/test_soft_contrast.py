"""Soft-label contrast against PyTorch's divergence and a loop."""

from __future__ import annotations

import math

import pytest
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import SoftContrastLoss, infonce_loss, soft_contrast_loss


def naive_direction(similarity, relevance, temperature, label_temperature):
    terms = []
    for s, r in zip(similarity.tolist(), relevance.tolist(), strict=True):
        known = [j for j in range(len(s)) if not math.isnan(r[j])]
        labels = [math.exp(r[j] / label_temperature) for j in known]
        scores = [math.exp(s[j] / temperature) for j in known]
        shares = zip((x / sum(labels) for x in labels), (y / sum(scores) for y in scores), strict=True)
        if known:
            terms.append(sum(p * math.log(p / q) for p, q in shares))
    return sum(terms) / max(1, len(terms))


@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(make_matrices, images, captions, seed):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    rows = naive_direction(similarity, relevance, 0.2, 0.3)
    columns = naive_direction(similarity.T, relevance.T, 0.2, 0.3)
    value = soft_contrast_loss(similarity, relevance, temperature=0.2, label_temperature=0.3)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-12)


def test_equals_the_divergence_of_torch(make_matrices):
    similarity, relevance, _ = make_matrices(5, 7, 2, holes=0)
    expected = sum(
        F.kl_div(F.log_softmax(s / 0.1, 1), F.softmax(r / 0.2, 1), reduction="batchmean") / 2
        for s, r in ((similarity, relevance), (similarity.T, relevance.T))
    )
    value = soft_contrast_loss(similarity, relevance, temperature=0.1, label_temperature=0.2)
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)


def test_scores_in_the_labels_proportion_pay_nothing(make_matrices):
    _, relevance, _ = make_matrices(5, 7, 2, holes=0)
    value = soft_contrast_loss(relevance / 2 + 3, relevance, temperature=0.1, label_temperature=0.2)
    assert value.item() == pytest.approx(0, abs=1e-12)


def test_the_loss_is_infonce_and_the_weighted_graded_term(make_matrices):
    similarity, relevance, positives = make_matrices(6, 8, 1)
    loss = SoftContrastLoss(temperature=0.1, label_temperature=0.3, weight=0.2)
    terms = loss.terms(similarity, relevance, positives)
    assert terms["infonce"] == infonce_loss(similarity, positives, temperature=0.1)
    assert loss(similarity, relevance, positives) == terms["infonce"] + 0.2 * terms["soft_contrast"]


@pytest.mark.parametrize("setting", [{"temperature": 0.0}, {"label_temperature": 0.0}, {"weight": -0.1}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        SoftContrastLoss(**setting)
