"""A similarity that is dear to compute: every pair is computed once, and only if it is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.arrays import slice_if_consecutive
from bcls.evaluation.similarity import Ask
from bcls.evaluation.truth import Rows
from bcls.progress import progress

TILE = (200, 1000)
"""Images and captions that are computed together; whole folds of 1,000 images and 5,000 captions are made of such."""


class KeptSimilarity:
    """Asks for tiles of the (images, captions) matrix as they are needed, and keeps them.

    An evaluation asks for most pairs twice, once in each direction. That costs next to nothing for the cosine of two
    vectors, and twice as long for a cross attention. The memory is the whole matrix in single precision, four bytes a
    pair.

    Args:
        ask: fills a block: `(image rows, caption rows) -> (len(image rows), len(caption rows))`.
        images: how many there are.
        captions: how many there are.

    Example:
        >>> asked = []
        >>> def ask(images, captions):
        ...     asked.append((len(images), len(captions)))
        ...     return images[:, None] + captions
        >>> kept = KeptSimilarity(ask, 3, 4)
        >>> kept(np.array([2]), np.array([0, 3])), kept(np.array([0, 1]), np.array([3])), asked
        (array([[2., 5.]], dtype=float32), array([[3.], [4.]], dtype=float32), [(3, 4)])
    """

    def __init__(self, ask: Ask, images: int, captions: int) -> None:
        self._ask = ask
        self._values = np.empty((images, captions), dtype=np.float32)
        self._done = np.zeros([-(-size // step) for size, step in zip((images, captions), TILE, strict=True)], bool)

    def __call__(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """The numbers of these images and captions, shape (len(images), len(captions))."""
        touched = np.ix_(np.unique(images // TILE[0]), np.unique(captions // TILE[1]))
        missing = [(int(touched[0][r, 0]), int(touched[1][0, c])) for r, c in np.argwhere(~self._done[touched])]
        for tile in progress(missing, "comparing", unit="tile") if missing else ():
            self._fill(*tile)
        return np.asarray(self._values[slice_if_consecutive(images)][:, slice_if_consecutive(captions)])

    def pairs(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """The number of each image with the caption at the same place, shape (P,)."""
        for row, column in np.unique(np.stack([images // TILE[0], captions // TILE[1]]), axis=1).T.tolist():
            if not self._done[row, column]:
                self._fill(row, column)
        return np.asarray(self._values[images, captions])

    def _fill(self, row: int, column: int) -> None:
        images = np.arange(row * TILE[0], min((row + 1) * TILE[0], self._values.shape[0]))
        captions = np.arange(column * TILE[1], min((column + 1) * TILE[1], self._values.shape[1]))
        block = to_array(self._ask(images, captions), "similarity")
        if block.shape != (images.size, captions.size):
            raise InputError(
                f"the similarity of {images.size} images and {captions.size} captions came in shape {block.shape}"
            )
        self._values[images[0] : images[-1] + 1, captions[0] : captions[-1] + 1] = block
        self._done[row, column] = True
