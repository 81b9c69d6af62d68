"""Relevance of images and captions, made on the fly from encodings of captions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from bcls.arrays import to_rows
from bcls.errors import InputError
from bcls.relevance.calibration import Calibration
from bcls.relevance.encodings import Encodings
from bcls.relevance.row_numbers import refuse_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_ELEMENTS = 1 << 24


class RelevanceSource(Protocol):
    """Gives the continuous labels of any images and captions of one split."""

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I,) image rows, (T,) caption rows -> (I, T) relevance in [0, 1], NaN = unknown."""
        ...


class CaptionRelevance:
    """Relevance of image i and caption j: the best (or mean) similarity of j to the captions of i; own captions are 1.

    Any number of captions per image; an image without captions is unknown (NaN) to all.

    Args:
        encodings: of all captions of the split.
        caption_image: (captions,) image row of each caption.
        aggregate: `max` or `mean` over the image's captions.
        calibration: maps the similarities of captions to another scale, e.g. that of people's ratings; it must never
            fall. None = as they are.

    Raises:
        InputError: the counts differ, an image row is negative, or `aggregate` is another word.

    Example:
        >>> from bcls.relevance import DenseEncodings
        >>> vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], dtype=np.float32)
        >>> relevance = CaptionRelevance(DenseEncodings(vectors), np.array([0, 0, 1]))
        >>> relevance.matrix(np.array([0, 1]), np.array([0, 1, 2])).round(2)
        array([[1. , 1. , 0.8],
               [0. , 0.8, 1. ]], dtype=float32)
    """

    def __init__(
        self,
        encodings: Encodings,
        caption_image: NDArray[np.int64],
        *,
        aggregate: Literal["max", "mean"] = "max",
        calibration: Calibration | None = None,
    ) -> None:
        self._caption_image = to_rows(caption_image, "caption_image")
        if len(encodings) != len(self._caption_image):
            raise InputError(f"{len(encodings)} captions are encoded, but caption_image has {len(caption_image)} rows")
        if aggregate not in ("max", "mean"):
            raise InputError(f"aggregate is {aggregate!r}; it must be max or mean")
        self._encodings = encodings
        self._aggregate = aggregate
        self._calibration = calibration
        if len(caption_image) and self._caption_image.min() < 0:
            raise InputError(f"caption_image holds {self._caption_image.min()}; image rows count from 0")
        images = int(self._caption_image.max()) + 1 if len(caption_image) else 0
        self._order = np.argsort(self._caption_image, kind="stable")
        self._starts = np.searchsorted(self._caption_image[self._order], np.arange(images + 1))

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Relevance of these images and captions.

        Args:
            images: (I,) image rows.
            captions: (T,) caption rows.

        Returns:
            (I, T) float32 in [0, 1], NaN for an image without captions.

        Raises:
            InputError: a negative image row, or a caption row that there is not.

        Cost: one product of (captions of the images) x (captions): about 1 ms for 128 images of five captions, 128
        captions and 384 dimensions. It is made in blocks of at most 16 million similarities (or one image's captions).
        """
        images, captions = to_rows(images, "images"), to_rows(captions, "captions")
        self._refuse_unknown(images, captions)
        result = np.full((len(images), len(captions)), np.nan, dtype=np.float32)
        ends = np.cumsum(self._counts(images))
        block = np.maximum(ends - 1, 0) * len(captions) // BLOCK_ELEMENTS
        starts = np.flatnonzero(np.diff(block, prepend=-1))
        for start, end in pairwise([*starts.tolist(), len(images)]):
            self._fill(result[start:end], images[start:end], captions)
        result[images[:, None] == self._caption_image[captions][None, :]] = 1.0
        return result

    def _fill(self, result: NDArray[np.float32], images: NDArray[np.int64], captions: NDArray[np.int64]) -> None:
        counts = self._counts(images)
        has = counts > 0
        if not has.any():
            return
        ends = np.cumsum(counts[has])
        starts = ends - counts[has]
        place = np.repeat(self._starts[images[has]] - starts, counts[has]) + np.arange(ends[-1])
        similarity = self._encodings.similarity(self._order[place], captions)
        if self._aggregate == "max":
            best = _over_runs(np.maximum, similarity, starts)
            result[has] = self._calibrated(best)  # a map that never falls keeps the best one best: fewer to map
        else:
            result[has] = _over_runs(np.add, self._calibrated(similarity), starts) / counts[has][:, None]

    def _calibrated(self, similarity: NDArray[np.float32]) -> NDArray[np.float32]:
        return similarity if self._calibration is None else self._calibration(similarity)

    def _counts(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many captions each of these images has; a row past the last captioned image has none."""
        counts = np.zeros(len(images), dtype=np.int64)
        known = images < len(self._starts) - 1
        counts[known] = self._starts[images[known] + 1] - self._starts[images[known]]
        return counts

    def _refuse_unknown(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> None:
        if len(images) and images.min() < 0:
            raise InputError(f"image row {images.min()}: rows count from 0")
        refuse_rows("caption", captions, len(self._caption_image))


def _over_runs(operation: np.ufunc, values: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Reduce runs of rows, each from its start to the next one's; runs of equal length ten times faster."""
    length = len(values) // len(starts)
    if length * len(starts) == len(values) and np.array_equal(starts, np.arange(len(starts)) * length):
        return np.asarray(operation.reduce(values.reshape(len(starts), -1, values.shape[1]), axis=1))
    return np.asarray(operation.reduceat(values, starts, axis=0))
