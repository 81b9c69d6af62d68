"""The mean over the terms that count: a query with nothing to say does not dilute it."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_where(values: Tensor, counts: Tensor) -> Tensor:
    """The mean of the values that count; 0 with a zero gradient where none does.

    Args:
        values: any shape; what does not count may be anything.
        counts: bool, the same shape.

    Returns:
        A scalar.

    Example:
        >>> mean_where(torch.tensor([0.2, 0.4, torch.nan]), torch.tensor([True, True, False]))
        tensor(0.3000)
    """
    return torch.where(counts, values, torch.zeros_like(values)).sum() / counts.sum().clamp(min=1)
