"""Soft triplet terms of a similarity matrix: Triplet-SN, and with no margin InfoNCE."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def soft_triplets(similarity: Tensor, positives: Tensor, *, margin: float, temperature: float | Tensor) -> Tensor:
    """One direction's soft triplet terms: t * log(1 + sum over negatives of exp((s_in - s_ip + m) / t)).

    One log-sum-exp a query and one softplus a positive pair: nothing grows with queries x positives x negatives.

    Args:
        similarity: (queries, candidates).
        positives: (queries, candidates) bool.
        margin: m.
        temperature: t, a number or a learnable scalar.

    Returns:
        (positive pairs,) one term a positive pair, by query; 0 where the query has no negative. Its gradient cannot be
        differentiated again.

    Cost: O(queries x candidates) time; one copy of the similarities, which becomes the softmax over the negatives
    that the backward pass needs.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> soft_triplets(similarity, torch.eye(2, dtype=torch.bool), margin=0.2, temperature=0.05)
        tensor([0.1063, 0.0063])
    """
    scalar = torch.as_tensor(temperature, dtype=similarity.dtype, device=similarity.device)
    terms: Tensor = _SoftTriplets.apply(similarity, scalar, positives, margin)  # type: ignore[no-untyped-call]
    return terms


class _SoftTriplets(torch.autograd.Function):
    """With a positive pair's z = log sum exp(s_in / t) + (m - s_ip) / t, its term is t * log(1 + exp(z)).

    Then d term / d s_in = sigmoid(z) w_in with the softmax w over the negatives, d term / d s_ip = -sigmoid(z), and
    since a term is homogeneous of degree 1 in s, m and t together,
    d term / d t = (term - sigmoid(z) (m + sum_n w_in s_in - s_ip)) / t.
    """

    @staticmethod
    def forward(ctx: Any, similarity: Tensor, temperature: Tensor, positives: Tensor, margin: float) -> Tensor:
        rows, columns = positives.nonzero(as_tuple=True)
        shares = similarity / temperature
        positive = shares[rows, columns]
        shares[rows, columns] = -torch.inf
        pull = _softmax_in_place(shares)
        over = pull[rows] + margin / temperature - positive
        terms = temperature * -F.logsigmoid(-over)
        excess = None
        if ctx.needs_input_grad[1]:
            with torch.autocast(similarity.device.type, enabled=False):  # it would round the products
                mean = torch.linalg.vecdot(shares, similarity, dim=1)
            excess = (terms - over.sigmoid() * (margin + mean[rows] - similarity[rows, columns])) / temperature
        ctx.save_for_backward(shares if ctx.needs_input_grad[0] else None, over.sigmoid(), rows, columns, excess)
        return terms

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        shares, pulling, rows, columns, excess = ctx.saved_tensors
        of_similarity = None
        if shares is not None:
            weights = upstream[0] * pulling
            of_similarity = shares * shares.new_zeros(len(shares)).index_add_(0, rows, weights)[:, None]
            of_similarity[rows, columns] = -weights
        return of_similarity, None if excess is None else (upstream[0] * excess).sum(), None, None


def _softmax_in_place(scores: Tensor) -> Tensor:
    """Turn each row into its softmax and return its log-sum-exp; a row of -inf becomes zeros, with -inf."""
    largest = scores.amax(dim=1, keepdim=True)
    largest.masked_fill_(largest == -torch.inf, 0.0)
    total = scores.sub_(largest).exp_().sum(dim=1, keepdim=True)
    scores.div_(total.clamp(min=torch.finfo(scores.dtype).tiny))
    return total.log().add_(largest).squeeze(1)
