"""Batches in a fixed order that can be taken up again in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bcls.data.batches import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BatchSampler(Protocol):
    """Caption rows of each batch of an epoch; the order depends on the seed and the epoch alone."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        ...

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NDArray[np.int64]]: ...


class BatchLoader:
    """Assembles a sampler's batches, one ahead of its consumer, and remembers how far it has come.

    Each iteration is one epoch; the next one starts by itself with the next order. The length is that of the epoch that
    comes, so that a trainer which asks once must have a sampler whose epochs are equally long. `state_dict` and
    `load_state_dict` let a trainer stop after any batch and go on with the next one: the order of a resumed
    epoch is that of an unbroken one.

    Args:
        sampler: gives the caption rows of each batch.
        assemble: turns caption rows into a batch; called on one background thread, in order.
    """

    def __init__(self, sampler: BatchSampler, assemble: Callable[[NDArray[np.int64]], Batch]) -> None:
        self._sampler = sampler
        self._assemble = assemble
        self._epoch = 0
        self._given = 0

    def __len__(self) -> int:
        self._sampler.set_epoch(self._epoch)
        return len(self._sampler)

    def steps(self, epochs: int) -> int:
        """How many batches the first `epochs` epochs have together, however far the loader has come."""
        total = 0
        for epoch in range(epochs):
            self._sampler.set_epoch(epoch)
            total += len(self._sampler)
        self._sampler.set_epoch(self._epoch)
        return total

    def __iter__(self) -> Iterator[Batch]:
        self._sampler.set_epoch(self._epoch)
        rows = list(self._sampler)[self._given :]
        if not rows:
            self._epoch, self._given = self._epoch + 1, 0
            return
        with ThreadPoolExecutor(1) as thread:
            ahead: Future[Batch] | None = thread.submit(self._assemble, rows[0])
            for following in [*rows[1:], None]:
                assert ahead is not None
                batch = ahead.result()
                ahead = None if following is None else thread.submit(self._assemble, following)
                self._given += 1
                if following is None:
                    self._epoch, self._given = self._epoch + 1, 0
                yield batch

    def state_dict(self) -> dict[str, int]:
        """How far it has come: the epoch and the batches already given in it."""
        return {"epoch": self._epoch, "given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from a state of `state_dict`."""
        self._epoch, self._given = state["epoch"], state["given"]
