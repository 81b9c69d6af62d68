"""The ladder loss against loops from its formula."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import LadderLoss, ladder_loss, triplet_loss


def naive_rung(similarity, relevance, threshold, margin):
    terms = []
    for i in range(len(similarity)):
        near = [s.item() for s, r in zip(similarity[i], relevance[i], strict=True) if r >= threshold]
        far = [s.item() for s, r in zip(similarity[i], relevance[i], strict=True) if r < threshold]
        if near and far:
            terms.append(max(0.0, margin + max(far) - min(near)))
    return sum(terms) / max(1, len(terms))


@given(images=st.integers(1, 6), captions=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_rung_equals_the_formula(make_matrices, images, captions, seed):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    rows, columns = naive_rung(similarity, relevance, 0.5, 0.1), naive_rung(similarity.T, relevance.T, 0.5, 0.1)
    value = ladder_loss(similarity, relevance, threshold=0.5, margin=0.1)
    assert value.item() == pytest.approx((rows + columns) / 2, abs=1e-12)


def test_the_loss_is_the_triplet_term_and_the_weighted_rungs(make_matrices):
    similarity, relevance, positives = make_matrices(6, 8, 1)
    loss = LadderLoss(thresholds=[0.7, 0.3], margins=[0.05, 0.01], weights=[0.25, 0.125], margin=0.1)
    terms = loss.terms(similarity, relevance, positives)
    assert list(terms) == ["triplet", "level_2", "level_3"]
    assert terms["triplet"] == triplet_loss(similarity, positives, margin=0.1, negatives="hard")
    assert terms["level_3"] == ladder_loss(similarity, relevance, threshold=0.3, margin=0.01)
    expected = terms["triplet"] + 0.25 * terms["level_2"] + 0.125 * terms["level_3"]
    assert loss(similarity, relevance, positives) == expected


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"thresholds": [0.4, 0.2]}, "one value a rung"),
        ({"thresholds": [0.2, 0.4], "margins": [0, 0], "weights": [1, 1]}, "fall"),
        ({"thresholds": [1.4]}, "lie in"),
        ({"margins": [-0.1]}, "at least 0"),
        ({"weights": [-0.1]}, "at least 0"),
        ({"margin": -1.0}, "margin"),
    ],
)
def test_unusable_settings_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        LadderLoss(**setting)
