"""What every index has in common: how records are cut into blocks, what is refused before an engine sees it."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bcls.search.index as room
from bcls.errors import InputError
from bcls.search import Filter, Hit, IndexInfo, Record, WriteFailedError
from bcls.search.index import MAX_K, Index, merging_later

AXES = np.eye(2, dtype=np.float32)


class WrittenDown(Index):
    """An engine that writes down what it is asked, and keeps records in a dictionary."""

    dim, model, fields = 2, "m", {"count": "int"}

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple] = []
        self.kept: dict[str, Record] = {}
        self.lengths: list[float] = []
        self.closed = 0

    def _add(self, records, vectors):
        self.asked.append(("add", [record.id for record in records]))
        self.lengths += np.linalg.norm(vectors, axis=1).tolist()
        self.kept |= {record.id: record for record in records}

    def _delete(self, ids):
        self.asked.append(("delete", list(ids)))
        return sum(self.kept.pop(name, None) is not None for name in ids)

    def _search(self, queries, k, where):
        self.asked.append(("search", queries.tolist(), k, where))
        return [[Hit("a", 1.0, {})] for _ in queries]

    def _get(self, ids):
        self.asked.append(("get", list(ids)))
        return {name: self.kept[name] for name in ids if name in self.kept}

    def _scan(self, where):
        self.asked.append(("scan", where))
        return ((record.id, record.fields) for record in self.kept.values())

    def _count(self, where):
        self.asked.append(("count", where))
        return len(self.kept)

    def info(self):
        return IndexInfo("x", "x", 2, 0, "m", "0", self.fields, {}, exact=True)

    def refresh(self): ...

    def optimize(self): ...

    def close(self):
        self.closed += 1


def record(name: str, count: int = 0) -> Record:
    return Record(name, AXES[0] * (count + 1), {"count": count})


names = st.text("abcdefgh", min_size=1, max_size=1)


@given(st.lists(names, max_size=20), st.lists(names, max_size=12), st.lists(names, max_size=12), st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_blocks_do_what_one_record_after_the_other_would(added, deleted, asked, size):
    index, expected = WrittenDown(), {}
    before, room.BLOCK_RECORDS = room.BLOCK_RECORDS, size
    try:
        assert index.add(record(name, place) for place, name in enumerate(added)) == len(added)
        for place, name in enumerate(added):
            expected[name] = place
        assert {name: one.fields["count"] for name, one in index.kept.items()} == expected
        assert index.delete(deleted) == len({name for name in deleted if name in expected})
        for name in deleted:
            expected.pop(name, None)
        assert [one and one.fields["count"] for one in index.get(asked)] == [expected.get(name) for name in asked]
    finally:
        room.BLOCK_RECORDS = before
    for _, ids in index.asked:
        assert 1 <= len(ids) <= size
        assert len(set(ids)) == len(ids)
    assert index.lengths == pytest.approx([1] * len(index.lengths))


def test_a_bad_record_keeps_its_block_out_and_earlier_blocks_in(monkeypatch):
    monkeypatch.setattr(room, "BLOCK_RECORDS", 2)
    index = WrittenDown()
    given = [record("a"), record("b"), record("c"), Record("d", AXES[0], {}), record("e")]
    with pytest.raises(InputError, match="record 'd': the fields count are missing"):
        index.add(iter(given))
    assert sorted(index.kept) == ["a", "b"]


def test_what_the_engine_refuses_is_told_and_earlier_blocks_stay(monkeypatch):
    monkeypatch.setattr(room, "BLOCK_RECORDS", 1)

    class Full(WrittenDown):
        def _add(self, records, vectors):
            if self.kept:
                raise WriteFailedError("full")
            super()._add(records, vectors)

    index = Full()
    with pytest.raises(WriteFailedError, match="full"):
        index.add([record("a"), record("b")])
    assert list(index.kept) == ["a"]
    assert index._writing.acquire(timeout=5)  # the writer's lock is free again
    index._writing.release()


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1, 1.0, True, None, "3"])
def test_a_k_out_of_range_never_reaches_the_engine(k):
    index = WrittenDown()
    with pytest.raises(InputError, match=rf"^k is {k!r}; it is a whole number from 1 to 10000$"):
        index.search(AXES, k)
    assert index.asked == []


def test_the_limits_of_k_are_taken():
    index = WrittenDown()
    assert [len(index.search(AXES, k)) for k in (1, MAX_K)] == [2, 2]


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (np.ones(2, np.float32), r"queries: float32 of shape \(2,\); this index holds floats of shape \(rows, 2\)"),
        (np.ones((1, 3)), r"queries: float64 of shape \(1, 3\)"),
        (np.ones((1, 2), int), r"queries: int64 of shape \(1, 2\)"),
        (np.array([[1.0, 0], [0, 0]]), "queries: row 1 is zero or not finite"),
        (np.array([[np.nan, 0]]), "queries: row 0 is zero or not finite"),
    ],
)
def test_queries_that_have_no_direction_never_reach_the_engine(vectors, says):
    index = WrittenDown()
    with pytest.raises(InputError, match=says):
        index.search(vectors, 1)
    assert index.asked == []


def test_queries_reach_the_engine_at_length_one_with_a_typed_filter():
    index = WrittenDown()
    index.search(np.array([[3.0, 4.0]]), 5, where=Filter.parse("count>=3"))
    (_, queries, k, where) = index.asked[0]
    assert (queries, k) == ([pytest.approx([0.6, 0.8])], 5)
    assert [condition.value for condition in where.conditions] == [3]
    index.search(AXES, 1)
    assert index.asked[1][-1] == Filter()


def test_no_queries_ask_nothing():
    index = WrittenDown()
    assert index.search(np.ones((0, 2), np.float32), 3) == []
    assert index.asked == []


def test_a_filter_that_does_not_fit_is_refused():
    index = WrittenDown()
    for ask in (index.count, lambda where: index.search(AXES, 1, where=where)):
        with pytest.raises(InputError, match="filter: no field 'colour'; there are: id, count"):
            ask(Filter.parse("colour=red"))
    assert index.asked == []


@pytest.mark.parametrize("call", ["get", "delete"])
@pytest.mark.parametrize(("ids", "says"), [("abc", "not one string"), ([""], "1 to 512 bytes"), (["a", 3], "id 3")])
def test_ids_that_are_none_never_reach_the_engine(call, ids, says):
    index = WrittenDown()
    with pytest.raises(InputError, match=says):
        getattr(index, call)(ids)
    assert index.asked == []


def test_is_closed_also_after_an_error():
    index = WrittenDown()
    with index as entered:
        assert entered is index
    with pytest.raises(RuntimeError, match="mine"), index:
        raise RuntimeError("mine")
    assert index.closed == 2


def test_writers_wait_for_each_other():
    inside, most, guard = [0], [0], threading.Lock()

    class Slow(WrittenDown):
        def _add(self, records, vectors):
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.02)
            super()._add(records, vectors)
            with guard:
                inside[0] -= 1

    index = Slow()
    threads = [threading.Thread(target=index.add, args=([record(name)],)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert sorted(index.kept) == list("abcd")


def test_a_merge_that_is_refused_is_logged_and_any_other_error_is_told(caplog):
    with caplog.at_level(logging.WARNING, logger="bcls.search.index"), merging_later():
        raise WriteFailedError("here: full")
    assert [one.getMessage() for one in caplog.records] == [
        "files of an index are not merged yet, which slows it and harms nothing: here: full"
    ]
    with pytest.raises(InputError, match="damaged"), merging_later():
        raise InputError("damaged")
