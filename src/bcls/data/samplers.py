"""Which captions make a batch: never two of one image, and as many captions in an epoch as that allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bcls.arrays import to_rows
from bcls.data.filling import balanced_sizes, fill_batches
from bcls.data.passes import caption_passes
from bcls.data.turns import captions_in_turn, full_batches
from bcls.errors import InputError
from bcls.progress import progress
from bcls.relevance import RelevanceSource

if TYPE_CHECKING:
    from numpy.typing import NDArray


class UniqueImageBatchSampler:
    """Random batches of captions that never hold two captions of one image.

    Every epoch has the same number of batches, and no caption comes twice in an epoch.

    - *Equally many captions per image*: an epoch goes over every caption once: first one random caption of every image,
      then another, and so on; where two of these passes meet in a batch, images that are in it already wait for the
      next batch. With `drop_last` the last batch is left out where it is not full: fewer than `batch_size` captions,
      other ones in each epoch.
    - *Numbers that vary*: all batches are full, and as many as is possible without an image twice in a batch or a
      caption twice in an epoch. Since an image can be in each batch once, one with more captions than an epoch has
      batches (M) gives M of them, and all of them within `ceil(captions / M)` successive epochs. The captions of the
      other images come in at least one of any two successive epochs. Each image's captions are spread over the epoch.
      No caption is left out where the largest number of captions of an image is at most the number of captions divided
      by `batch_size`, but for the remainder of that division.

    Args:
        caption_image: (captions,) image row of each caption.
        batch_size: captions in a batch, on one process.
        seed: of all randomness; the order depends on it and on the epoch alone.
        shuffle: off = the data's own order, still without an image twice. The last, incomplete batch that `drop_last`
            leaves out is then the same in every epoch where all images have equally many captions.
        drop_last: every batch is full. Off = every caption once an epoch; where the numbers of captions vary, in as few
            batches as possible, of nearly equal size.
        rank: this process among `world_size`; each takes its share of every global batch. A batch that is not full
            loses up to `world_size - 1` captions, so that all processes have equally many.
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
        counts = np.unique(caption_image, return_counts=True)[1]
        if not 1 <= batch_size * world_size <= len(counts):
            raise InputError(
                f"a batch of {batch_size} on {world_size} processes needs as many different images; "
                f"there are {len(counts)}"
            )
        if not 0 <= rank < world_size:
            raise InputError(f"rank {rank} is not below world_size {world_size}")
        self._caption_image = caption_image
        self._counts = counts
        self._equal = bool(counts.min() == counts.max())
        self._global_size = batch_size * world_size
        self._seed = seed
        self._shuffle = shuffle
        self._drop_last = drop_last
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0
        self._plan: tuple[int, list[NDArray[np.int64]]] | None = None
        self._sizes = self._planned_sizes()
        self._kept = [self._shared_out(size) for size in self._sizes if self._shared_out(size) > 0]

    @property
    def captions(self) -> int:
        """How many captions each epoch trains on, on all processes together."""
        return sum(self._kept)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Batches of an epoch; the same number for every epoch."""
        return len(self._kept)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        for batch in self._batches():
            yield batch[self._rank :: self._world_size]

    def describe(self) -> str:
        """One line: what an epoch trains on, what it leaves out, and why."""
        total, size = len(self._caption_image), self._global_size
        line = f"each epoch: {_number(len(self), 'batch', 'batches')}, {self.captions} of {total} captions"
        if self.captions == total:
            return line
        most = int(self._counts.max())
        if most <= len(self):
            which = "the same ones in" if self._equal and not self._shuffle else "others in"
            return f"{line}; the {total - self.captions} that do not fill a batch of {size} are {which} each epoch"
        many = int((self._counts > len(self)).sum())
        smaller = f"; with a batch of at most {total // most} an epoch leaves out less than one batch"
        return (
            f"{line}; a batch holds an image once, so that {_number(many, 'image', 'images')} with more than "
            f"{len(self)} captions (up to {most}) take turns with them over {-(-most // len(self))} epochs"
            f"{smaller if total // most > 1 else ''}"
        )

    def _planned_sizes(self) -> list[int]:
        """Of the global batches that are made, before processes share them."""
        total, size = len(self._caption_image), self._global_size
        if self._equal:
            return [size] * (total // size) + [total % size] * (total % size > 0)
        if self._drop_last:
            return [size] * full_batches(self._counts, size)
        return balanced_sizes(total, max(-(-total // size), int(self._counts.max())))

    def _shared_out(self, size: int) -> int:
        """How many captions of a global batch are trained on; 0 = the batch is left out."""
        shared = size - size % self._world_size
        return shared if shared >= (self._global_size if self._drop_last else self._world_size) else 0

    def _batches(self) -> list[NDArray[np.int64]]:
        if self._plan is None or self._plan[0] != self._epoch:
            random = np.random.default_rng([self._seed, self._epoch]) if self._shuffle else None
            made = self._equal_batches(random) if self._equal else self._varying_batches(random)
            shared = [batch[: self._shared_out(len(batch))] for batch in made]
            self._plan = (self._epoch, [batch for batch in shared if len(batch)])
        return self._plan[1]

    def _equal_batches(self, random: np.random.Generator | None) -> list[NDArray[np.int64]]:
        passes = caption_passes(self._caption_image, random)
        return cut_without_repeats(passes, self._caption_image, self._global_size)

    def _varying_batches(self, random: np.random.Generator | None) -> list[NDArray[np.int64]]:
        return fill_batches(self._chosen(), self._caption_image, self._sizes, random)

    def _chosen(self) -> NDArray[np.int64]:
        """The captions of this epoch, where images have different numbers of them."""
        if not self._drop_last:
            return np.arange(len(self._caption_image))
        # Three words, so that no epoch's own stream begins alike.
        fixed = np.random.default_rng([self._seed, 0, 1]) if self._shuffle else None
        return captions_in_turn(self._caption_image, len(self._sizes), self._global_size, self._epoch, fixed)


class NeighbourBatchSampler(UniqueImageBatchSampler):
    """Batches made of groups of semantic neighbours, so that continuous labels have near misses to grade.

    A random image takes its nearest images that are still free, `group_size` in all. Where images have equally many
    captions, each pass over the images is divided into such groups, which are shuffled and cut into batches. Where the
    numbers vary, each batch is made of groups; an image that must be in every batch that is left begins a group of its
    own. The guarantees are those of `UniqueImageBatchSampler`.

    Args:
        caption_image: (captions,) image row of each caption.
        neighbours: (images, K) nearest images first, from `image_neighbours`.
        batch_size: captions in a batch, on one process.
        group_size: images in a group, at least 2.
        seed: of all randomness.
        drop_last: every batch is full; as for `UniqueImageBatchSampler`.
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

    def _equal_batches(self, random: np.random.Generator | None) -> list[NDArray[np.int64]]:
        assert random is not None
        passes = [self._grouped(one, random) for one in caption_passes(self._caption_image, random)]
        return cut_without_repeats(passes, self._caption_image, self._global_size)

    def _varying_batches(self, random: np.random.Generator | None) -> list[NDArray[np.int64]]:
        return fill_batches(
            self._chosen(),
            self._caption_image,
            self._sizes,
            random,
            neighbours=self._neighbours,
            group_size=self._group_size,
        )

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

    Within a pass no image occurs twice, so only the batch at a border has to be looked at. Each pass must hold all
    images, at least `size` of them: then every batch but the last is full.
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


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


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
