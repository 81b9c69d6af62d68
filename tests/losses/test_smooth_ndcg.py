"""Smooth-NDCG against a loop from the formula and against NDCG itself."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import ndcg
from bcls.losses import SmoothNDCGLoss, smooth_ndcg_loss, triplet_loss


def naive_direction(similarity, relevance, temperature):
    """Written with torch scalars, so that autograd gives the gradient to compare with."""
    terms = []
    for s, r in zip(similarity, relevance, strict=True):
        known = [j for j in range(len(s)) if not r[j].isnan()]
        gains = {j: 2 ** r[j].item() - 1 for j in known}
        ideal = sum(g / math.log2(1 + rank) for rank, g in enumerate(sorted(gains.values(), reverse=True), start=1))
        if ideal == 0:
            continue
        rank = {j: 1 + sum(torch.sigmoid((s[k] - s[j]) / temperature) for k in known if k != j) for j in known}
        terms.append(1 - sum(gains[j] / torch.log2(1 + torch.as_tensor(rank[j])) for j in known) / ideal)
    return sum(terms) / len(terms) if terms else similarity.sum() * 0


@given(images=st.integers(1, 5), captions=st.integers(1, 5), seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_value_and_gradient_equal_the_formula(make_matrices, images, captions, seed):
    similarity, relevance, _ = make_matrices(images, captions, seed)
    ours, theirs = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = smooth_ndcg_loss(ours, relevance, temperature=0.2)
    expected = (naive_direction(theirs, relevance, 0.2) + naive_direction(theirs.T, relevance.T, 0.2)) / 2
    assert value.item() == pytest.approx(float(torch.as_tensor(expected).detach()), abs=1e-12)
    value.backward()
    if isinstance(expected, torch.Tensor) and expected.requires_grad:
        expected.backward()
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-12, rtol=0)


def test_tends_to_ndcg_as_the_temperature_falls(make_matrices):
    similarity, relevance, _ = make_matrices(6, 9, 4)
    rows, columns = ndcg(similarity, relevance).mean(), ndcg(similarity.T, relevance.T).mean()
    value = smooth_ndcg_loss(similarity, relevance, temperature=1e-6)
    assert value.item() == pytest.approx(1 - (rows + columns) / 2, abs=1e-4)


def test_a_perfect_order_pays_nothing_though_labels_are_tied():
    relevance = torch.tensor([[1.0, 1.0, 0.5, 0.0]])
    assert smooth_ndcg_loss(torch.tensor([[0.9, 0.8, 0.5, 0.1]]), relevance).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("block", [1, 20, 70, 200])
def test_blocks_of_queries_and_candidates_do_not_change_value_or_gradient(make_matrices, monkeypatch, block):
    similarity, relevance, _ = make_matrices(9, 7, 2)
    whole, parts = similarity.clone().requires_grad_(), similarity.clone().requires_grad_()
    value = smooth_ndcg_loss(whole, relevance, temperature=0.1)
    value.backward()
    monkeypatch.setattr("bcls.losses.smooth_ndcg.BLOCK_ELEMENTS", block)
    cut = smooth_ndcg_loss(parts, relevance, temperature=0.1)
    cut.backward()
    assert cut.item() == pytest.approx(value.item(), abs=1e-14)
    torch.testing.assert_close(parts.grad, whole.grad, atol=1e-15, rtol=0)


def test_nothing_cubic_is_kept_for_the_backward_pass(make_matrices):
    similarity, relevance, _ = make_matrices(30, 40, 2)
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        smooth_ndcg_loss(similarity.requires_grad_(), relevance)
    assert saved
    assert max(saved) <= similarity.numel()


def test_labels_worth_nothing_give_zero():
    similarity = torch.randn(3, 4, requires_grad=True)
    value = smooth_ndcg_loss(similarity, torch.zeros(3, 4))
    value.backward()
    assert value.item() == 0
    assert torch.equal(similarity.grad, torch.zeros(3, 4))


def test_the_loss_is_the_weighted_mean_of_its_terms(make_matrices):
    similarity, relevance, positives = make_matrices(6, 8, 1)
    loss = SmoothNDCGLoss(temperature=0.1, weight=0.25, margin=0.1)
    terms = loss.terms(similarity, relevance, positives)
    assert terms["triplet"] == triplet_loss(similarity, positives, margin=0.1, negatives="hard")
    assert loss(similarity, relevance, positives) == 0.75 * terms["triplet"] + 0.25 * terms["smooth_ndcg"]


def test_alone_it_needs_no_positives(make_matrices):
    similarity, relevance, _ = make_matrices(4, 6, 1)
    loss = SmoothNDCGLoss(weight=1.0)
    assert loss(similarity, relevance) == smooth_ndcg_loss(similarity, relevance)
    assert list(loss.terms(similarity, relevance)) == ["smooth_ndcg"]


@pytest.mark.parametrize("setting", [{"temperature": 0.0}, {"weight": 1.5}, {"weight": -0.1}, {"margin": -1.0}])
def test_unusable_settings_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        SmoothNDCGLoss(**setting)


def test_a_second_derivative_is_refused_rather_than_wrong():
    similarity = torch.randn(4, 4, requires_grad=True)
    loss = smooth_ndcg_loss(similarity, torch.rand(4, 4))
    with pytest.raises(InputError, match="differentiated twice"):
        torch.autograd.grad(loss, similarity, create_graph=True)
