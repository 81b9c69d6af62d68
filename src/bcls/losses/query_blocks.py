"""Losses that need all candidates of a query at once, from embeddings, in blocks of whole queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from bcls.losses.blocked import Blocked, Inputs, Needs

WORTH_GATHERING = 32


class BlockTerms(NamedTuple):
    """What some queries of one direction add to a loss.

    Attributes:
        total: scalar, the sum of their terms.
        terms: scalar, how many.
        gradient: (queries, candidates) of the total by the similarities; None where none is wanted.
    """

    total: Tensor
    terms: Tensor
    gradient: Tensor | None


OneBlock = Callable[[Tensor, slice, bool], BlockTerms]


def query_blocks(inputs: Inputs, needs: Needs, *, rows: OneBlock, columns: OneBlock, block: int) -> Blocked:
    """The mean of the terms of all images' candidates and of all captions' candidates, averaged over both directions.

    One pass a direction: the gradient of a sum of terms is summed before their number is known, and divided by it at
    the end. Columns are not rows seen sideways: the similarities of a block of captions are made anew, with captions
    as queries.

    Args:
        inputs: the embeddings; a temperature is not looked at.
        needs: whose gradients are wanted.
        rows: the terms of a block of images from their (queries, captions) similarities.
        columns: the terms of a block of captions from their (queries, images) similarities.
        block: similarities held at once, at most, beside those of a single query.

    Cost: 6 matrix products with gradients (a full matrix takes 3), or 2 where few similarities of a block have a
    gradient at all; memory of what a block's terms need, beside the gradients.
    """
    images, captions, _ = inputs
    value, of_images, of_captions = _one_direction(images, captions, needs, rows, block)
    other, also_captions, also_images = _one_direction(captions, images, needs.swapped(), columns, block)
    return Blocked((value + other) / 2, _mean(of_images, also_images), _mean(of_captions, also_captions))


def _mean(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return None if one is None or other is None else one.add_(other).div_(2)


def _one_direction(
    queries: Tensor, candidates: Tensor, needs: Needs, one_block: OneBlock, block: int
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    # Added up in place: a small tensor kept from each block would pin the memory of its large ones.
    total = torch.zeros((), dtype=torch.float64, device=queries.device)
    count = torch.zeros((), dtype=torch.int64, device=queries.device)
    of_queries = torch.zeros_like(queries) if needs.images else None
    of_candidates = torch.zeros_like(candidates) if needs.captions else None
    for part in query_slices(len(queries), len(candidates), block):
        found = one_block(queries[part] @ candidates.mT, part, any(needs))
        total += found.total
        count += found.terms
        if found.gradient is not None:
            own = None if of_queries is None else of_queries[part]
            _pull_back(found.gradient, queries[part], candidates, own, of_candidates)
    count.clamp_(min=1)
    for gradient in (of_queries, of_candidates):
        if gradient is not None:
            gradient.div_(count)
    return (total / count).to(queries.dtype), of_queries, of_candidates


def query_slices(queries: int, candidates: int, block: int) -> list[slice]:
    """Blocks of whole queries with at most `block` similarities each, but one query at least."""
    rows = max(1, block // candidates)
    return [slice(start, min(queries, start + rows)) for start in range(0, queries, rows)]


def _pull_back(
    gradient: Tensor, queries: Tensor, candidates: Tensor, of_queries: Tensor | None, of_candidates: Tensor | None
) -> None:
    """Add the embeddings' gradients, through the few similarities that have one where they are few.

    A row gathered costs some tens of times what it costs within a matrix product. The gathered rows are as large as
    the block at most.
    """
    if int(gradient.count_nonzero()) * WORTH_GATHERING > gradient.numel():
        if of_queries is not None:
            of_queries.addmm_(gradient, candidates)
        if of_candidates is not None:
            of_candidates.addmm_(gradient.mT, queries)
        return
    every = gradient.nonzero()
    at_once = max(1, gradient.numel() // queries.shape[1])
    for start in range(0, len(every), at_once):
        rows, columns = every[start : start + at_once].unbind(1)
        weights = gradient[rows, columns, None]
        if of_queries is not None:
            of_queries.index_add_(0, rows, weights * candidates[columns])
        if of_candidates is not None:
            of_candidates.index_add_(0, columns, weights * queries[rows])
