"""Similarities of sets, a block of pairs at a time, so that memory does not grow with the number of pairs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from bcls.errors import InputError
from bcls.models.similarity import Similarity, real_members
from bcls.models.towers import require_sizes

Side: TypeAlias = tuple[Tensor, ...]
"""What is compared of some images or captions: their sets first, then what is made of each of them once."""

BLOCK = 2_000_000
MOST_IMAGES = 128


class SetSimilarity(Similarity):
    """Base of similarities of sets: cuts images and captions into blocks and compares block by block.

    Captions are taken in the order of their lengths, so that a block has little padding. In training, where there are
    several blocks, each is computed again for its gradient: the memory is that of one block, for about a third more
    time.

    Args:
        block: numbers that an intermediate tensor of a block may hold, four bytes each; some ten such tensors exist at
            a time. It changes no result.
    """

    takes_sets: ClassVar[bool] = True

    def __init__(self, *, block: int = BLOCK) -> None:
        super().__init__()
        require_sizes(block=block)
        self.block = block

    @abstractmethod
    def compare(self, images: Side, captions: Side) -> Tensor:
        """The (images, captions) similarities of one block, from what `image_side` and `caption_side` made."""

    @abstractmethod
    def numbers(self, regions: int, words: int) -> int:
        """How many numbers the largest intermediate tensor holds for one pair."""

    def image_side(self, images: Tensor) -> Side:
        """What `compare` takes of the images; made once for all captions."""
        return (images,)

    def caption_side(self, captions: Tensor) -> Side:
        """What `compare` takes of the captions; made once for all images."""
        return (captions,)

    def forward(self, images: Tensor, captions: Tensor) -> Tensor:
        """(images, regions, dim), (captions, words, dim) -> (images, captions).

        Raises:
            InputError: embeddings that are no sets.
        """
        for what, sets in (("images", images), ("captions", captions)):
            if sets.ndim != 3:
                raise InputError(f"{type(self).__name__} compares sets (..., members, dim); {what} are {sets.shape}")
        if not len(images) or not len(captions):
            return images.new_zeros(len(images), len(captions))
        # No gradient may reach padding: the normalisation below it would multiply that by a trillion.
        images, captions = (sets.masked_fill(~real_members(sets)[..., None], 0.0) for sets in (images, captions))
        left = self.image_side(images)
        columns, places = [], []
        for images_at_once, rows, block in self._caption_blocks(captions, *images.shape[:2]):
            right = self.caption_side(block)
            whole = images_at_once >= len(images) and len(rows) == len(captions)
            parts = [
                self._compared(tuple(part[start : start + images_at_once] for part in left), right, keep=whole)
                for start in range(0, len(images), images_at_once)
            ]
            columns.append(torch.cat(parts))
            places.append(rows)
        return torch.cat(columns, dim=1)[:, torch.argsort(torch.cat(places))]

    def _caption_blocks(self, captions: Tensor, images: int, regions: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Captions, the longest first, each block cut to its longest: images to compare at once, rows, sets."""
        lengths = _last_members(captions)
        order = torch.argsort(lengths, descending=True, stable=True)
        start = 0
        while start < len(order):
            longest = max(1, int(lengths[order[start]]))
            pairs = max(1, self.block // self.numbers(regions, longest))
            images_at_once = min(images, MOST_IMAGES, pairs)
            rows = order[start : start + pairs // images_at_once]
            yield images_at_once, rows, captions[rows, :longest]
            start += len(rows)

    def _compared(self, left: Side, right: Side, *, keep: bool) -> Tensor:
        if keep or not torch.is_grad_enabled():
            return self.compare(left, right)

        def again(*parts: Tensor) -> Tensor:
            return self.compare(parts[: len(left)], parts[len(left) :])

        compared: Tensor = checkpoint(again, *left, *right, use_reentrant=False, preserve_rng_state=False)
        return compared


def _last_members(sets: Tensor) -> Tensor:
    """(sets,) how many places each set needs, up to its last real member."""
    places = torch.arange(1, sets.shape[1] + 1, device=sets.device)
    return (real_members(sets) * places).amax(dim=1)
