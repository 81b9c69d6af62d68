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

from bcls.arrays import refuse_other_order, to_array
from bcls.errors import InputError
from bcls.evaluation.arrays import slice_if_consecutive
from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.dot import DotSimilarity
from bcls.evaluation.ranking import TOLERANCE
from bcls.evaluation.truth import Direction, RetrievalTruth, Rows

Ask: TypeAlias = Callable[[Rows, Rows], Any]

BLOCK_SCORES = 4_000_000
"""Scores held at a time where the caller names no block: some 100 MB of working memory."""


@runtime_checkable
class PairSource(Protocol):
    """Fills blocks, and knows single pairs too."""

    def __call__(self, images: Rows, captions: Rows) -> Any:
        """The numbers of these images and captions, shape (len(images), len(captions))."""

    def pairs(self, images: Rows, captions: Rows) -> Any:
        """The number of each image with the caption at the same place, shape (P,)."""


@runtime_checkable
class GradedRelevance(Protocol):
    """Anything that knows the relevance of some images and some captions."""

    def matrix(self, images: Rows, captions: Rows) -> Any:
        """Relevance in [0, 1], NaN = unknown, shape (len(images), len(captions)), for these row numbers."""


@dataclass(frozen=True, eq=False)
class MatrixSource:
    """A matrix held in memory, shape (I, T): blocks of consecutive rows and columns are views of it."""

    values: NDArray[Any]

    def __call__(self, images: Rows, captions: Rows) -> NDArray[Any]:
        """The numbers of these images and captions, shape (len(images), len(captions))."""
        return np.asarray(self.values[slice_if_consecutive(images)][:, slice_if_consecutive(captions)])

    def pairs(self, images: Rows, captions: Rows) -> NDArray[Any]:
        """The number of each image with the caption at the same place, shape (P,)."""
        return np.asarray(self.values[images, captions])


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
        values = self.unchecked(images, captions)
        self.check(values, images, captions)
        return np.ascontiguousarray(values if forward else values.T)

    def pairs(self, images: Rows, captions: Rows, block: int) -> NDArray[Any]:
        """The number of each image with the caption at the same place, shape (P,).

        A function is asked for the captions of `block` images at a time.

        Args:
            images: ascending rows, shape (P,).
            captions: rows, shape (P,).
            block: images at a time.
        """
        if isinstance(self.ask, PairSource):
            return to_array(self.ask.pairs(images, captions), self.what)
        parts, rows = [np.zeros(0, np.float32)], np.unique(images)
        for start in range(0, rows.size, block):
            asked = rows[start : start + block]
            first, last = np.searchsorted(images, [asked[0], asked[-1] + 1])
            columns, column = np.unique(captions[first:last], return_inverse=True)
            values = self.unchecked(asked, columns)
            self.check(values, asked, columns)
            parts.append(values[np.searchsorted(asked, images[first:last]), column])
        return np.concatenate(parts)

    def unchecked(self, images: Rows, captions: Rows) -> NDArray[Any]:
        """The numbers of these images (rows) and captions (columns), only their shape checked."""
        values = to_array(self.ask(images, captions), self.what)
        if values.shape != (images.size, captions.size):
            raise InputError(
                f"the {self.what} of {images.size} images and {captions.size} captions came in shape {values.shape}"
            )
        return values

    def check(self, values: NDArray[Any], images: Rows, captions: Rows) -> None:
        """Refuse a number out of its range; the message names its image and its caption."""
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
    if isinstance(similarity, CosineSimilarity | DotSimilarity):
        _check_rows(similarity.images, truth.images, "image_embeddings", "images")
        _check_rows(similarity.captions, truth.captions, "caption_embeddings", "captions")
    return Blocks(
        similarity if callable(similarity) else _from_matrix(similarity, truth, "similarity"), truth, "similarity"
    )


def relevance_blocks(relevance: Any, truth: RetrievalTruth) -> Blocks:
    """Blocks of a relevance matrix or of an object that has `matrix(images, captions)`."""
    ask = relevance.matrix if isinstance(relevance, GradedRelevance) else _from_matrix(relevance, truth, "relevance")
    return Blocks(ask, truth, "relevance")


def rows_in_block(block: int | None, width: int) -> int:
    """Queries held at a time: what the caller said, or as many as make `BLOCK_SCORES` with so many candidates.

    Example:
        >>> rows_in_block(None, 25_000), rows_in_block(7, 25_000)
        (160, 7)
    """
    return block or max(1, BLOCK_SCORES // width)


def _from_matrix(matrix: Any, truth: RetrievalTruth, what: str) -> Ask:
    refuse_other_order(matrix, truth.image_ids, what)
    refuse_other_order(matrix, truth.caption_ids, what, axis=1)
    values = to_array(matrix, what)
    if values.shape != (truth.images, truth.captions):
        raise InputError(
            f"the {what} matrix has shape {values.shape}; the truth has {truth.images} images and "
            f"{truth.captions} captions"
        )

    return MatrixSource(values)


def _check_rows(rows: NDArray[Any], expected: int, name: str, what: str) -> None:
    if rows.shape[0] != expected:
        raise InputError(f"{name} has {rows.shape[0]} rows; the truth has {expected} {what}")
