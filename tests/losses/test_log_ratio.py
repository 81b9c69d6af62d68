"""The log-ratio loss against a loop over pairs."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import LogRatioLoss, log_ratio_loss


def naive_direction(similarity, relevance, epsilon):
    terms = []
    for s, r in zip(similarity.tolist(), relevance.tolist(), strict=True):
        known = [j for j in range(len(s)) if not math.isnan(r[j])]
        squares = []
        for p, q in combinations(known, 2):
            distances = [math.sqrt(max(2 - 2 * s[j], epsilon**2)) + epsilon for j in (p, q)]
            labels = [1 - r[j] + epsilon for j in (p, q)]
            squares.append((math.log(distances[0] / distances[1]) - math.log(labels[0] / labels[1])) ** 2)
        if squares:
            terms.append(sum(squares) / len(squares))
    return sum(terms) / max(1, len(terms))


@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(make_matrices, images, captions, seed):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    rows, columns = naive_direction(similarity, relevance, 0.05), naive_direction(similarity.T, relevance.T, 0.05)
    value = log_ratio_loss(similarity, relevance, epsilon=0.05)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-12)


def test_distances_in_proportion_pay_nothing():
    label_distance = torch.tensor([[0.1, 0.5, 0.9]], dtype=torch.float64)
    similarity = 1 - (1.5 * label_distance) ** 2 / 2
    assert log_ratio_loss(similarity, 1 - label_distance, epsilon=1e-9).item() == pytest.approx(0, abs=1e-12)


def test_equal_vectors_have_a_finite_gradient():
    similarity = torch.eye(3, requires_grad=True)
    log_ratio_loss(similarity, torch.eye(3)).backward()
    assert torch.isfinite(similarity.grad).all()


def test_epsilon_must_be_above_zero():
    with pytest.raises(InputError, match="epsilon"):
        LogRatioLoss(epsilon=0.0)
