"""How many strangers beat each positive of a gallery, for both directions in one pass over its scores.

A stranger is a candidate that is no positive of the query. Ranks need only these counts: nothing is sorted, and every
score is asked for once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.evaluation.protocols import Fold
from bcls.evaluation.ranks import PositiveRanks, Ties, ranks_from_strangers
from bcls.evaluation.runs import offset_in_run, run_starts
from bcls.evaluation.similarity import Blocks
from bcls.evaluation.truth import DIRECTIONS, Direction, RetrievalTruth, Rows
from bcls.threads import over_rows

NUMPY_ROWS = 16
"""Rows that numpy compares at a time, so that what it makes of them stays in the cache."""


@dataclass(frozen=True, eq=False)
class Positives:
    """The positives of a gallery, by image, the best scored first.

    Args:
        image: position of each positive's image in the gallery, ascending, shape (P,).
        caption: position of its caption, each at most once, shape (P,).
        own: its score, descending within an image, shape (P,).
        images: images in the gallery.
        captions: captions in the gallery.
    """

    image: Rows
    caption: Rows
    own: NDArray[Any]
    images: int
    captions: int

    @classmethod
    def of(cls, truth: RetrievalTruth, fold: Fold, pairs: Callable[[Rows, Rows], NDArray[Any]]) -> Positives:
        """Those of a fold; `pairs` tells the scores of pairs of images, ascending, and captions."""
        image, caption = truth.positives("image_to_text", fold.images, fold.captions)
        first = np.argsort(image, kind="stable")
        image, caption = image[first], caption[first]
        own = pairs(fold.images[image], fold.captions[caption])
        order = np.lexsort((-own, image))
        return cls(image[order], caption[order], own[order], fold.images.size, fold.captions.size)

    @property
    def starts(self) -> Rows:
        """Where the positives of each image begin, and the end of the last, shape (I + 1,)."""
        return np.searchsorted(self.image, np.arange(self.images + 1))

    def by_caption(self, values: NDArray[Any], other: Any) -> NDArray[Any]:
        """Values of the positives laid out by caption, `other` where a caption has no image: (..., P) to (..., T)."""
        laid = np.full((*values.shape[:-1], self.captions), other, dtype=values.dtype)
        laid[..., self.caption] = values
        return laid

    def ranks(self, counts: dict[Direction, NDArray[np.int64]], ties: Ties) -> dict[Direction, PositiveRanks]:
        """Ranks in both directions from counts of shape (L, P): those that score at least as much, then more."""
        by_caption = np.argsort(self.caption)
        sides = zip(
            DIRECTIONS,
            (self.image, self.caption[by_caption]),
            (self.own, self.own[by_caption]),
            (self.images, self.captions),
            (counts["image_to_text"], counts["text_to_image"][:, by_caption]),
            strict=True,
        )
        return {
            direction: ranks_from_strangers(query, own, queries, count[0], count[-1], ties=ties)
            for direction, query, own, queries, count in sides
        }


def count_strangers(
    scores: Blocks, fold: Fold, positives: Positives, ties: Ties, block: int, *, fast: bool
) -> dict[Direction, NDArray[np.int64]]:
    """Count the strangers that reach each positive.

    Args:
        scores: similarities, asked for `block` images and all captions of the fold at a time.
        fold: the gallery.
        positives: its positives.
        ties: `expected` needs a second level: the strangers that score more.
        block: images held at a time.
        fast: take compiled kernels (the counts are the same).

    Returns:
        For each direction, counts of shape (L, P) with L = 1 or 2 levels: at least as much, more.

    Raises:
        InputError: a score is not finite.
    """
    levels = [positives.own] if ties == "worst" else [positives.own, np.nextafter(positives.own, np.inf)]
    thresholds = np.stack(levels).astype(positives.own.dtype)
    of_columns = positives.by_caption(thresholds, np.inf)
    by_image, by_caption = np.zeros(thresholds.shape, np.int64), np.zeros(of_columns.shape, np.int64)
    starts = positives.starts
    count = _count_compiled if fast else _count_numpy
    for first in range(0, fold.images.size, block):
        rows = fold.images[first : first + block]
        values = scores.unchecked(rows, fold.captions)

        def work(start: int, stop: int, first: int = first, values: NDArray[Any] = values) -> Any:
            here = slice(starts[first + start], starts[first + stop])
            return here, *count(
                np.ascontiguousarray(values[start:stop]),
                starts[first + start : first + stop + 1] - here.start,
                positives.caption[here],
                thresholds[:, here],
                of_columns,
            )

        for here, by_row, by_column, finite in over_rows(work, rows.size, None if fast else NUMPY_ROWS):
            if not finite:
                scores.check(values, rows, fold.captions)
            by_image[:, here] += by_row
            by_caption += by_column
    return {"image_to_text": by_image, "text_to_image": by_caption[:, positives.caption]}


Counted = tuple[NDArray[np.int64], NDArray[Any], bool]


def _count_compiled(
    block: NDArray[Any], starts: Rows, captions: Rows, thresholds: NDArray[Any], of_columns: NDArray[Any]
) -> Counted:
    from bcls.evaluation.kernels.counting import count_block  # noqa: PLC0415

    by_row, by_column = np.zeros(thresholds.shape, np.int64), np.zeros(of_columns.shape, np.int32)
    largest = np.finfo(block.dtype).max
    thresholds = np.ascontiguousarray(thresholds)
    wrong = count_block(block, starts, captions, thresholds, of_columns, by_row, by_column, largest)
    return by_row, by_column, wrong == 0


def _count_numpy(
    block: NDArray[Any], starts: Rows, captions: Rows, thresholds: NDArray[Any], of_columns: NDArray[Any]
) -> Counted:
    row = np.repeat(np.arange(block.shape[0]), np.diff(starts))
    turns = offset_in_run(run_starts(row))
    own = block[row, captions]
    by_row = np.zeros(thresholds.shape, np.int64)
    by_column = np.zeros(of_columns.shape, np.int64)
    for level, (wanted, of_column) in enumerate(zip(thresholds, of_columns, strict=True)):
        by_column[level] = np.count_nonzero(block >= of_column, axis=0)
        by_column[level, captions] -= own >= of_column[captions]  # the positives are no strangers
        for turn in range(int(turns.max(initial=-1)) + 1):  # the turn-th best positive of every image that has one
            chosen = np.flatnonzero(turns == turn)
            rows = row[chosen]
            reached = np.count_nonzero(block[rows] >= wanted[chosen, None], axis=1)
            least = np.full(block.shape[0], np.inf)
            least[rows] = wanted[chosen]
            positives_that_reach = np.bincount(row, weights=own >= least[row], minlength=block.shape[0])[rows]
            by_row[level, chosen] = reached - positives_that_reach.astype(np.int64)
    return by_row, by_column, bool(np.isfinite(block).all())
