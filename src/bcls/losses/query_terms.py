"""What a block of queries adds to a loss that needs all their candidates: the Kendall loss, triplets."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.errors import InputError
from bcls.losses.engine import choose_engine
from bcls.losses.kendall import KendallLoss
from bcls.losses.query_blocks import BlockTerms, OneBlock
from bcls.losses.windows import WindowForm, pairs_of_checked


def kendall_blocks(relevance: Callable[[slice], Tensor], loss: KendallLoss) -> OneBlock:
    """The hinges of the pairs that a Kendall loss compares, by the engine that it takes for a block.

    Args:
        relevance: (queries, candidates) of a slice of queries, NaN = unknown.
        loss: its settings are read.

    Raises:
        InputError: all pairs by an engine other than `compiled`, whose work would be quadratic in the candidates.
        MissingExtraError: all pairs without numba.
    """
    if loss.pairs == "all" and loss.engine not in {"auto", "compiled"}:
        raise InputError(f"in blocks all pairs are counted by engine 'compiled' alone, not {loss.engine!r}")

    def one_block(similarity: Tensor, part: slice, gradients: bool) -> BlockTerms:
        labels = relevance(part)
        if loss.pairs == "all" or choose_engine(similarity, loss.engine, pairs=loss.pairs) == "compiled":
            return _compiled_terms(similarity, labels, loss)
        return _windowed_terms(similarity, labels, loss, loss.pairs, gradients)

    return one_block


def _compiled_terms(similarity: Tensor, relevance: Tensor, loss: KendallLoss) -> BlockTerms:
    choose_engine(similarity, "compiled", pairs=loss.pairs)  # says what is missing
    from bcls.losses.compiled import kendall_rows, run_rows  # noqa: PLC0415 - compiles on first use

    kernel = kendall_rows(gap=loss.gap, margin=loss.margin, pairs=loss.pairs, window=loss.window)
    total, terms, gradient = run_rows(similarity, relevance, kernel)
    return BlockTerms(similarity.new_tensor(total), torch.tensor(terms), gradient)


def _windowed_terms(
    similarity: Tensor, relevance: Tensor, loss: KendallLoss, pairs: WindowForm, gradients: bool
) -> BlockTerms:
    chosen = pairs_of_checked(similarity, relevance, pairs=pairs, window=loss.window, gap=loss.gap)
    hinge = F.relu(similarity.gather(1, chosen.less).add_(loss.margin).sub_(similarity.gather(1, chosen.more)))
    hinge.masked_fill_(~chosen.counts, 0.0)
    total, terms = hinge.sum(), chosen.counts.sum()
    if not gradients:
        return BlockTerms(total, terms, None)
    pays = hinge.sign_()
    gradient = torch.zeros_like(similarity).scatter_add_(1, chosen.less, pays)
    return BlockTerms(total, terms, gradient.scatter_add_(1, chosen.more, pays.neg_()))


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
