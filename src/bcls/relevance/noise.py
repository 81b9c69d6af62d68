"""Labels spoilt on purpose, to see what a loss makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcls.arrays import to_rows
from bcls.errors import InputError
from bcls.relevance.caption_relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOL = 1 << 18
BLOCK = 256
BLOCKS = 64


class NoisyRelevance:
    """Another source's labels, a share of them replaced by those of random other pairs.

    Whether a pair is spoilt, and by which label, depends on the seed and on the pair alone: it has the same label in
    every batch and every epoch. Own captions stay as they are, and so do unknown pairs (NaN). The labels that take the
    others' places come from a pool of about 260,000 random pairs of the split, own captions left out, so that labels
    are distributed as before.

    Args:
        source: the labels to spoil.
        caption_image: (captions,) image row of each caption of the split.
        share: of the labels, in [0, 1].
        seed: of the noise.

    Raises:
        InputError: a share out of range, or no known label among some millions of random pairs.

    Cost: the pool, once, takes the labels of 4 to 64 blocks of 256 x 256 pairs; a matrix costs about 10 ns an element
    more than the source's.

    Example:
        >>> class Tenths:
        ...     def matrix(self, images, captions):
        ...         return (images[:, None] + captions[None, :]).astype(np.float32) / 10
        >>> noisy = NoisyRelevance(Tenths(), np.arange(4), share=0.5, seed=0)
        >>> (noisy.matrix(np.arange(4), np.arange(4)) != Tenths().matrix(np.arange(4), np.arange(4))).sum() > 0
        np.True_
    """

    def __init__(self, source: RelevanceSource, caption_image: NDArray[np.int64], *, share: float, seed: int) -> None:
        if not 0 <= share <= 1:
            raise InputError(f"the share of noisy labels is {share}; it must lie in [0, 1]")
        self._source = source
        self._caption_image = to_rows(caption_image, "caption_image")
        self._share = share
        self._key = np.random.SeedSequence([seed, 0x4E015E]).generate_state(1, np.uint64)[0]
        self._pool = self._drawn(seed)

    def matrix(self, images: NDArray[np.int64], captions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(I,) image rows, (T,) caption rows -> (I, T) relevance in [0, 1], NaN = unknown."""
        images, captions = to_rows(images, "images"), to_rows(captions, "captions")
        labels = self._source.matrix(images, captions)
        pair = images.astype(np.uint64)[:, None] * np.uint64(len(self._caption_image)) + captions.astype(np.uint64)
        chance = mixed(pair + self._key)
        spoilt = (chance >> np.uint64(11)) * 2.0**-53 < self._share
        spoilt &= (images[:, None] != self._caption_image[captions]) & ~np.isnan(labels)
        place = mixed(chance[spoilt]) % np.uint64(len(self._pool))
        labels[spoilt] = self._pool[place.astype(np.int64)]
        return labels

    def _drawn(self, seed: int) -> NDArray[np.float32]:
        """Known labels of random pairs, own captions left out."""
        random = np.random.default_rng([seed, 0x9001])
        images = np.unique(self._caption_image)
        found, count = [], 0
        for _ in range(BLOCKS):
            rows = random.choice(images, min(BLOCK, len(images)), replace=False)
            columns = random.choice(len(self._caption_image), min(BLOCK, len(self._caption_image)), replace=False)
            labels = self._source.matrix(rows, columns)
            known = (rows[:, None] != self._caption_image[columns]) & ~np.isnan(labels)
            found.append(labels[known])
            count += len(found[-1])
            if count >= POOL:
                break
        if count == 0:
            raise InputError("labels.noise: no label of other captions is known among random pairs: nothing to shuffle")
        return np.concatenate(found)


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number as a random-looking one: the finaliser of SplitMix64 (Steele and others 2014), which is one to one.

    Example:
        >>> mixed(np.array([1, 2], dtype=np.uint64)) >> np.uint64(56)
        array([ 86, 219], dtype=uint64)
    """
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
