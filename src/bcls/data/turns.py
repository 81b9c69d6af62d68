"""Which captions an epoch of full batches trains on, where images have different numbers of captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def full_batches(counts: NDArray[np.int64], size: int) -> int:
    """The largest number of full batches that hold no image twice, when each caption is used at most once.

    An image can be in every batch once, so that it gives at most as many captions as there are batches. M full batches
    exist exactly where `sum(min(count, M)) >= M * size`. Where this holds for M, it holds for every smaller number.

    Args:
        counts: (images,) captions of each image, at least 1.
        size: captions in a batch, at least 1.

    Example:
        >>> full_batches(np.array([5, 5, 5, 5]), 3)
        6
        >>> full_batches(np.array([20, 1, 1, 1]), 2)  # the first image can be in three batches only
        3
    """
    low, high = 0, int(counts.sum()) // size
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(counts, middle).sum()) >= middle * size:
            low = middle
        else:
            high = middle - 1
    return low


def captions_in_turn(
    caption_image: NDArray[np.int64], batches: int, size: int, epoch: int, random: np.random.Generator | None
) -> NDArray[np.int64]:
    """The captions of one epoch: exactly as many as its full batches hold, in turns over the epochs.

    An image with more captions than there are batches gives `batches` of them, the next ones in each epoch: any
    `ceil(count / batches)` successive epochs hold all its captions. The remaining places go to the captions of the
    other images in turn. More than half of these captions have a place: any two successive epochs hold them all.

    Args:
        caption_image: (captions,) image row of each caption.
        batches: `full_batches` of this size.
        size: captions in a batch.
        epoch: counted from 0.
        random: chooses the order of the turns; it must be in the same state for every epoch. None = data order.

    Returns:
        (batches * size,) caption rows, ascending.
    """
    captions = np.arange(len(caption_image)) if random is None else random.permutation(len(caption_image))
    _, image, counts = np.unique(caption_image[captions], return_inverse=True, return_counts=True)
    turn = turns(image)
    count = counts[image]
    many = count > batches
    kept_of_many = captions[many & ((turn - epoch * batches) % count < batches)]
    others = captions[~many]
    places = batches * size - len(kept_of_many)
    kept_of_others = others[(np.arange(len(others)) - epoch * places) % max(1, len(others)) < places]
    return np.sort(np.concatenate([kept_of_many, kept_of_others]))


def turns(image: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier entries have the same image.

    Example:
        >>> turns(np.array([4, 7, 4, 4, 7]))
        array([0, 0, 1, 2, 1])
    """
    order = np.argsort(image, kind="stable")
    grouped = image[order]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    result = np.empty(len(image), dtype=np.int64)
    result[order] = np.arange(len(image)) - np.repeat(starts, np.diff(np.r_[starts, len(image)]))
    return result
