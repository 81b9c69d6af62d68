"""One training batch: images, captions and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import torch

from bcls.arrays import to_array
from bcls.data.images import ImageSource
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TokenizedCaptions(Protocol):
    """Captions as a caption tower takes them: rows can be taken from a whole split that was tokenized once."""

    def select(self, rows: torch.Tensor) -> Self:
        """The captions at `rows`, in that order."""
        ...

    def to(self, device: torch.device | str) -> Self:
        """The same captions on another device."""
        ...


@dataclass(frozen=True)
class Batch:
    """B pairs of an image and one of its captions, and what is known of all B x B pairs.

    Attributes:
        images: (B, ...) what the image tower takes.
        captions: B captions, as the caption tower takes them.
        relevance: (B, B) in [0, 1], NaN = unknown; None where no labels were asked for.
        positives: (B, B) bool; None = the diagonal.
    """

    images: torch.Tensor
    captions: TokenizedCaptions
    relevance: torch.Tensor | None
    positives: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return Batch(
            self.images.to(device),
            self.captions.to(device),
            None if self.relevance is None else self.relevance.to(device),
            None if self.positives is None else self.positives.to(device),
        )


class BatchAssembler:
    """Turns caption rows into a `Batch`.

    Args:
        images: where the images come from.
        captions: the split's captions, tokenized.
        caption_image: (captions,) the image row of each caption.
        relevance: continuous labels, or None for a loss that needs none.
    """

    def __init__(
        self,
        images: ImageSource,
        captions: TokenizedCaptions,
        caption_image: NDArray[np.int64],
        relevance: RelevanceSource | None = None,
    ) -> None:
        self._images = images
        self._captions = captions
        self._caption_image = caption_image
        self._relevance = relevance

    def __call__(self, caption_rows: NDArray[np.int64]) -> Batch:
        """The batch of these captions and their images; the cost is one gather and one small matrix product."""
        image_rows = self._caption_image[caption_rows]
        relevance = None
        if self._relevance is not None:
            graded = self._relevance.matrix(image_rows, caption_rows)
            relevance = torch.from_numpy(np.ascontiguousarray(to_array(graded, "relevance")))
        return Batch(
            images=self._images.gather(image_rows),
            captions=self._captions.select(torch.from_numpy(caption_rows)),
            relevance=relevance,
            positives=_positives(image_rows),
        )


def _positives(image_rows: NDArray[np.int64]) -> torch.Tensor | None:
    """None where every image is in the batch once, so that the diagonal says all."""
    if len(np.unique(image_rows)) == len(image_rows):
        return None
    return torch.from_numpy(image_rows[:, None] == image_rows[None, :])
