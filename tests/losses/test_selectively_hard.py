"""Selectively hard negatives against a loop from the formula."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import SelectivelyHardLoss, selectively_hard_loss, triplet_loss


def naive_direction(similarity, positives, margin, tolerance):
    terms = []
    for i in range(len(similarity)):
        negatives = [similarity[i, n].item() for n in range(similarity.shape[1]) if not positives[i, n]]
        for p in range(similarity.shape[1]):
            if not positives[i, p]:
                continue
            own = similarity[i, p].item()
            hinges = [max(0.0, margin + n - own) for n in negatives]
            if not negatives:
                terms.append(0.0)
            elif abs(own - max(negatives)) < tolerance:
                terms.append(sum(hinges) / len(hinges))
            else:
                terms.append(max(hinges))
    return sum(terms) / len(terms)


@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000), tolerance=st.floats(0, 1.0))
@settings(max_examples=50, deadline=None)
def test_equals_the_formula(make_matrices, images, captions, seed, tolerance):
    similarity, _, positives = make_matrices(images, captions, seed)
    rows = naive_direction(similarity, positives, 0.2, tolerance)
    columns = naive_direction(similarity.T, positives.T, 0.2, tolerance)
    value = selectively_hard_loss(similarity, positives, margin=0.2, tolerance=tolerance)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-12)


def test_without_tolerance_it_is_the_triplet_loss_with_the_hardest_negative(make_matrices):
    similarity, _, positives = make_matrices(6, 8, 2)
    assert SelectivelyHardLoss(tolerance=0.0)(similarity, positives=positives) == triplet_loss(
        similarity, positives, negatives="hard"
    )


def test_equal_scores_are_moved_by_all_negatives():
    similarity = torch.zeros(3, 3, requires_grad=True)
    value = selectively_hard_loss(similarity, margin=0.2)
    value.backward()
    assert value.item() == pytest.approx(0.2)
    torch.testing.assert_close(similarity.grad, torch.full((3, 3), 1 / 6) - torch.eye(3) / 2)


@pytest.mark.parametrize("setting", [{"margin": -1.0}, {"tolerance": -0.1}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        SelectivelyHardLoss(**setting)
