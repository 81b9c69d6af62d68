"""All ordered pairs against loops, whatever the blocks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bcls.losses import all_pairs
from bcls.losses.all_pairs import all_pairs_hinge


def by_loops(similarity: Tensor, relevance: Tensor, gap: float, margin: float) -> Tensor:
    """The formula, a pair at a time; torch differentiates it."""
    hinges = [
        (margin + scores[b] - scores[a]).relu()
        for scores, labels in zip(similarity, relevance, strict=True)
        for a in range(len(scores))
        for b in range(len(scores))
        if labels[a] - labels[b] > gap
    ]
    return torch.stack(hinges).mean() if hinges else similarity.sum() * 0


@given(
    size=st.tuples(st.integers(1, 4), st.integers(1, 6)),
    seed=st.integers(0, 10_000),
    gap=st.sampled_from([0.0, 0.15, 2.0]),
    margin=st.sampled_from([0.0, 0.1, 0.5]),
    block=st.sampled_from([1, 7, 40, 1 << 22]),
)
@settings(max_examples=60, deadline=None)
def test_value_and_gradient_are_those_of_the_formula(make_matrices, size, seed, gap, margin, block):
    similarity, relevance, _ = make_matrices(*size, seed)
    ours, theirs = (similarity.clone().requires_grad_() for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(all_pairs, "BLOCK_ELEMENTS", block)
        found = all_pairs_hinge(ours, relevance, gap=gap, margin=margin)
    expected = by_loops(theirs, relevance, gap, margin)
    torch.testing.assert_close(found, expected)
    (3 * found).backward()
    (3 * expected).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_by_hand():
    similarity = torch.tensor([[0.5, 0.4, 0.9]], requires_grad=True)
    relevance = torch.tensor([[0.9, 0.5, 0.1]])
    found = all_pairs_hinge(similarity, relevance, gap=0.15, margin=0.2)
    # Pairs: (0, 1) pays 0.1, (0, 2) pays 0.6, (1, 2) pays 0.7.
    torch.testing.assert_close(found, torch.tensor(1.4 / 3))
    found.backward()
    torch.testing.assert_close(similarity.grad, torch.tensor([[-2 / 3, 0.0, 2 / 3]]))


@pytest.mark.parametrize("relevance", [torch.full((2, 3), torch.nan), torch.ones(2, 3)])
def test_nothing_ordered_is_zero_with_a_zero_gradient(relevance):
    similarity = torch.randn(2, 3, requires_grad=True)
    found = all_pairs_hinge(similarity, relevance, gap=0.0, margin=0.2)
    found.backward()
    assert found.item() == 0
    assert not similarity.grad.any()
