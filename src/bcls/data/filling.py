"""Captions of unequally many per image into batches that hold no image twice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from bcls.data.turns import turns

if TYPE_CHECKING:
    from numpy.typing import NDArray


def balanced_sizes(captions: int, batches: int) -> list[int]:
    """Sizes of so many batches that hold all captions and differ by one at most, the larger first.

    Example:
        >>> balanced_sizes(11, 3)
        [4, 4, 3]
    """
    size, more = divmod(captions, batches)
    return [size + 1] * more + [size] * (batches - more)


def fill_batches(
    captions: NDArray[np.int64],
    caption_image: NDArray[np.int64],
    sizes: list[int],
    random: np.random.Generator | None,
    *,
    neighbours: NDArray[np.int64] | None = None,
    group_size: int = 1,
) -> list[NDArray[np.int64]]:
    """Put each caption into one batch so that no batch holds an image twice.

    The captions of an image are spread over the epoch: they stand in a queue in which each has its own part of the
    epoch. A batch first takes the images that cannot wait (those with as many captions left as there are batches left),
    then the next captions of the queue, each with the nearest images of its own that are free. The images that cannot
    wait never need more places than a batch has, because the captions that are left fill the batches that are left.

    Args:
        captions: caption rows; of each image at most as many as there are batches.
        caption_image: (captions of the data,) image row of each caption.
        sizes: of the batches, in descending order; they differ by one at most, and their sum is the number of captions.
        random: shuffles everything; None = data order.
        neighbours: (images, K) nearest images first; None = no groups.
        group_size: images in a group of neighbours; 1 = no groups.

    Returns:
        Caption rows of each batch.
    """
    filling = _Filling(captions, caption_image, random)
    near = None if neighbours is None or group_size < 2 else neighbours
    batches = []
    for number, size in enumerate(sizes):
        due = filling.begin(len(sizes) - number)
        for image in due:
            filling.take(image)
        if near is not None:
            for image in due:
                filling.take_near(near[image], group_size - 1, size)
        while len(filling.batch) < size:
            image = filling.next_image()
            filling.take(image)
            if near is not None:
                filling.take_near(near[image], group_size - 1, size)
        batches.append(np.array(filling.batch, dtype=np.int64))
    return batches


class _Filling:
    """The state while batches are filled one after the other."""

    def __init__(
        self, captions: NDArray[np.int64], caption_image: NDArray[np.int64], random: np.random.Generator | None
    ) -> None:
        self._random = random
        order = captions if random is None else random.permutation(captions)
        order = order[np.argsort(caption_image[order], kind="stable")]
        images, image, counts = np.unique(caption_image[order], return_inverse=True, return_counts=True)
        turn = turns(image)
        place = random.random(len(order)) if random is not None else np.arange(len(order)) / max(1, len(order))
        queue = np.argsort((turn + place) / counts[image], kind="stable")
        self._images, self._left = images, counts.copy()
        self._row = {name: row for row, name in enumerate(images.tolist())}
        self._captions = np.split(order, np.cumsum(counts)[:-1])
        self._taken = [0] * len(images)
        self._held = [False] * len(images)
        self._queue = list(zip(image[queue].tolist(), turn[queue].tolist(), strict=True))
        self._next = 0
        self._waiting: deque[tuple[int, int]] = deque()
        self._later: list[tuple[int, int]] = []
        self._rows: list[int] = []
        self.batch: list[int] = []

    def begin(self, batches_left: int) -> list[int]:
        """Begin a batch; the images that must be in it."""
        self._left[self._rows] -= 1
        for row in self._rows:
            self._held[row] = False
        self.batch, self._rows = [], []
        self._waiting.extendleft(reversed(self._later))
        self._later = []
        due = np.flatnonzero(self._left == batches_left)
        due = due if self._random is None else self._random.permutation(due)
        return [int(image) for image in self._images[due]]

    def take(self, image: int) -> None:
        """Put the next caption of an image into the batch."""
        row = self._row[image]
        self.batch.append(int(self._captions[row][self._taken[row]]))
        self._taken[row] += 1
        self._held[row] = True
        self._rows.append(row)

    def take_near(self, near: NDArray[np.int64], most: int, size: int) -> None:
        """Put the nearest free images into the batch, while it has room."""
        for image in near.tolist():
            if most == 0 or len(self.batch) == size:
                return
            row = self._row.get(image)
            if row is not None and not self._held[row] and self._taken[row] < len(self._captions[row]):
                self.take(image)
                most -= 1

    def next_image(self) -> int:
        """The image of the queue's next caption that may be in the batch; the others wait for the next one."""
        while True:
            row, turn = self._pop()
            if self._taken[row] > turn:  # taken before its place in the queue
                continue
            if not self._held[row]:
                return int(self._images[row])
            self._later.append((row, turn))

    def _pop(self) -> tuple[int, int]:
        if self._waiting:
            return self._waiting.popleft()
        self._next += 1
        return self._queue[self._next - 1]
