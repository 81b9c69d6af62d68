"""A fingerprint of a network's weights."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


def weights_hash(module: nn.Module) -> str:
    """SHA-256 of the names and bytes of all tensors of a module, in hexadecimal; where they lie makes no difference.

    Example:
        >>> layer = torch.nn.Linear(2, 2)
        >>> before = weights_hash(layer)
        >>> _ = layer.requires_grad_(False)
        >>> weights_hash(layer) == before
        True
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
