"""Counts of strangers from a product in single precision, at half the price of double, and exact all the same.

The rough product differs from the exact cosine by less than a bound that holds for any order of summation: each of D
products and sums errs by at most half a unit in the last place of numbers whose absolute values sum to at most 1 (by
Cauchy and Schwarz), see Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1. Only candidates whose
rough score lies within the bound of a positive's exact score are computed again in double.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.evaluation.arrays import slice_if_consecutive
from bcls.evaluation.cosine import CosineSimilarity
from bcls.evaluation.protocols import Fold
from bcls.evaluation.strangers import Positives
from bcls.evaluation.truth import Direction, Rows
from bcls.threads import over_rows

DOUBTFUL_SHARE = 1 / 32
"""Of a block's scores: where more than this are doubtful, double precision from the start is cheaper."""


def count_rough_strangers(
    cosine: CosineSimilarity, fold: Fold, positives: Positives, block: int
) -> dict[Direction, NDArray[np.int64]] | None:
    """Count the strangers that reach each positive, as `count_strangers` does, by compiled kernels.

    Args:
        cosine: unit embeddings.
        fold: the gallery.
        positives: its positives, whose scores are exact.
        block: images held at a time.

    Returns:
        For each direction, counts of shape (2, P): at least as much, more. None where too many scores are doubtful, as
        with a model that scores everything alike.
    """
    from bcls.evaluation.kernels.near_ties import BlockRows, Thresholds, count_rough_block  # noqa: PLC0415

    images = cosine.images[slice_if_consecutive(fold.images)].astype(np.float32)
    captions = cosine.captions[slice_if_consecutive(fold.captions)].astype(np.float32)
    band = np.float32((images.shape[1] + 8) * 2.0**-24)
    starts = positives.starts
    column_own = positives.by_caption(positives.own, np.inf)
    owned = positives.by_caption(positives.image, -1)
    by_image = np.zeros((2, positives.own.size), np.int64)
    by_caption = np.zeros((2, positives.captions), np.int64)
    room = np.empty((min(block, positives.images), positives.captions), np.float32)
    for first in range(0, positives.images, block):
        rough = room[: min(block, positives.images - first)]
        np.matmul(images[first : first + block], captions.T, out=rough)

        def work(start: int, stop: int, first: int = first, rough: NDArray[np.float32] = rough) -> Any:
            begin, end = first + start, first + stop
            here = slice(starts[begin], starts[end])
            by_row, by_column = (
                np.zeros((2, here.stop - here.start), np.int64),
                np.zeros((2, positives.captions), np.int32),
            )
            limit = int(DOUBTFUL_SHARE * (stop - start) * positives.captions) + 1
            rows = BlockRows(cosine.images, cosine.captions, fold.images[begin:end], fold.captions)
            own = starts[begin : end + 1] - here.start, positives.caption[here], positives.own[here]
            thresholds = Thresholds(*own, column_own, owned - begin)
            doubtful = count_rough_block(rough[start:stop], band, rows, thresholds, by_row, by_column, limit)
            return here, by_row, by_column, doubtful <= limit

        for here, by_row, by_column, usable in over_rows(work, len(rough)):
            if not usable:
                return None
            by_image[:, here] += by_row
            by_caption += by_column
    return {"image_to_text": _and_more(by_image), "text_to_image": _and_more(by_caption[:, positives.caption])}


def _and_more(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """From counts of those that score at least as much and of those that tie: the former, and those that score more."""
    return np.stack([counts[0], counts[0] - counts[1]])


def exact_pairs(cosine: CosineSimilarity, images: Rows, captions: Rows) -> NDArray[np.float32]:
    """Cosine of each image with the caption at the same place, shape (P,), summed as doubtful candidates' are."""
    from bcls.evaluation.kernels.near_ties import exact_cosines  # noqa: PLC0415

    cosines = np.empty(images.size, dtype=np.float32)

    def work(start: int, stop: int) -> None:
        exact_cosines(cosine.images, cosine.captions, images[start:stop], captions[start:stop], cosines[start:stop])

    over_rows(work, images.size)
    return cosines
