"""A scalar of two sets of embeddings whose value and gradients come together, a block of similarities at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bcls.errors import InputError
from bcls.losses.matrices import require_tensor
from bcls.precision import at_least_single


class Inputs(NamedTuple):
    """What a loss is computed from.

    Attributes:
        images: (images, dimensions), float32 or float64, without a gradient.
        captions: (captions, dimensions), the same format.
        temperature: scalar, or None for a loss that has none to learn.
    """

    images: Tensor
    captions: Tensor
    temperature: Tensor | None


class Needs(NamedTuple):
    """Whose gradients are wanted."""

    images: bool
    captions: bool
    temperature: bool

    def swapped(self) -> Needs:
        """With captions as queries."""
        return Needs(self.captions, self.images, self.temperature)


class Blocked(NamedTuple):
    """A value with its gradients; None where none is wanted.

    Attributes:
        value: scalar.
        images: (images, dimensions).
        captions: (captions, dimensions).
        temperature: scalar.
    """

    value: Tensor
    images: Tensor | None = None
    captions: Tensor | None = None
    temperature: Tensor | None = None


Compute = Callable[[Inputs, Needs], Blocked]


def blocked(compute: Compute, images: Tensor, captions: Tensor, temperature: Tensor | None = None) -> Tensor:
    """What `compute` says of embeddings (and a temperature), as a scalar that backpropagates.

    The gradients are made in the forward pass where they are wanted. A later backward pass would have to make every
    block of similarities again, and sort its queries again; and since the result is a scalar, its gradients are known
    up to one factor, by which the backward pass multiplies. What is kept until then has the size of the embeddings.

    Args:
        compute: value and gradients from detached embeddings; it runs without autograd and without autocast.
        images: (images, dimensions), float32 or float64.
        captions: (captions, dimensions), the same format.
        temperature: a scalar whose gradient may be wanted.

    Returns:
        A scalar. Its gradients cannot be differentiated again.
    """
    inputs = (images, captions, temperature)
    needs = Needs(*(torch.is_grad_enabled() and x is not None and x.requires_grad for x in inputs))
    value: Tensor = _Blocked.apply(*inputs, lambda given: compute(given, needs))  # type: ignore[no-untyped-call]
    return value


class _Blocked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        images, captions, temperature, compute = arguments
        with torch.autocast(images.device.type, enabled=False):
            value, *gradients = compute(Inputs(images, captions, temperature))
        ctx.save_for_backward(*gradients)
        return cast(Tensor, value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        gradients = tuple(None if g is None else upstream[0] * g for g in ctx.saved_tensors)
        return *gradients, None


def check_embeddings(images: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings whose products are safe to sum.

    Args:
        images: (images, dimensions), floating point, finite.
        captions: (captions, dimensions).

    Returns:
        The same values in one format, float32 at least.

    Raises:
        InputError: not two non-empty floating-point matrices of as many dimensions, on two devices, a value is NaN or
            infinite (the first row is named), or so large that a similarity could be.
    """
    if isinstance(images, Tensor) and isinstance(captions, Tensor) and images.device != captions.device:
        raise InputError(f"image embeddings are on {images.device}, caption embeddings on {captions.device}")
    for name, embeddings in (("image", images), ("caption", captions)):
        require_tensor(embeddings, f"{name} embeddings")
        if embeddings.ndim != 2 or embeddings.numel() == 0:
            raise InputError(
                f"{name} embeddings must be a non-empty ({name}s, dimensions) matrix, not {tuple(embeddings.shape)}"
            )
        if not embeddings.is_floating_point():
            raise InputError(f"{name} embeddings must be floating point, not {embeddings.dtype}")
    if images.shape[1] != captions.shape[1]:
        raise InputError(f"image embeddings have {images.shape[1]} dimensions, caption embeddings {captions.shape[1]}")
    images, captions = at_least_single(images), at_least_single(captions)
    form = torch.promote_types(images.dtype, captions.dtype)
    images, captions = images.to(form), captions.to(form)
    longest = _longest(images, "image") * _longest(captions, "caption")
    if not longest < torch.finfo(form).max:
        raise InputError("a similarity of these embeddings may overflow: scale them down (or divide by their norms)")
    return images, captions


def _longest(embeddings: Tensor, name: str) -> float:
    with torch.no_grad():
        longest = float(torch.linalg.vector_norm(embeddings, dim=1).max())
        finite = embeddings.isfinite().all(dim=1)
    if not math.isfinite(longest) and not bool(finite.all()):
        row = int((~finite).nonzero()[0].item())
        raise InputError(
            f"the embedding of {name} {row} is not finite: scores must be finite (a diverging model or a division by a "
            "zero norm gives such scores)"
        )
    return longest
