"""The exact Kendall loss over all ordered pairs, without an array of queries x candidates x candidates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bcls.losses.pair_blocks import query_and_candidate_blocks

BLOCK_ELEMENTS = 1 << 22


def all_pairs_hinge(similarity: Tensor, relevance: Tensor, *, gap: float, margin: float) -> Tensor:
    """Mean over all pairs with r_a - r_b > gap of max(0, margin + s_b - s_a), over the rows of one direction.

    The hinge is linear wherever it pays, so its gradient is a difference of counts: how often a candidate is the
    offender less how often it is offended. Both are counted, a block of queries at a time, together with the value,
    and nothing but an array of the similarity's size is kept for the backward pass.

    Args:
        similarity: (queries, candidates), finite.
        relevance: (queries, candidates), NaN = unknown, which orders nothing.
        gap: the least difference of relevance that orders a pair.
        margin: by how much the more relevant candidate must be more similar.

    Returns:
        A scalar; 0 with a zero gradient where nothing is ordered.

    Cost: O(queries x candidates^2) time, O(queries x candidates) memory beside one block.
    """
    value: Tensor = _AllPairsHinge.apply(similarity, relevance, gap, margin)  # type: ignore[no-untyped-call]
    return value


class _AllPairsHinge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, similarity: Tensor, relevance: Tensor, gap: float, margin: float) -> Tensor:
        total = similarity.new_zeros(())
        gradient = torch.zeros_like(similarity)
        ordered = torch.zeros((), dtype=torch.int64, device=similarity.device)
        for block, part in query_and_candidate_blocks(similarity, BLOCK_ELEMENTS):
            scores, labels = similarity[block], relevance[block]
            counts = labels[:, part, None] - labels[:, None, :] > gap
            ordered = ordered + counts.sum()
            hinge = (margin + scores[:, None, :] - scores[:, part, None]) * counts
            pays = hinge > 0
            total = total + hinge.clamp(min=0).sum()
            gradient[block] += pays.sum(dim=1).to(scores)
            gradient[block, part] -= pays.sum(dim=2).to(scores)
        ordered = ordered.clamp(min=1)
        ctx.save_for_backward(gradient / ordered)
        return total / ordered

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None, None
