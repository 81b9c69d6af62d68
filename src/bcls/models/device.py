"""Where a module computes."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from bcls.errors import InputError

Module = TypeVar("Module", bound=nn.Module)


def to_device(module: Module, device: torch.device | str) -> Module:
    """The module, moved to a device.

    Raises:
        InputError: there is no such device, or this build of torch cannot use it.

    Example:
        >>> to_device(nn.Linear(2, 2), "gpu")
        Traceback (most recent call last):
        bcls.errors.InputError: device 'gpu' cannot be used here (Expected one of cpu, cuda, ...
    """
    try:
        return module.to(device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise InputError(f"device {str(device)!r} cannot be used here ({' '.join(str(error).split())[:160]})") from None
