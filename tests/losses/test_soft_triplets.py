"""Soft triplet terms against the formula written as loops, differentiated by autograd."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.soft_triplets import soft_triplets


def naive(similarity, positives, *, margin, temperature):
    terms = []
    for row, own in zip(similarity, positives.tolist(), strict=True):
        negatives = [s for s, positive in zip(row, own, strict=True) if not positive]
        for s_ip, positive in zip(row, own, strict=True):
            if positive:
                none = 0 * s_ip * temperature
                total = sum((torch.exp((s_in - s_ip + margin) / temperature) for s_in in negatives), none)
                terms.append(temperature * torch.log(1 + total))
    return torch.stack(terms) if terms else similarity.new_zeros(0)


@pytest.mark.parametrize("whose", ["both", "similarity", "temperature"])
@given(
    queries=st.integers(1, 5),
    candidates=st.integers(1, 6),
    seed=st.integers(0, 10_000),
    margin=st.sampled_from([0.0, 0.2, 1.0]),
    temperature=st.sampled_from([0.07, 0.5, 2.0]),
)
@settings(max_examples=20, deadline=None)
def test_terms_and_gradients_equal_the_formula(whose, queries, candidates, seed, margin, temperature):
    random = torch.Generator().manual_seed(seed)
    similarity = torch.rand(queries, candidates, generator=random, dtype=torch.float64) * 2 - 1
    positives = torch.rand(queries, candidates, generator=random) < 0.4
    positives[0] = True  # a query without a negative
    results = []
    for one in (soft_triplets, naive):
        s = similarity.clone().requires_grad_(whose != "temperature")
        t = torch.tensor(temperature, dtype=torch.float64, requires_grad=whose != "similarity")
        terms = one(s, positives, margin=margin, temperature=t)
        weights = torch.arange(1.0, len(terms) + 1, dtype=torch.float64)  # each term has an upstream of its own
        (terms * weights).sum().backward()
        results.append((terms.detach(), s.grad, t.grad))
    (ours, *our_gradients), (theirs, *their_gradients) = results
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-10)
    for own, other in zip(our_gradients, their_gradients, strict=True):
        assert (own is None) == (other is None)
        if own is not None:
            torch.testing.assert_close(own, other, atol=1e-10, rtol=1e-10)


def test_terms_come_by_query_and_then_by_candidate():
    similarity = torch.tensor([[0.1, 0.9, 0.3], [0.5, 0.2, 0.4]], dtype=torch.float64)
    positives = torch.tensor([[True, False, True], [False, True, False]])
    terms = soft_triplets(similarity, positives, margin=0.0, temperature=1.0).tolist()
    expected = [
        math.log(1 + math.exp(0.8)),
        math.log(1 + math.exp(0.6)),
        math.log(1 + math.exp(0.3) + math.exp(0.2)),
    ]
    assert terms == pytest.approx(expected, abs=1e-12)


def test_a_query_without_negatives_gives_zero_and_no_gradient():
    similarity = torch.tensor([[0.3, 0.6]], requires_grad=True)
    temperature = torch.tensor(0.05, requires_grad=True)
    terms = soft_triplets(similarity, torch.ones(1, 2, dtype=torch.bool), margin=0.2, temperature=temperature)
    terms.sum().backward()
    assert terms.tolist() == [0.0, 0.0]
    assert similarity.grad.tolist() == [[0.0, 0.0]]
    assert temperature.grad.item() == 0.0


def test_a_query_without_positives_gives_no_term_and_no_gradient():
    similarity = torch.tensor([[0.3, 0.6], [0.1, 0.2]], requires_grad=True)
    positives = torch.tensor([[False, False], [True, False]])
    terms = soft_triplets(similarity, positives, margin=0.2, temperature=0.5)
    terms.sum().backward()
    assert len(terms) == 1
    assert similarity.grad[0].tolist() == [0.0, 0.0]
    assert similarity.grad[1, 1].item() == -similarity.grad[1, 0].item() > 0


def test_no_positive_at_all_gives_no_terms():
    terms = soft_triplets(torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.bool), margin=0.2, temperature=0.5)
    assert terms.shape == (0,)


def test_a_cold_temperature_and_far_scores_neither_overflow_nor_vanish():
    similarity = torch.tensor([[1000.0, -1000.0, 999.0], [-1000.0, 1000.0, 1000.0]], requires_grad=True)
    temperature = torch.tensor(1e-3, requires_grad=True)
    positives = torch.tensor([[False, True, False], [False, True, False]])
    terms = soft_triplets(similarity, positives, margin=0.0, temperature=temperature)
    terms.sum().backward()
    assert terms.tolist() == pytest.approx([2000.0, 1e-3 * math.log(2)])
    torch.testing.assert_close(similarity.grad, torch.tensor([[1.0, -1.0, 0.0], [0.0, -0.5, 0.5]]))
    assert temperature.grad.item() == pytest.approx(math.log(2))  # of the tie; the other term is its hinge


def test_gradients_cannot_be_differentiated_again():
    similarity = torch.randn(2, 2, requires_grad=True)
    terms = soft_triplets(similarity, torch.eye(2, dtype=torch.bool), margin=0.2, temperature=0.5)
    (gradient,) = torch.autograd.grad(terms.square().sum(), similarity, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
