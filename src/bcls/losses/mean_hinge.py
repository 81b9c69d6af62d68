"""The mean hinge over a query's negatives for each of its positives, by sorting."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class PositiveSlots(NamedTuple):
    """A query's positives side by side.

    Attributes:
        columns: (queries, most positives of a query) index of each positive.
        there: the same shape, bool; the others are padding.
    """

    columns: Tensor
    there: Tensor


def positive_slots(positives: Tensor, *, slots: int | None = None) -> PositiveSlots:
    """The positives of each query, in the candidates' order, padded to the most that a query has.

    Args:
        positives: (queries, candidates) bool.
        slots: how many slots a query has, at least as many as positives; None = the most that a query has, which is
            read from the device.

    Example:
        >>> columns, there = positive_slots(torch.tensor([[True, False, True], [False, True, False]]))
        >>> columns.tolist(), there.tolist()
        ([[0, 2], [1, 0]], [[True, True], [True, False]])
    """
    most = int(positives.sum(dim=1).max()) if slots is None else slots
    columns = positives.to(torch.int8).sort(dim=1, descending=True, stable=True).indices[:, :most]
    return PositiveSlots(columns, positives.gather(1, columns))


def mean_hinges(similarity: Tensor, thresholds: Tensor, negatives: Tensor) -> Tensor:
    """For each threshold, the mean over the query's negatives n of max(0, s_n - threshold).

    Sorted scores and their suffix sums give each sum by one binary search: no (positives, candidates) array a query.

    Args:
        similarity: (queries, candidates), finite.
        thresholds: (queries, any number), finite; a positive's score less the margin.
        negatives: (queries, candidates) bool.

    Returns:
        The shape of the thresholds; 0 where the query has no negative.

    Cost: O(N log N) time a query, O(queries x candidates) memory.

    Example:
        >>> negatives = torch.tensor([[False, True, True]])
        >>> mean_hinges(torch.tensor([[0.5, 0.7, 0.1]]), torch.tensor([[0.3]]), negatives)
        tensor([[0.2000]])
    """
    ordered = similarity.masked_fill(~negatives, -torch.inf).sort(dim=1).values
    below = torch.searchsorted(ordered.detach().contiguous(), thresholds.detach().contiguous(), right=True)
    violating = ordered.shape[1] - below
    sums = suffix_sums(ordered).gather(1, below) - violating * thresholds
    return sums / negatives.sum(dim=1, keepdim=True).clamp(min=1)


def suffix_sums(ordered: Tensor) -> Tensor:
    """(rows, n) -> (rows, n + 1): at k the sum of what stands at k or behind it, at n 0.

    Example:
        >>> suffix_sums(torch.tensor([[1.0, 2.0, 4.0]]))
        tensor([[7., 6., 4., 0.]])
    """
    return torch.cat([ordered.flip(1).cumsum(1).flip(1), ordered.new_zeros(len(ordered), 1)], dim=1)
