"""Smooth-NDCG: the ranking metric itself, with sigmoids in the place of comparisons."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.losses.base import RetrievalLoss
from bcls.losses.matrices import both_directions, check_relevance, check_similarity, require_relevance
from bcls.losses.pair_blocks import query_and_candidate_blocks
from bcls.losses.settings import require_above_zero
from bcls.losses.triplet import Negatives, TripletLoss

BLOCK_ELEMENTS = 1 << 22


def smooth_ndcg_loss(
    similarity: Tensor, relevance: Tensor, *, temperature: float = 0.01, validate: bool = True
) -> Tensor:
    """The graded term of `SmoothNDCGLoss`; see there.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.5, 0.1]])
        >>> relevance = torch.tensor([[0.0, 1.0, 0.5]])
        >>> smooth_ndcg_loss(similarity, relevance, temperature=0.01)
        tensor(0.1678)
    """
    require_above_zero(temperature=temperature)
    similarity = check_similarity(similarity, validate=validate)
    relevance = check_relevance(similarity, relevance, validate=validate).to(similarity.dtype)
    return both_directions(partial(_one_direction, temperature=temperature), similarity, relevance)


def _one_direction(similarity: Tensor, relevance: Tensor, *, temperature: float) -> Tensor:
    value: Tensor = _SmoothNDCG.apply(similarity, relevance, temperature)  # type: ignore[no-untyped-call]
    return value


class _SmoothNDCG(torch.autograd.Function):
    """The value and its gradient at once, a block of queries at a time; only the gradient is kept."""

    @staticmethod
    def forward(ctx: Any, similarity: Tensor, relevance: Tensor, temperature: float) -> Tensor:
        known = ~relevance.isnan()
        gains = torch.exp2(relevance.nan_to_num(0.0)) - 1
        place = torch.arange(gains.shape[1], device=gains.device, dtype=gains.dtype)
        ideal = (gains.sort(dim=1, descending=True).values / torch.log2(place + 2)).sum(dim=1)
        counts = ideal > 0
        shares = gains / torch.where(counts, ideal, 1.0)[:, None]
        total = similarity.new_zeros(())
        gradient = torch.zeros_like(similarity)
        for block, part in query_and_candidate_blocks(similarity, BLOCK_ELEMENTS):
            value, own, others = _block(similarity[block], known[block], shares[block], part, temperature)
            total = total + value
            gradient[block] -= others
            gradient[block, part] += own
        gradient.masked_fill_(~known, 0.0)
        queries = counts.sum().clamp(min=1)
        ctx.save_for_backward(gradient / queries)
        return (counts.sum() - total) / queries

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        if torch.is_grad_enabled():  # create_graph: what would follow from the saved gradient is wrong, not zero
            raise InputError("the Smooth-NDCG loss cannot be differentiated twice (create_graph)")
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None


def _block(
    similarity: Tensor, known: Tensor, shares: Tensor, part: slice, temperature: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The part's share of the smooth NDCG of a few queries, and both terms of the gradient of its negative.

    With v_j = share_j f'(rank_j), f the discount, and d_jk = sigmoid' of the pair, which is symmetric:
    the gradient at k is -(sum_j v_j d_jk - v_k sum_j d_kj) / t. Here j runs over the part.
    """
    above = torch.sigmoid((similarity[:, None, :] - similarity[:, part, None]) / temperature) * known[:, None, :]
    log_rank = torch.log1p(0.5 + above.sum(dim=2))  # the candidate itself is counted with a half
    value = (shares[:, part] * math.log(2) / log_rank).sum()
    slopes = -shares[:, part] * math.log(2) / (torch.exp(log_rank) * log_rank**2)
    steep = above.mul_(1 - above)
    own = slopes * steep.sum(dim=2)
    others = steep.mul_(slopes[:, :, None]).sum(dim=1)
    return value, own / temperature, others / temperature


class SmoothNDCGLoss(RetrievalLoss):
    """(1 - weight) x Triplet + weight x (1 - smooth NDCG): graded relevance by the metric that measures it.

    The smooth rank of candidate j of query i is 1 + sum over k != j of sigmoid((s_ik - s_ij) / t). With the gain
    2^r - 1 and the discount 1 / log2(1 + rank), the graded term is the mean over queries of 1 - DCG / ideal DCG,
    averaged over the two directions. Candidates of unknown relevance (NaN) are left out of the list. A query whose
    candidates are all worth nothing gives no term; without any other query the term is 0 with a zero gradient.

    Args:
        temperature: t, above 0; towards 0 the smooth rank becomes the rank, and the gradient vanishes between ranks.
        weight: of the graded term, in [0, 1]; with 1 positives are not used, and are not needed.
        margin: of the triplet term.
        negatives: of the triplet term; the published one is `hard`.
        validate: whether to check the values of scores and labels in every call; see `RetrievalLoss`.

    Raises:
        InputError: a setting out of range.

    Cost: O(queries x candidates^2) time, so O(B^3) in the batch size; O(images x captions) memory beside a
    block of four million pairs, forward and backward. The gradient is computed with the value and cannot be
    differentiated again.

    Source: arXiv 2305.16566. There the caption direction reads the image direction's labels, and equally relevant
    candidates share the best of their ideal ranks, so that even a perfect order pays where a query has two positives;
    here each direction has its own labels and the ideal order has distinct ranks.

    Example:
        >>> loss = SmoothNDCGLoss(temperature=0.01, weight=0.5)
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> relevance = torch.tensor([[0.6, 1.0], [0.2, 1.0]])
        >>> {name: round(term.item(), 4) for name, term in loss.terms(similarity, relevance).items()}
        {'triplet': 0.175, 'smooth_ndcg': 0.0337}
        >>> loss(similarity, relevance)
        tensor(0.1044)
    """

    uses_relevance: ClassVar[bool] = True

    def __init__(
        self,
        *,
        temperature: float = 0.01,
        weight: float = 0.5,
        margin: float = 0.2,
        negatives: Negatives = "hard",
        validate: bool = True,
    ) -> None:
        super().__init__(validate=validate)
        require_above_zero(temperature=temperature)
        if not 0 <= weight <= 1:
            raise InputError(f"weight is {weight}; it must lie in [0, 1]")
        self.temperature = temperature
        self.weight = weight
        self.triplet = TripletLoss(margin=margin, negatives=negatives, validate=validate)

    def terms(
        self, similarity: Tensor, relevance: Tensor | None = None, positives: Tensor | None = None
    ) -> dict[str, Tensor]:
        """`{"triplet": ..., "smooth_ndcg": ...}` without their weights; with weight 1 the latter alone."""
        relevance = require_relevance(relevance)
        graded = {
            "smooth_ndcg": smooth_ndcg_loss(similarity, relevance, temperature=self.temperature, validate=self.validate)
        }
        return graded if self.weight == 1 else {**self.triplet.terms(similarity, positives=positives), **graded}

    def combine(self, terms: dict[str, Tensor]) -> Tensor:
        """The weighted mean of the two terms."""
        graded = self.weight * terms["smooth_ndcg"]
        return graded if self.weight == 1 else (1 - self.weight) * terms["triplet"] + graded
