"""Similarities in single precision, also under mixed precision: what is compared must not be rounded on the way.

A cosine that is rounded to bfloat16 keeps 8 bits. Within one query most cosines then become equal, and a loss that
orders candidates sees their rounding instead of their order.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor


def at_least_single(tensor: Tensor) -> Tensor:
    """float16, bfloat16, narrower formats and whole numbers become float32; float32 and float64 stay as they are.

    Example:
        >>> at_least_single(torch.ones(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return tensor if tensor.is_floating_point() and tensor.element_size() >= 4 else tensor.float()


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which autocast on this device rounds nothing.

    Example:
        >>> with torch.autocast("cpu", torch.bfloat16), without_autocast(torch.device("cpu")):
        ...     (torch.ones(1, 2) @ torch.ones(2, 1)).dtype
        torch.float32
    """
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def unit_rows(vectors: Tensor) -> Tensor:
    """Vectors brought to length 1 over their last axis, in float32 at least.

    In float16 the square of a component above 255 overflows, and the length with it.

    Example:
        >>> unit_rows(torch.tensor([[300.0, 400.0]], dtype=torch.float16))
        tensor([[0.6000, 0.8000]])
    """
    with without_autocast(vectors.device):
        return F.normalize(at_least_single(vectors), dim=-1)


def inner_products(left: Tensor, right: Tensor) -> Tensor:
    """(n, dim), (m, dim) -> (n, m) inner products, computed and returned in float32 (float64 where one side is).

    Example:
        >>> with torch.autocast("cpu", torch.bfloat16):
        ...     inner_products(torch.ones(1, 2), torch.ones(1, 2).bfloat16())
        tensor([[2.]])
    """
    left, right = at_least_single(left), at_least_single(right)
    form = torch.promote_types(left.dtype, right.dtype)
    with without_autocast(left.device):
        return left.to(form) @ right.to(form).mT
