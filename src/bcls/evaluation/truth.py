"""Which caption belongs to which image, and what ranks what in each direction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bcls.arrays import to_rows
from bcls.errors import InputError

Direction: TypeAlias = Literal["image_to_text", "text_to_image"]
Rows: TypeAlias = NDArray[np.int64]

DIRECTIONS: tuple[Direction, Direction] = ("image_to_text", "text_to_image")


@dataclass(frozen=True, eq=False)
class RetrievalTruth:
    """The binary truth of a retrieval test: the image of every caption.

    An image may have any number of captions. An image without a caption, and a caption without an image (-1), are
    distractors: they stand among the candidates and are never queries.

    Args:
        caption_image: image row of every caption, shape (T,), -1 for none.
        images: number of images.
        image_ids: ids of the images, for messages only.
        caption_ids: ids of the captions, for messages only.

    Raises:
        InputError: a row that is not in -1..images-1, ids of another length, or no caption with an image.

    Example:
        >>> truth = RetrievalTruth(np.array([0, 0, 1, -1]), images=3)
        >>> truth.captions
        4
        >>> truth.queries("image_to_text"), truth.queries("text_to_image")
        (array([0, 1]), array([0, 1, 2]))
    """

    caption_image: Rows
    images: int
    image_ids: Sequence[str] | None = None
    caption_ids: Sequence[str] | None = None

    def __post_init__(self) -> None:
        given = to_rows(self.caption_image, "caption_image, the image row of every caption,")
        if isinstance(self.images, bool) or not isinstance(self.images, int | np.integer):
            raise InputError(f"images is {self.images!r}; it must be a whole number, that of the images")
        outside = np.flatnonzero((given < -1) | (given >= self.images))
        if outside.size:
            row = int(outside[0])
            raise InputError(f"caption row {row}: image row {int(given[row])} is not in -1..{self.images - 1}")
        if not (given >= 0).any():
            raise InputError("no caption has an image: there is nothing to retrieve")
        _check_ids("image_ids", self.image_ids, self.images)
        _check_ids("caption_ids", self.caption_ids, given.size)
        object.__setattr__(self, "caption_image", given.copy())

    @classmethod
    def from_counts(cls, captions_per_image: ArrayLike) -> RetrievalTruth:
        """The truth of captions that lie in the order of their images.

        Args:
            captions_per_image: how many captions each image has, shape (I,).

        Example:
            >>> RetrievalTruth.from_counts([2, 0, 1]).caption_image
            array([0, 0, 2])
        """
        counts = to_rows(captions_per_image, "captions_per_image")
        if (counts < 0).any():
            raise InputError("captions_per_image must be a list of whole numbers, none of them negative")
        return cls(np.repeat(np.arange(counts.size), counts), images=counts.size)

    @classmethod
    def from_ids(cls, image_ids: Sequence[str], caption_image_ids: Sequence[str]) -> RetrievalTruth:
        """The truth from ids: those of the images in row order, and the image id of every caption.

        Raises:
            InputError: an image id appears twice, or a caption names an image that is not there.

        Example:
            >>> RetrievalTruth.from_ids(["a.jpg", "b.jpg"], ["b.jpg", "a.jpg", "b.jpg"]).caption_image
            array([1, 0, 1])
        """
        for name, ids in (("image_ids", image_ids), ("caption_image_ids", caption_image_ids)):
            if isinstance(ids, str | bytes):
                raise InputError(f"{name} must be a list of ids, not one text")
            for row, one in enumerate(ids):
                is_nan = isinstance(one, float) and np.isnan(one)
                if one is None or is_nan or not isinstance(one, Hashable):
                    raise InputError(f"{name}: element {row} is {one!r}, which is no id")
        row_of: dict[Hashable, int] = {}
        for row, image_id in enumerate(image_ids):
            if row_of.setdefault(image_id, row) != row:
                raise InputError(f"image row {row}: the id {image_id!r} is already that of row {row_of[image_id]}")
        for row, image_id in enumerate(caption_image_ids):
            if image_id not in row_of:
                raise InputError(f"caption row {row}: there is no image {image_id!r}")
        rows = np.array([row_of[image_id] for image_id in caption_image_ids], dtype=np.int64)
        return cls(rows, images=len(row_of), image_ids=list(image_ids))

    @property
    def captions(self) -> int:
        """Number of captions."""
        return int(self.caption_image.size)

    def size(self, direction: Direction) -> int:
        """Number of rows on the query side: images or captions, distractors included."""
        return self.images if direction == "image_to_text" else self.captions

    def queries(self, direction: Direction) -> Rows:
        """Rows that have something to find: images with a caption, or captions with an image, ascending."""
        if direction == "image_to_text":
            return np.unique(self.caption_image[self.caption_image >= 0])
        return np.flatnonzero(self.caption_image >= 0)

    def positives(self, direction: Direction, queries: Rows, candidates: Rows) -> tuple[Rows, Rows]:
        """Where the positives lie in the matrix of some queries and some candidates.

        Args:
            direction: which side asks.
            queries: rows of the query side, shape (Q,).
            candidates: rows of the other side, shape (N,).

        Returns:
            Two arrays of shape (P,): positions in `queries` and in `candidates`.

        Example:
            >>> truth = RetrievalTruth.from_counts([2, 1])
            >>> truth.positives("image_to_text", np.array([1, 0]), np.array([0, 1, 2]))
            (array([1, 1, 0]), array([0, 1, 2]))
        """
        images, captions = (queries, candidates) if direction == "image_to_text" else (candidates, queries)
        position = np.full(self.images + 1, -1, dtype=np.int64)  # the last one stays -1: a caption without image
        position[images] = np.arange(images.size)
        image_position = position[self.caption_image[captions]]
        caption_position = np.flatnonzero(image_position >= 0)
        image_position = image_position[caption_position]
        if direction == "image_to_text":
            return image_position, caption_position
        return caption_position, image_position

    def name(self, side: Literal["image", "caption"], row: int) -> str:
        """How a message names a row: its number, and its id where that is known."""
        ids = self.image_ids if side == "image" else self.caption_ids
        return f"{side} row {row}" if ids is None else f"{side} row {row} ({ids[row]})"


def _check_ids(name: str, ids: Sequence[str] | None, count: int) -> None:
    if ids is not None and len(ids) != count:
        raise InputError(f"{name} has {len(ids)} ids for {count} rows")
