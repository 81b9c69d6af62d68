"""Which captions make a batch: never two of one image, every caption once an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bcls.arrays import to_rows
from bcls.data.passes import caption_passes
from bcls.errors import InputError
from bcls.progress import progress
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray


class UniqueImageBatchSampler:
    """Random batches of captions that never hold two captions of one image.

    An epoch goes over every caption once: first one random caption of every image, then another, and so on; where two
    of these passes meet in a batch, images that are in it already wait for the next batch.

    Args:
        caption_image: (captions,) image row of each caption.
        batch_size: captions in a batch, on one process.
        seed: of all randomness; the order depends on it and on the epoch alone.
        shuffle: off = the data's own order, still without an image twice.
        drop_last: leave out batches that are not full.
        rank: this process among `world_size`; each takes its share of every global batch.
        world_size: how many processes train together; a global batch is unique across all of them.

    Raises:
        InputError: a batch size below 1, or larger than there are images.

    Example:
        >>> sampler = UniqueImageBatchSampler(np.array([0, 0, 1, 1]), 2)
        >>> [sorted(np.array([0, 0, 1, 1])[batch]) for batch in sampler]
        [[np.int64(0), np.int64(1)], [np.int64(0), np.int64(1)]]
    """

    def __init__(
        self,
        caption_image: NDArray[np.int64],
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        caption_image = to_rows(caption_image, "caption_image")
        images = len(np.unique(caption_image))
        if not 1 <= batch_size * world_size <= images:
            raise InputError(
                f"a batch of {batch_size} on {world_size} processes needs as many different images; there are {images}"
            )
        if not 0 <= rank < world_size:
            raise InputError(f"rank {rank} is not below world_size {world_size}")
        self._caption_image = caption_image
        self._global_size = batch_size * world_size
        self._seed = seed
        self._shuffle = shuffle
        self._drop_last = drop_last
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0
        self._plan: tuple[int, list[NDArray[np.int64]]] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._batches())

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        for batch in self._batches():
            yield batch[self._rank :: self._world_size]

    def _batches(self) -> list[NDArray[np.int64]]:
        if self._plan is None or self._plan[0] != self._epoch:
            least = self._global_size if self._drop_last else self._world_size
            full = [batch[: len(batch) - len(batch) % self._world_size] for batch in self._all_batches()]
            self._plan = (self._epoch, [batch for batch in full if len(batch) >= least])
        return self._plan[1]

    def _random(self) -> np.random.Generator:
        return np.random.default_rng([self._seed, self._epoch])

    def _all_batches(self) -> list[NDArray[np.int64]]:
        random = self._random() if self._shuffle else None
        passes = caption_passes(self._caption_image, random)
        return cut_without_repeats(passes, self._caption_image, self._global_size)


class NeighbourBatchSampler(UniqueImageBatchSampler):
    """Batches made of groups of semantic neighbours, so that continuous labels have near misses to grade.

    Within each pass over the images, a random image takes its nearest images that are still free, `group_size` in all;
    the groups are shuffled and cut into batches. The guarantees are those of `UniqueImageBatchSampler`.

    Args:
        caption_image: (captions,) image row of each caption.
        neighbours: (images, K) nearest images first, from `image_neighbours`.
        batch_size: captions in a batch, on one process.
        group_size: images in a group, at least 2.
        seed: of all randomness.
        drop_last: leave out batches that are not full.
        rank: this process among `world_size`.
        world_size: how many processes train together.

    Raises:
        InputError: as for `UniqueImageBatchSampler`, or a group size below 2.
    """

    def __init__(
        self,
        caption_image: NDArray[np.int64],
        neighbours: NDArray[np.int64],
        batch_size: int,
        *,
        group_size: int = 8,
        seed: int = 0,
        drop_last: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        super().__init__(caption_image, batch_size, seed=seed, drop_last=drop_last, rank=rank, world_size=world_size)
        if group_size < 2:
            raise InputError(f"group_size is {group_size}; a group has at least 2 images")
        self._neighbours = neighbours
        self._group_size = group_size

    def _all_batches(self) -> list[NDArray[np.int64]]:
        random = self._random()
        passes = [self._grouped(one, random) for one in caption_passes(self._caption_image, random)]
        return cut_without_repeats(passes, self._caption_image, self._global_size)

    def _grouped(self, captions: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """The same captions, neighbours side by side."""
        caption_of = dict(zip(self._caption_image[captions].tolist(), captions.tolist(), strict=True))
        groups: list[list[int]] = []
        for image in self._caption_image[captions].tolist():
            if image not in caption_of:
                continue
            group = [caption_of.pop(image)]
            for near in self._neighbours[image].tolist():
                if len(group) == self._group_size:
                    break
                if near in caption_of:
                    group.append(caption_of.pop(near))
            groups.append(group)
        order = random.permutation(len(groups))
        return np.array([caption for number in order for caption in groups[number]], dtype=np.int64)


def cut_without_repeats(
    passes: list[NDArray[np.int64]], caption_image: NDArray[np.int64], size: int
) -> list[NDArray[np.int64]]:
    """Cut passes into batches; where one batch spans two passes, images that it holds already go to the back.

    Within a pass no image occurs twice, so only the batch at a border has to be looked at. A pass that is too short to
    fill the border's batch with other images leaves that batch short.
    """
    batches: list[NDArray[np.int64]] = []
    tail = np.empty(0, dtype=np.int64)
    for one in passes:
        held = np.isin(caption_image[one], caption_image[tail])
        free = np.flatnonzero(~held)[: size - len(tail)]
        rest = np.delete(one, free)
        batches.append(np.concatenate([tail, one[free]]))
        whole = len(rest) - len(rest) % size
        batches += [rest[start : start + size] for start in range(0, whole, size)]
        tail = rest[whole:]
    batches.append(tail)
    return [batch for batch in batches if len(batch)]


def image_neighbours(
    relevance: RelevanceSource, caption_image: NDArray[np.int64], count: int, *, block: int = 512
) -> NDArray[np.int64]:
    """The nearest images of each image: those whose first caption is most relevant to it.

    Args:
        relevance: continuous labels of the split.
        caption_image: (captions,) image row of each caption; every image has one.
        count: how many neighbours, below the number of images.
        block: images compared at once.

    Returns:
        (images, count) image rows, nearest first; an image is not its own neighbour.

    Raises:
        InputError: there are not so many other images.

    Cost: images^2 relevances, a block at a time.
    """
    images, first = np.unique(caption_image, return_index=True)
    if not 0 <= count < len(images):
        raise InputError(f"{count} neighbours of each image were asked for; there are {len(images)} images")
    result = np.empty((len(images), count), dtype=np.int64)
    for start in progress(range(0, len(images), block), "finding neighbours", unit=f" x {block} images"):
        rows = images[start : start + block]
        scores = np.nan_to_num(relevance.matrix(rows, first), nan=-1.0)
        scores[np.arange(len(rows)), start + np.arange(len(rows))] = -2.0
        near = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1, kind="stable")
        result[start : start + block] = images[np.take_along_axis(near, order, axis=1)]
    return result
