"""All ordered pairs of each query on a CUDA device: tiles of pairs live in registers, only counts are written."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bcls.errors import MissingExtraError

try:
    import triton
    import triton.language as tl
except ImportError:
    raise MissingExtraError("the Triton kernel", "triton") from None

BLOCK = 64


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _count_pairs(  # type: ignore[no-untyped-def]
    similarity,
    relevance,
    gradient,
    totals,
    counts,
    candidates,
    gap,
    margin,
    BLOCK: tl.constexpr,  # noqa: N803 - the name that Triton's own code uses
):
    """One program: one query and BLOCK of its candidates against all its candidates."""
    row, part = tl.program_id(0), tl.program_id(1)
    start = row.to(tl.int64) * candidates
    own = part * BLOCK + tl.arange(0, BLOCK)
    inside = own < candidates
    own_score = tl.load(similarity + start + own, mask=inside, other=0.0)
    own_label = tl.load(relevance + start + own, mask=inside, other=float("nan"))
    slope = tl.zeros([BLOCK], dtype=tl.int32)
    ordered = tl.zeros([BLOCK], dtype=tl.int32)
    paid = tl.zeros([BLOCK], dtype=tl.float32)
    for first in range(0, candidates, BLOCK):
        other = first + tl.arange(0, BLOCK)
        score = tl.load(similarity + start + other, mask=other < candidates, other=0.0)
        label = tl.load(relevance + start + other, mask=other < candidates, other=float("nan"))
        above = own_label[:, None] - label[None, :] > gap
        below = label[None, :] - own_label[:, None] > gap
        offence = (margin + score[None, :]) - own_score[:, None]
        offends = below & ((margin + own_score[:, None]) - score[None, :] > 0)
        offended = above & (offence > 0)
        slope += tl.sum(offends.to(tl.int32) - offended.to(tl.int32), axis=1)
        ordered += tl.sum(above.to(tl.int32), axis=1)
        paid += tl.sum(tl.where(offended, offence, 0.0), axis=1)
    tl.store(gradient + start + own, slope.to(tl.float32), mask=inside)
    parts = tl.num_programs(1)
    tl.store(totals + row.to(tl.int64) * parts + part, tl.sum(paid, axis=0))
    tl.store(counts + row.to(tl.int64) * parts + part, tl.sum(ordered, axis=0))


def triton_all_pairs(similarity: Tensor, relevance: Tensor, *, gap: float, margin: float) -> Tensor:
    """`all_pairs_hinge` of both directions, averaged, on a CUDA device.

    Args:
        similarity: (images, captions) on the device; computed in float32.
        relevance: (images, captions) on the device, NaN = unknown.
        gap: the least difference of relevance that orders a pair.
        margin: by how much the more relevant candidate must be more similar.

    Returns:
        A scalar; 0 with a zero gradient where nothing is ordered.

    Cost: O(queries x candidates^2) comparisons in registers; memory of the matrices and one gradient.
    """
    value: Tensor = _TritonPairs.apply(similarity, relevance, gap, margin)  # type: ignore[no-untyped-call]
    return value


class _TritonPairs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, similarity: Tensor, relevance: Tensor, gap: float, margin: float) -> Tensor:
        scores, labels = similarity.detach().float(), relevance.float()
        value, gradient = _one_direction(scores, labels, gap, margin)
        turned_value, turned_gradient = _one_direction(scores.mT, labels.mT, gap, margin)
        ctx.save_for_backward(gradient.add_(turned_gradient.mT).div_(2).to(similarity.dtype))
        return ((value + turned_value) / 2).to(similarity.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None, None


def _one_direction(scores: Tensor, labels: Tensor, gap: float, margin: float) -> tuple[Tensor, Tensor]:
    scores, labels = scores.contiguous(), labels.contiguous()
    queries, candidates = scores.shape
    gradient = torch.empty_like(scores)
    parts = triton.cdiv(candidates, BLOCK)
    totals = torch.empty(queries, parts, dtype=torch.float32, device=scores.device)
    counts = torch.empty(queries, parts, dtype=torch.int32, device=scores.device)
    _count_pairs[(queries, parts)](scores, labels, gradient, totals, counts, candidates, gap, margin, BLOCK=BLOCK)
    pairs = counts.sum(dtype=torch.int64).clamp(min=1)
    return totals.double().sum() / pairs, gradient / pairs
