"""A collection asked by many at once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

from bcls.errors import InputError
from bcls.search import Filter, Record
from bcls.server import ServerSettings
from bcls.server.collection import Collection
from bcls.server.metrics import Metrics

from .conftest import served_of


def test_a_wrong_id_spoils_no_other_question(made, embedder):
    collection = Collection(served_of(made, embedder), ServerSettings(), Metrics())

    async def ask():
        return await asyncio.gather(
            *(collection.get(name) for name in ["red-0", "a\0", "red-0", "", "red-0"]), return_exceptions=True
        )

    found = asyncio.run(ask())
    collection.close()
    assert [type(one) for one in found] == [Record, InputError, Record, InputError, Record]


def test_a_filter_that_the_engine_refuses_spoils_no_other_search(made, embedder, monkeypatch):
    collection = Collection(served_of(made, embedder), ServerSettings(), Metrics())
    index, busy = collection.live._index, threading.Event()
    search = index.search

    def refusing(vectors, k, *, where):  # as Milvus does where too few of the nearest contain the words
        busy.wait(10)
        if any(one.operator == "contains" for one in where.conditions):
            raise InputError("filter: only 1 of the nearest 16384 records contain that")
        return search(vectors, k, where=where)

    monkeypatch.setattr(index, "search", refusing)
    filters = [Filter(), Filter.parse("split=val"), Filter.parse("text contains red"), Filter.parse("split=train")]

    async def ask():
        vector = await collection.embed_text("red")
        asking = asyncio.gather(*(collection.search(vector, 3, where) for where in filters), return_exceptions=True)
        await asyncio.sleep(0.1)  # the first goes alone, and the others wait together
        busy.set()
        return await asking

    found = asyncio.run(ask())
    collection.close()
    assert [type(one) for one in found] == [list, list, InputError, list]
    assert [len(one) for one in found if isinstance(one, list)] == [3] * 3


def test_it_goes_on_watching_after_any_fault(made, embedder, monkeypatch, caplog):
    collection = Collection(served_of(made, embedder), replace(ServerSettings(), reload_seconds=0.01), Metrics())
    calls = []

    def refresh():
        calls.append(None)
        if len(calls) == 1:
            raise OSError(24, "too many open files")
        return False

    monkeypatch.setattr(collection.live, "refresh", refresh)

    async def watch():
        task = asyncio.create_task(collection.watch())
        for _ in range(500):
            await asyncio.sleep(0.01)
            if len(calls) > 2:
                break
        task.cancel()

    asyncio.run(watch())
    collection.close()
    assert len(calls) > 2
    assert [record.message for record in caplog.records].count("reload failed") == 1


def test_a_write_that_is_there_is_answered_whatever_happens_to_the_look_behind_it(made, embedder, monkeypatch):
    collection = Collection(served_of(made, embedder), ServerSettings(), Metrics())

    def refuse():
        raise OSError(24, "too many open files")

    monkeypatch.setattr(collection.live, "refresh", refuse)
    assert asyncio.run(collection.write(lambda index: index.delete(["red-0"]))) == 1
    collection.close()
