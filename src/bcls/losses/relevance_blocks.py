"""Continuous labels of a batch, a block at a time, for batches whose (images, captions) matrix is too large to hold."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.losses.matrices import check_relevance, require_tensor

Relevance = Tensor | Callable[[slice, slice], Tensor] | None


class RelevanceBlocks:
    """Checked blocks of relevance, from a matrix or from whoever can make a block of it.

    Args:
        relevance: (images, captions) in [0, 1], NaN = unknown; or a function of a slice of images and a slice of
            captions that returns the block of both.
        images: how many images.
        captions: how many captions.
        device: where the blocks are wanted.

    Raises:
        InputError: missing, neither a matrix nor a function, or a matrix of another shape; when a block is asked for,
            also another shape of the block, not floating point, or outside [0, 1] (the first is named).

    Example:
        >>> blocks = RelevanceBlocks(lambda i, j: torch.eye(3)[i, j], 3, 3, torch.device("cpu"))
        >>> blocks(slice(0, 1), slice(0, 3))
        tensor([[1., 0., 0.]])
    """

    def __init__(self, relevance: Relevance, images: int, captions: int, device: torch.device) -> None:
        if relevance is None:
            raise InputError(
                "this loss needs relevance: an (images, captions) matrix in [0, 1], NaN = unknown, or a function of a "
                "slice of images and a slice of captions that returns such a block"
            )
        if isinstance(relevance, Tensor):
            require_tensor(relevance, "relevance")
            if relevance.shape != (images, captions):
                raise InputError(f"relevance is {tuple(relevance.shape)}, but similarity is {(images, captions)}")
        elif not callable(relevance):
            raise InputError(f"relevance must be a tensor or a function, not {type(relevance).__name__}")
        self._relevance = relevance
        self._images, self._captions, self._device = images, captions, device

    def of_images(self, images: slice) -> Tensor:
        """(images of the slice, all captions)."""
        return self(images, slice(0, self._captions))

    def of_captions(self, captions: slice) -> Tensor:
        """(captions of the slice, all images): columns as rows, since relevance is not symmetric."""
        return self(slice(0, self._images), captions).mT.contiguous()

    def __call__(self, images: slice, captions: slice) -> Tensor:
        """(images of the slice, captions of the slice)."""
        given = self._relevance
        block = given[images, captions] if isinstance(given, Tensor) else given(images, captions)
        if not isinstance(block, Tensor):
            raise InputError(f"the relevance function must return a tensor, not {type(block).__name__}")
        shape = (images.stop - images.start, captions.stop - captions.start)
        expected = torch.empty((), device=self._device).expand(shape)
        return check_relevance(expected, block, first=(images.start, captions.start))
