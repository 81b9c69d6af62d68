"""CoSENT against a loop over all ordered pairs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.losses import CoSENTLoss, cosent_loss


def naive_direction(similarity, relevance, scale):
    terms = []
    for s, r in zip(similarity, relevance, strict=True):
        pairs = [torch.exp(scale * (s[a] - s[b])) for a in range(len(s)) for b in range(len(s)) if r[a] < r[b]]
        if pairs:
            terms.append(torch.log(1 + sum(pairs)))
    return sum(terms) / len(terms) if terms else similarity.sum() * 0


@pytest.mark.parametrize("within", ["query", "batch"])
@given(images=st.integers(1, 5), captions=st.integers(1, 5), seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_value_and_gradient_equal_the_formula(make_matrices, within, images, captions, seed):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    ours, theirs = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = cosent_loss(ours, relevance, scale=3.0, within=within)
    if within == "batch":
        expected = naive_direction(theirs.reshape(1, -1), relevance.reshape(1, -1), 3.0)
    else:
        expected = (naive_direction(theirs, relevance, 3.0) + naive_direction(theirs.T, relevance.T, 3.0)) / 2
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-12, rtol=0)


def test_large_scores_do_not_overflow():
    similarity = torch.tensor([[0.0, 1000.0, -1000.0], [500.0, 0.0, 3.0]], requires_grad=True)
    value = cosent_loss(similarity, torch.tensor([[1.0, 0.2, 0.5], [0.1, 0.9, 0.9]]))
    value.backward()
    assert math.isfinite(value.item())
    assert torch.isfinite(similarity.grad).all()


def test_nothing_quadratic_in_the_candidates_is_kept():
    similarity = torch.randn(2, 500, requires_grad=True)
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        cosent_loss(similarity, torch.rand(2, 500))
    assert max(saved) <= similarity.numel()


@pytest.mark.parametrize("setting", [{"scale": 0.0}, {"within": "epoch"}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        CoSENTLoss(**setting)
