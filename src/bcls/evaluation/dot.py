"""The dot product of embeddings, one block at a time, for models that do not compare by the cosine."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.evaluation.arrays import slice_if_consecutive
from bcls.evaluation.cosine import GRID, CosineSimilarity
from bcls.evaluation.truth import Rows

SimilarityFunction: TypeAlias = Literal["cosine", "dot"]
SIMILARITY_FUNCTIONS: tuple[SimilarityFunction, ...] = get_args(SimilarityFunction)

PAIRS = 4096
"""Pairs that are computed at once."""


class DotSimilarity:
    """The dot product of image and caption embeddings, one block at a time.

    It is computed in double precision, brought to a grid some 2**39 times finer than the product of both lengths,
    and returned in single precision. So equal embeddings get equal scores however the blocks are cut, and dot products
    of whole numbers are exact. A row of zeros has the score 0.

    Args:
        image_embeddings: shape (I, D), numpy or torch, any floating type.
        caption_embeddings: shape (T, D).

    Attributes:
        images: the image embeddings, shape (I, D), float64.
        captions: the caption embeddings, shape (T, D), float64.

    Raises:
        InputError: not two matrices of one width, or a row that is not finite.

    Example:
        >>> dot = DotSimilarity([[3.0, 4.0]], [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
        >>> dot(np.array([0]), np.array([0, 1, 2]))
        array([[3., 8., 0.]], dtype=float32)
    """

    def __init__(self, image_embeddings: Any, caption_embeddings: Any) -> None:
        self.images, self._image_scale = _rows(image_embeddings, "image_embeddings")
        self.captions, self._caption_scale = _rows(caption_embeddings, "caption_embeddings")
        if self.images.shape[1] != self.captions.shape[1]:
            raise InputError(
                f"image_embeddings have {self.images.shape[1]} dimensions and caption_embeddings have "
                f"{self.captions.shape[1]}: they must lie in one space"
            )

    def __call__(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """Dot products of these images and captions, shape (len(images), len(captions))."""
        left, right = slice_if_consecutive(images), slice_if_consecutive(captions)
        scale = self._image_scale[left][:, None], self._caption_scale[right][:, None]
        product = (self.images[left] / scale[0]) @ (self.captions[right] / scale[1]).T
        return _rounded(product, scale[0], scale[1].T)

    def pairs(self, images: Rows, captions: Rows) -> NDArray[np.float32]:
        """Dot product of each image with the caption at the same place, shape (P,)."""
        parts = []
        for start in range(0, images.size, PAIRS):
            left, right = images[start : start + PAIRS], captions[start : start + PAIRS]
            scale = self._image_scale[left], self._caption_scale[right]
            one, other = self.images[left] / scale[0][:, None], self.captions[right] / scale[1][:, None]
            parts.append(_rounded(np.einsum("pd,pd->p", one, other), *scale))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def embeddings_similarity(
    image_embeddings: Any, caption_embeddings: Any, similarity_function: str = "cosine"
) -> CosineSimilarity | DotSimilarity:
    """How embeddings are compared, by name.

    Args:
        image_embeddings: shape (I, D).
        caption_embeddings: shape (T, D).
        similarity_function: `cosine` or `dot`.

    Raises:
        InputError: an unknown name, or embeddings that cannot be compared.

    Example:
        >>> embeddings_similarity([[2.0]], [[3.0]], "dot")(np.array([0]), np.array([0]))
        array([[6.]], dtype=float32)
    """
    if similarity_function not in SIMILARITY_FUNCTIONS:
        raise InputError(f"similarity_function {similarity_function!r}: there are {', '.join(SIMILARITY_FUNCTIONS)}")
    compare = CosineSimilarity if similarity_function == "cosine" else DotSimilarity
    return compare(image_embeddings, caption_embeddings)


def _rows(values: Any, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows, and for each the least power of two above its length: to divide by it rounds nothing."""
    rows = to_array(values, name).astype(np.float64)
    if rows.ndim != 2:
        raise InputError(f"{name} must be a matrix (rows, dimensions), got shape {rows.shape}")
    largest = np.max(np.abs(rows), axis=1, initial=0.0)
    bad = np.flatnonzero(~np.isfinite(largest))
    if bad.size:
        raise InputError(f"{name}: row {bad[0]} has a number that is not finite")
    _, exponent = np.frexp(largest)
    return rows, np.ldexp(1.0, exponent + (rows.shape[1].bit_length() + 1) // 2)


def _rounded(product: NDArray[np.float64], *scales: NDArray[np.float64]) -> NDArray[np.float32]:
    """The product of scaled rows on the grid, in the rows' own scale."""
    product += GRID
    product -= GRID
    for scale in scales:
        product *= scale
    with np.errstate(over="ignore"):  # an infinite score is refused where it is used, with its image and caption
        return product.astype(np.float32)
