"""What a block of queries adds to a loss that needs all their candidates: the Kendall loss with SW-HS, triplets."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.query_blocks import BlockTerms, OneBlock
from bcls.losses.windows import WindowForm, select_pairs


def windowed_blocks(
    relevance: Callable[[slice], Tensor], *, gap: float, margin: float, pairs: WindowForm, window: int | float
) -> OneBlock:
    """The hinges of the pairs that SW-HS selects.

    Args:
        relevance: (queries, candidates) of a slice of queries, NaN = unknown.
        gap: the least difference of relevance that orders a pair.
        margin: by how much the more relevant candidate must be more similar.
        pairs: the form.
        window: its width.
    """

    def one_block(similarity: Tensor, part: slice, gradients: bool) -> BlockTerms:
        chosen = select_pairs(similarity, relevance(part), pairs=pairs, window=window, gap=gap)
        hinge = F.relu(similarity.gather(1, chosen.less).sub_(similarity.gather(1, chosen.more)).add_(margin))
        hinge.masked_fill_(~chosen.counts, 0.0)
        total, count = hinge.sum(), chosen.counts.sum()
        if not gradients:
            return BlockTerms(total, count, None)
        pays = hinge.sign_()
        gradient = torch.zeros_like(similarity).scatter_add_(1, chosen.less, pays)
        return BlockTerms(total, count, gradient.scatter_add_(1, chosen.more, pays.neg_()))

    return one_block


def triplet_blocks(one: Callable[[Tensor, Tensor], Tensor], queries: Tensor, candidates: Tensor) -> OneBlock:
    """The terms of positive pairs, their gradient by autograd within the block.

    Args:
        one: one term a positive pair, from (queries, candidates) similarities and positives (bool).
        queries: (pairs,) the query of each positive pair.
        candidates: (pairs,) its candidate.
    """
    queries, order = queries.sort()
    candidates = candidates[order]

    def one_block(similarity: Tensor, part: slice, gradients: bool) -> BlockTerms:
        edges = torch.tensor([part.start, part.stop], device=queries.device)
        start, stop = torch.searchsorted(queries, edges).tolist()
        count = edges.new_tensor(stop - start)
        if start == stop:
            return BlockTerms(similarity.new_zeros(()), count, None)
        positives = torch.zeros_like(similarity, dtype=torch.bool)
        positives[queries[start:stop] - part.start, candidates[start:stop]] = True
        with torch.set_grad_enabled(gradients):
            similarity = similarity.requires_grad_(gradients)
            total = one(similarity, positives).sum()
            gradient = torch.autograd.grad(total, similarity)[0] if gradients else None
        return BlockTerms(total.detach(), count, gradient)

    return one_block
