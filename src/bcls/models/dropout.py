"""Dropout that does not spend longer on random numbers than a layer on its product."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 1 << 16


class Dropout(nn.Module):
    """In training, zeroes a share of the values and scales the others so that the expectation stays.

    torch draws one random number a value on the CPU, which takes as long as the linear map behind it. Here every 64
    bits of the same generator decide about four values, and the share is rounded to a multiple of 1/65,536. On other
    devices it is torch's.

    Args:
        share: of the values zeroed, at least 0 and below 1.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> Dropout(0.5)(torch.ones(1, 8))
        tensor([[0., 0., 2., 0., 0., 0., 0., 0.]])
        >>> Dropout(0.5).eval()(torch.ones(1, 2))
        tensor([[1., 1.]])
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Tensor) -> Tensor:
        """The same shape."""
        if not self.training or self.share == 0:
            return values
        if values.device.type != "cpu":
            return F.dropout(values, self.share)
        zeroed = min(round(self.share * LEVELS), LEVELS - 1)
        words = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        levels = words.view(torch.int16)[: values.numel()].view(values.shape)
        return (values * (levels >= zeroed - LEVELS // 2)).mul_(LEVELS / (LEVELS - zeroed))

    def extra_repr(self) -> str:
        """The setting, for `print`."""
        return f"{self.share}"
