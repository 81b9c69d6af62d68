"""Many callers, one worker: what waits while the worker is busy goes to it together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from bcls.server.problems import UnavailableError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Calls a function with a list of all that waits, in a thread, one call at a time.

    The first item goes at once and alone; nothing waits for company. Under load the batches grow by themselves, so
    that a call a batch replaces a call an item.

    Args:
        work: items -> as many results, in the same order; runs in `thread`.
        thread: an executor of one thread.
        max_batch: the most items of one call.
        max_waiting: the most that may wait; more are refused.
        observe: told the size of each batch.

    Example:
        >>> async def ask():
        ...     with ThreadPoolExecutor(1) as thread:
        ...         double = Batcher(lambda numbers: [2 * number for number in numbers], thread)
        ...         return await asyncio.gather(double(1), double(2))
        >>> asyncio.run(ask())
        [2, 4]
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Sequence[Result]],
        thread: ThreadPoolExecutor,
        *,
        max_batch: int = 32,
        max_waiting: int = 512,
        observe: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._work = work
        self._thread = thread
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._observe = observe
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """The result of one item.

        Raises:
            UnavailableError: too many wait already.
        """
        if len(self._waiting) >= self._max_waiting:
            raise UnavailableError("too many queries are waiting; ask again in a moment")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next():
                self._observe(len(batch))
                try:
                    results = await loop.run_in_executor(self._thread, self._work, [item for item, _ in batch])
                except Exception as error:  # whoever asked gets it
                    _settle(batch, error)
                else:
                    for (_, answer), result in zip(batch, results, strict=True):
                        if not answer.done():
                            answer.set_result(result)
        finally:
            self._worker = None

    def _next(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next batch; who has given up meanwhile is left out."""
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._max_batch:
            item, answer = self._waiting.popleft()
            if not answer.done():
                batch.append((item, answer))
        return batch


def _settle(batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
