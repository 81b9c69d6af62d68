"""Soft triplets by tiles against the formula of the whole matrix."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.losses.blocked import Inputs, Needs
from bcls.losses.positive_pairs import PositivePairs
from bcls.losses.soft_tiles import soft_tiles


def naive(images, captions, temperature, positives, margin):
    terms = []
    for similarity, own in ((images @ captions.T, positives), (captions @ images.T, positives.T)):
        for i, p in own.nonzero().tolist():
            negatives = similarity[i][~own[i]]
            terms.append(
                temperature * torch.log(1 + torch.exp((negatives - similarity[i, p] + margin) / temperature).sum())
            )
    return torch.stack(terms).mean()


def batch(images, captions, seed):
    random = torch.Generator().manual_seed(seed)
    vectors = [torch.randn(n, 3, generator=random, dtype=torch.float64) for n in (images, captions)]
    positives = torch.rand(images, captions, generator=random) < 0.3
    positives[0, 0] = True
    order = torch.randperm(int(positives.sum()), generator=random)
    pairs = PositivePairs(*(part[order] for part in positives.nonzero(as_tuple=True)))
    return *vectors, positives, pairs


@given(
    images=st.integers(1, 6),
    captions=st.integers(1, 6),
    side=st.sampled_from([1, 2, 3, 64]),
    seed=st.integers(0, 10_000),
    margin=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=40, deadline=None)
def test_value_and_gradients_equal_the_formula_however_tiles_are_cut(images, captions, side, seed, margin):
    *vectors, positives, pairs = batch(images, captions, seed)
    leaves = [
        *(v.clone().requires_grad_() for v in vectors),
        torch.tensor(0.6, dtype=torch.float64, requires_grad=True),
    ]
    expected = naive(*leaves, positives, margin)
    expected.backward()
    inputs = Inputs(*vectors, torch.tensor(0.6, dtype=torch.float64))
    ours = soft_tiles(inputs, Needs(True, True, True), pairs=pairs, margin=margin, side=side)
    torch.testing.assert_close(ours.value, expected.detach(), atol=1e-12, rtol=1e-10)
    for own, leaf in zip(ours[1:], leaves, strict=True):
        gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        torch.testing.assert_close(own, gradient, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("wanted", [(i, c, t) for i in (0, 1) for c in (0, 1) for t in (0, 1)])
def test_what_is_not_wanted_is_not_given_and_the_rest_stays_the_same(wanted):
    *vectors, _, pairs = batch(4, 5, 3)
    inputs, more = Inputs(*vectors, torch.tensor(0.6, dtype=torch.float64)), {"pairs": pairs, "margin": 0.2, "side": 2}
    whole = soft_tiles(inputs, Needs(True, True, True), **more)
    part = soft_tiles(inputs, Needs(*map(bool, wanted)), **more)
    assert part.value == whole.value
    for own, other, need in zip(part[1:], whole[1:], wanted, strict=True):
        assert (own is not None) == bool(need)
        if need:
            assert torch.equal(own, other)


def test_no_query_has_a_negative():
    one = torch.ones(1, 2)
    pairs = PositivePairs(torch.tensor([0]), torch.tensor([0]))
    found = soft_tiles(Inputs(one, one, torch.tensor(0.1)), Needs(True, True, True), pairs=pairs, margin=0.2, side=4)
    assert found.value.item() == 0
    assert [part.abs().sum().item() for part in found[1:]] == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_query_without_a_positive_is_a_negative_of_others_alone():
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    captions = torch.tensor([[1.0, 0.0], [0.6, 0.8]], dtype=torch.float64)
    pairs = PositivePairs(torch.tensor([0]), torch.tensor([0]))
    inputs = Inputs(images, captions, torch.tensor(1.0, dtype=torch.float64))
    found = soft_tiles(inputs, Needs(False, False, False), pairs=pairs, margin=0.0, side=1)
    rows, columns = torch.log(1 + torch.exp(torch.tensor([0.6 - 1, 0.0 - 1], dtype=torch.float64)))
    torch.testing.assert_close(found.value, (rows + columns) / 2)


def test_far_scores_do_not_overflow():
    images, captions = torch.tensor([[100.0], [-100.0]]), torch.tensor([[-100.0], [100.0]])
    pairs = PositivePairs(torch.arange(2), torch.arange(2))
    inputs = Inputs(images, captions, torch.tensor(0.01))
    found = soft_tiles(inputs, Needs(True, True, True), pairs=pairs, margin=0.0, side=1)
    assert found.value.item() == pytest.approx(20_000)
    assert all(part.isfinite().all() for part in found[1:])
