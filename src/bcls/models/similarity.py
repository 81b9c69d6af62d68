"""What a similarity is: it compares embeddings of images with embeddings of captions, every one with every other."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn


class Similarity(nn.Module, ABC):
    """Base of all similarities.

    An embedding is one vector of length 1, or a set of such vectors: a region or a word each. Sets come as one tensor
    (sets, longest, dim) in which padding is zero; no real member is. A constructor takes plain settings only and keeps
    each under its own name.

    Attributes:
        takes_sets: whether it compares sets; otherwise it compares single vectors.
        dim: size of the vectors that it compares; None = any.
    """

    takes_sets: ClassVar[bool] = False
    dim: int | None = None

    def hyperparameters(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name not in {"self", "args", "kwargs"}}

    @abstractmethod
    def forward(self, images: Tensor, captions: Tensor) -> Tensor:
        """(images, [members,] dim), (captions, [members,] dim) -> (images, captions) similarities."""


class Cosine(Similarity):
    """The cosine of single vectors: a product, since they have length 1.

    Example:
        >>> import torch
        >>> Cosine()(torch.eye(2), torch.eye(2))
        tensor([[1., 0.], [0., 1.]])
    """

    def forward(self, images: Tensor, captions: Tensor) -> Tensor:
        """(images, dim), (captions, dim) -> (images, captions)."""
        return images @ captions.T


def real_members(sets: Tensor) -> Tensor:
    """(sets, longest, dim) -> (sets, longest) bool, False for padding.

    Example:
        >>> import torch
        >>> real_members(torch.tensor([[[0.6, 0.8], [0.0, 0.0]]]))
        tensor([[ True, False]])
    """
    return (sets != 0).any(dim=2)
