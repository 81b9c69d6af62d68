"""Where scores and relevances come from: arrays, or whatever fills one block of the matrix at a time.

A block is asked for by rows: `ask(images, captions)` with two arrays of row numbers returns a matrix of shape
(len(images), len(captions)). So the whole (images, captions) matrix need never exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bcls.errors import InputError
from bcls.evaluation.ranking import TOLERANCE
from bcls.evaluation.truth import Direction, RetrievalTruth, Rows

Ask: TypeAlias = Callable[[Rows, Rows], Any]


@runtime_checkable
class GradedRelevance(Protocol):
    """Anything that knows the relevance of some images and some captions."""

    def matrix(self, images: Rows, captions: Rows) -> Any:
        """Relevance in [0, 1], NaN = unknown, shape (len(images), len(captions)), for these row numbers."""


class CosineSimilarity:
    """The cosine of image and caption embeddings, one block at a time.

    It is computed in double and returned in single precision: equal embeddings get equal scores however the blocks
    are cut, so that ties are ties and the size of a block changes nothing.

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
        product = self.images[_slice_if_consecutive(images)] @ self.captions[_slice_if_consecutive(captions)].T
        return np.asarray(product, dtype=np.float32)


@dataclass(frozen=True)
class Blocks:
    """A checked view of an (images, captions) matrix, turned so that queries are rows.

    Args:
        ask: what fills a block.
        truth: tells sizes and names of rows.
        what: what the numbers are: similarities are finite, relevances lie in [0, 1] or are NaN.
    """

    ask: Ask
    truth: RetrievalTruth
    what: Literal["similarity", "relevance"]

    def block(self, direction: Direction, queries: Rows, candidates: Rows) -> NDArray[Any]:
        """The numbers of these queries (rows) and candidates (columns)."""
        forward = direction == "image_to_text"
        images, captions = (queries, candidates) if forward else (candidates, queries)
        values = to_array(self.ask(images, captions), self.what)
        if values.shape != (images.size, captions.size):
            raise InputError(
                f"the {self.what} of {images.size} images and {captions.size} captions came in shape {values.shape}"
            )
        self._check(values, images, captions)
        return np.ascontiguousarray(values if forward else values.T)

    def _check(self, values: NDArray[Any], images: Rows, captions: Rows) -> None:
        if self.what == "similarity":
            bad, wanted = ~np.isfinite(values), "a finite number"
        else:
            within = (values >= -TOLERANCE) & (values <= 1 + TOLERANCE)
            bad, wanted = ~(within | np.isnan(values)), "between 0 and 1 (NaN for unknown)"
        if bad.any():
            row, column = (int(place[0]) for place in np.nonzero(bad))
            raise InputError(
                f"the {self.what} of {self.truth.name('image', int(images[row]))} and "
                f"{self.truth.name('caption', int(captions[column]))} is {values[row, column]}, not {wanted}"
            )


def similarity_blocks(similarity: Any, truth: RetrievalTruth) -> Blocks:
    """Blocks of a similarity matrix or of a function that fills one block."""
    if isinstance(similarity, CosineSimilarity):
        _check_rows(similarity.images, truth.images, "image_embeddings", "images")
        _check_rows(similarity.captions, truth.captions, "caption_embeddings", "captions")
    return Blocks(
        similarity if callable(similarity) else _from_matrix(similarity, truth, "similarity"), truth, "similarity"
    )


def relevance_blocks(relevance: Any, truth: RetrievalTruth) -> Blocks:
    """Blocks of a relevance matrix or of an object that has `matrix(images, captions)`."""
    ask = relevance.matrix if isinstance(relevance, GradedRelevance) else _from_matrix(relevance, truth, "relevance")
    return Blocks(ask, truth, "relevance")


def to_array(values: Any, name: str) -> NDArray[Any]:
    """Numbers of any kind as a numpy array of float32 or float64 (whole numbers become float64).

    Raises:
        InputError: they are not real numbers.

    Example:
        >>> to_array([[1, 2]], "similarity")
        array([[1., 2.]])
    """
    if hasattr(values, "detach"):  # a torch tensor; numpy has no bfloat16
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() and values.element_size() < 4 else values
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers, got {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        return array.astype(np.float32, copy=False)
    return array.astype(np.float64, copy=False)


def _unit_rows(values: Any, name: str) -> NDArray[np.float64]:
    rows = to_array(values, name).astype(np.float64, copy=False)
    if rows.ndim != 2:
        raise InputError(f"{name} must be a matrix (rows, dimensions), got shape {rows.shape}")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise InputError(f"{name}: row {bad[0]} has a number that is not finite")
    largest = np.max(np.abs(rows), axis=1, initial=0.0)
    zero = np.flatnonzero(largest == 0)
    if zero.size:
        raise InputError(f"{name}: row {zero[0]} is zero, which has no direction")
    rows = rows / largest[:, None]  # so that no square overflows or vanishes
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _from_matrix(matrix: Any, truth: RetrievalTruth, what: str) -> Ask:
    values = to_array(matrix, what)
    if values.shape != (truth.images, truth.captions):
        raise InputError(
            f"the {what} matrix has shape {values.shape}; the truth has {truth.images} images and "
            f"{truth.captions} captions"
        )

    def ask(images: Rows, captions: Rows) -> NDArray[Any]:
        return values[_slice_if_consecutive(images)][:, _slice_if_consecutive(captions)]

    return ask


def _check_rows(rows: NDArray[Any], expected: int, name: str, what: str) -> None:
    if rows.shape[0] != expected:
        raise InputError(f"{name} has {rows.shape[0]} rows; the truth has {expected} {what}")


def _slice_if_consecutive(rows: Rows) -> Rows | slice:
    """A slice takes a view where an array of row numbers takes a copy."""
    if rows.size and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
