"""What a similarity is: it compares embeddings of images with embeddings of captions, every one with every other."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from bcls.precision import at_least_single, inner_products, without_autocast


class Similarity(nn.Module, ABC):
    """Base of all similarities.

    An embedding is one vector of length 1, or a set of such vectors: a region or a word each. Sets come as one tensor
    (sets, longest, dim) in which padding is zero; no real member is. A constructor takes plain settings only and keeps
    each under its own name.

    Calling it compares in float32 at least, also under autocast: a similarity rounded to bfloat16 has 8 bits, which
    makes most candidates of a query equal. `forward` never sees narrower formats.

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

    def __call__(self, images: Tensor, captions: Tensor) -> Tensor:
        """`forward` in single precision (double where an embedding is), without autocast."""
        with without_autocast(images.device):
            similarity: Tensor = super().__call__(at_least_single(images), at_least_single(captions))
            return similarity

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
        return inner_products(images, captions)


def real_members(sets: Tensor) -> Tensor:
    """(sets, longest, dim) -> (sets, longest) bool, False for padding.

    Example:
        >>> import torch
        >>> real_members(torch.tensor([[[0.6, 0.8], [0.0, 0.0]]]))
        tensor([[ True, False]])
    """
    return (sets != 0).any(dim=2)
