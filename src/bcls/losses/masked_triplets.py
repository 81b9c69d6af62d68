"""Triplet terms of a mask of positives instead of a list of them: every shape is known beforehand.

How many pairs are positive only the device knows; a list of them makes the program wait for it, and cannot be part of
a compiled graph. Here every (query, candidate) pair gets the term that it has as a positive pair, and the caller takes
the mean over those that are one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bcls.losses.mean_hinge import suffix_sums


def masked_soft(similarity: Tensor, positives: Tensor, *, margin: float, temperature: float | Tensor) -> Tensor:
    """T * log(1 + sum over the query's negatives n of exp((s_n - s + m) / t)) for every candidate's s.

    Args:
        similarity: (queries, candidates).
        positives: (queries, candidates) bool.
        margin: m.
        temperature: t, a number or a learnable scalar.

    Returns:
        (queries, candidates); 0 where the query has no negative.

    Example:
        >>> similarity = torch.tensor([[0.9, 0.8], [0.1, 0.4]])
        >>> masked_soft(similarity, torch.eye(2, dtype=torch.bool), margin=0.2, temperature=0.05).diagonal()
        tensor([0.1063, 0.0063])
    """
    scaled = similarity / temperature
    pulling = scaled.masked_fill(positives, -torch.inf)
    largest = pulling.detach().amax(dim=1, keepdim=True)
    largest = largest.masked_fill(largest == -torch.inf, 0.0)
    total = (pulling - largest).exp().sum(dim=1, keepdim=True)  # at least 1, or 0 where there is no negative
    some = total > 0
    log_total = torch.where(some, torch.where(some, total, 1.0).log(), -torch.inf)  # the inner one spares log(0)
    return temperature * -F.logsigmoid(scaled - margin / temperature - largest - log_total)


def masked_hardest(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    """max(0, m + the largest s_n of the query's negatives - s) for every candidate's s: (queries, candidates)."""
    hardest = similarity.masked_fill(positives, -torch.inf).amax(dim=1, keepdim=True)
    return F.relu(margin + hardest - similarity)


def masked_semi_hard(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    """max(0, m + the largest s_n below s - s) for every candidate's s, 0 where none is: (queries, candidates)."""
    ordered = similarity.masked_fill(positives, -torch.inf).sort(dim=1).values
    below = torch.searchsorted(ordered.detach().contiguous(), similarity.detach().contiguous())
    chosen = torch.where(below > 0, ordered.gather(1, (below - 1).clamp(min=0)), -torch.inf)
    return F.relu(margin + chosen - similarity)


def masked_all(similarity: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    """The sum over the query's negatives n of max(0, m + s_n - s) for every candidate's s: (queries, candidates)."""
    ordered = similarity.masked_fill(positives, -torch.inf).sort(dim=1).values
    threshold = similarity - margin
    below = torch.searchsorted(ordered.detach().contiguous(), threshold.detach().contiguous(), right=True)
    return suffix_sums(ordered).gather(1, below) - (ordered.shape[1] - below) * threshold
