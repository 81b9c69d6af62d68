"""Passes over the images: the k-th pass holds the k-th caption of every image that has so many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def caption_passes(caption_image: NDArray[np.int64], random: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Every caption once, in passes that hold no image twice.

    Args:
        caption_image: (captions,) image row of each caption.
        random: shuffles an image's captions over the passes, and the images within each pass; None = data order.

    Returns:
        Caption rows, one array a pass.

    Example:
        >>> [one.tolist() for one in caption_passes(np.array([0, 0, 1, 2, 2]), None)]
        [[0, 2, 3], [1, 4]]
    """
    captions = np.arange(len(caption_image)) if random is None else random.permutation(len(caption_image))
    order = captions[np.argsort(caption_image[captions], kind="stable")]
    images = caption_image[order]
    starts = np.flatnonzero(np.r_[True, images[1:] != images[:-1]])
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    passes = [order[turn == number] for number in range(int(turn.max()) + 1)] if len(order) else []
    return passes if random is None else [random.permutation(one) for one in passes]
