"""The cosine of embeddings, one block at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.arrays import slice_if_consecutive
from bcls.evaluation.truth import Rows
from bcls.threads import over_rows

GRID = 8192.0
"""Added and taken off again it brings a cosine to a multiple of 2**-39: sums of another order agree near 0 too."""

UNIT_ROWS = 64
"""Rows brought to length 1 at a time, so that they stay in the cache."""


class CosineSimilarity:
    """The cosine of image and caption embeddings, one block at a time.

    It is computed in double, brought to a grid of 2**-39 and returned in single precision: equal embeddings get equal
    scores however the blocks are cut, near 0 too, so that ties are ties and the size of a block changes nothing.

    Args:
        image_embeddings: shape (I, D), numpy or torch, any floating type, of any length other than 0.
        caption_embeddings: shape (T, D).

    Raises:
        InputError: not two matrices of one width, or a row that is zero or not finite.

    Example:
        >>> cosine = CosineSimilarity([[3.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]])
        >>> cosine(np.array([0]), np.array([0, 1]))
        array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, image_embeddings: Any, caption_embeddings: Any) -> None:
        self.images = _unit_rows(image_embeddings, "image_embeddings")
        self.captions = _unit_rows(caption_embeddings, "caption_embeddings")
        if self.images.shape[1] != self.captions.shape[1]:
            raise InputError(
                f"image_embeddings have {self.images.shape[1]} dimensions and caption_embeddings have "
                f"{self.captions.shape[1]}: they must lie in one space"
            )

    def __call__(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """Cosine of these images and captions, shape (len(images), len(captions))."""
        product = self.images[slice_if_consecutive(images)] @ self.captions[slice_if_consecutive(captions)].T
        product += GRID
        product -= GRID
        return np.asarray(product, dtype=np.float32)

    def pairs(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """Cosine of each image with the caption at the same place, shape (P,)."""
        cosines = np.empty(images.size, dtype=np.float32)

        def work(start: int, stop: int) -> None:
            left, right = self.images[images[start:stop]], self.captions[captions[start:stop]]
            cosines[start:stop] = np.einsum("pd,pd->p", left, right) + GRID - GRID

        over_rows(work, images.size, UNIT_ROWS)
        return cosines


def _unit_rows(values: Any, name: str) -> NDArray[np.float64]:
    rows = to_array(values, name)
    if rows.ndim != 2:
        raise InputError(f"{name} must be a matrix (rows, dimensions), got shape {rows.shape}")
    units = np.empty(rows.shape, dtype=np.float64)

    def work(start: int, stop: int) -> None:
        part = rows[start:stop].astype(np.float64)
        largest = np.max(np.abs(part), axis=1, initial=0.0)
        bad = np.flatnonzero(~np.isfinite(largest))  # NaN and infinity are larger than any number
        if bad.size:
            raise InputError(f"{name}: row {start + bad[0]} has a number that is not finite")
        zero = np.flatnonzero(largest == 0)
        if zero.size:
            raise InputError(f"{name}: row {start + zero[0]} is zero, which has no direction")
        part /= largest[:, None]  # so that no square overflows or vanishes
        np.divide(part, np.linalg.norm(part, axis=1, keepdims=True), out=units[start:stop])

    over_rows(work, rows.shape[0], UNIT_ROWS)
    return units
