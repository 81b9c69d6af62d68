"""Relevance that is given as a whole matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.errors import InputError
from bcls.relevance.row_numbers import refuse_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MatrixRelevance:
    """Relevance of all images and captions of a split, taken as it is: own captions, too, and NaN = unknown.

    Args:
        matrix: (images, captions), in [0, 1] or NaN; perhaps a memory map, of which a batch reads its own part.
        images: how many images the split has.
        captions: how many captions.
        place: where the matrix came from, for messages.

    Raises:
        InputError: another shape.

    Example:
        >>> relevance = MatrixRelevance(np.array([[1.0, 0.5], [np.nan, 1.0]]), 2, 2, "relevance.npy")
        >>> relevance.matrix(np.array([1, 0]), np.array([0, 1]))
        array([[nan, 1. ],
               [1. , 0.5]], dtype=float32)
    """

    def __init__(self, matrix: NDArray[Any], images: int, captions: int, place: str) -> None:
        if matrix.shape != (images, captions):
            raise InputError(
                f"{place}: is a matrix of shape {tuple(matrix.shape)}, but there are {images} images and {captions} "
                "captions: its rows must be the images and its columns the captions of the split, in their order"
            )
        self._matrix = matrix

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I,) image rows, (T,) caption rows -> (I, T) relevance, NaN = unknown.

        Raises:
            InputError: a row that there is not.
        """
        images, captions = np.asarray(images, dtype=np.int64), np.asarray(captions, dtype=np.int64)
        refuse_rows("image", images, self._matrix.shape[0])
        refuse_rows("caption", captions, self._matrix.shape[1])
        return np.asarray(self._matrix[images[:, None], captions[None, :]], dtype=np.float32)
