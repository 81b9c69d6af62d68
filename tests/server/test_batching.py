"""Batches: the same answers as one by one, grown under load, and nobody is lost."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bcls.server.batching import Batcher
from bcls.server.problems import UnavailableError


def run(asking):
    async def main():
        with ThreadPoolExecutor(1) as thread:
            return await asyncio.wait_for(asking(thread), 10)

    return asyncio.run(main())


def test_what_waits_goes_together_and_each_gets_its_own():
    sizes: list[int] = []
    free = threading.Event()

    def work(items: list[int]) -> list[int]:
        free.wait(5)
        return [item * item for item in items]

    async def asking(thread):
        squares = Batcher(work, thread, max_batch=8, observe=sizes.append)
        asked = [asyncio.create_task(squares(number)) for number in range(20)]
        await asyncio.sleep(0.05)
        free.set()
        return await asyncio.gather(*asked)

    assert run(asking) == [number * number for number in range(20)]
    assert max(sizes) == 8
    assert sum(sizes) == 20


def test_a_failure_reaches_everybody_of_the_batch_and_nobody_else():
    def work(items: list[int]) -> list[int]:
        if 3 in items:
            raise ValueError("three")
        return items

    async def asking(thread):
        picky = Batcher(work, thread, max_batch=1)
        return await asyncio.gather(*(picky(number) for number in range(5)), return_exceptions=True)

    answers = run(asking)
    assert isinstance(answers.pop(3), ValueError)
    assert answers == [0, 1, 2, 4]


def test_too_many_are_refused_and_those_who_gave_up_cost_nothing():
    done: list[int] = []
    free = threading.Event()

    def work(items: list[int]) -> list[int]:
        free.wait(5)
        done.extend(items)
        return items

    async def asking(thread):
        slow = Batcher(work, thread, max_batch=1, max_waiting=2)
        first = asyncio.create_task(slow(0))
        await asyncio.sleep(0.02)
        waiting = [asyncio.create_task(slow(number)) for number in (1, 2)]
        await asyncio.sleep(0.02)
        with pytest.raises(UnavailableError):
            await slow(3)
        waiting[0].cancel()
        free.set()
        return await asyncio.gather(first, waiting[1])

    assert run(asking) == [0, 2]
    assert done == [0, 2]
