"""The exact engine: right where single precision is not, whatever way its rows are gathered, and kept or not."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bcls.search.memory as room
import bcls.search.memory_log as log_room
from bcls.errors import InputError
from bcls.search import Condition, Filter, IndexDamagedError, IndexMissingError, Record, open_index
from bcls.search.memory import MemoryIndex

FIELDS = {"count": "int"}


def kept_nowhere(dim: int = 4) -> MemoryIndex:
    return MemoryIndex(None, dim=dim, model="m", fields=FIELDS)


def records_of(vectors, start: int = 0) -> list[Record]:
    return [
        Record(f"r{number:03d}", np.asarray(vector, np.float32), {"count": number})
        for number, vector in enumerate(vectors, start=start)
    ]


def naive(records, query, k, allowed=lambda record: True):
    """Ids by the definition, from the vectors as they are kept: cosines in double precision, ties by id."""
    query = query.astype(np.float64)
    scored = []
    for record in records:
        if allowed(record):
            vector = record.vector.astype(np.float64)
            cosine = float(np.sum(vector * query)) / np.sqrt(np.sum(vector**2)) / np.sqrt(np.sum(query**2))
            scored.append((-np.float32(cosine), record.id))
    return [name for _, name in sorted(scored)[:k]]


@given(
    count=st.integers(1, 40),
    k=st.integers(1, 45),
    bound=st.integers(0, 40),
    levels=st.integers(1, 3),
    queries=st.integers(1, 4),
    scores=st.sampled_from([1, 50, 4_000_000]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=30)
def test_finds_what_the_definition_finds_among_many_ties(count, k, bound, levels, queries, scores, seed):
    draw = np.random.default_rng(seed)
    vectors = draw.integers(-levels, levels + 1, (count, 4)).astype(np.float32)
    vectors[:, 0] += 2 * levels
    before, room.BLOCK_SCORES = room.BLOCK_SCORES, scores
    try:
        index = kept_nowhere()
        given = records_of(vectors)
        index.add(given)
        index.delete([record.id for record in given[::7]])
        asked = index._rows.view.vectors[draw.integers(0, count, queries)]  # as a kept vector, so that ties abound
        left = [record for number, record in enumerate(given) if number % 7]
        kept = index.get([record.id for record in left])
        where = Filter((Condition("count", "<", bound),))
        for query, hits, few in zip(asked, index.search(asked, k), index.search(asked, k, where=where), strict=True):
            assert [hit.id for hit in hits] == naive(kept, query, k)
            assert [hit.id for hit in few] == naive(kept, query, k, lambda one: one.fields["count"] < bound)
    finally:
        room.BLOCK_SCORES = before


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_neighbours_that_single_precision_cannot_tell_apart_come_in_their_order(share):
    """Cosines 3e-8 apart: a product in single precision has larger errors than that."""
    dim, count = 512, 200
    draw = np.random.default_rng(0)
    query = draw.normal(size=dim)
    query /= np.linalg.norm(query)
    across = draw.normal(size=(count, dim))
    across -= np.outer(across @ query, query)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    angles = np.arccos(0.5 - 3e-8 * draw.permutation(count))[:, None]
    index = kept_nowhere(dim)
    index.add(records_of(np.cos(angles) * query + np.sin(angles) * across))
    everyone = index.get([f"r{number:03d}" for number in range(count)])
    bound = int(share * count)
    where = Filter((Condition("count", "<", bound),))
    asked = query.astype(np.float32)
    length_one = (asked / np.linalg.norm(asked.astype(np.float64))).astype(np.float32)
    expected = naive(everyone[:bound], length_one, bound)
    for k in range(1, bound):
        assert [hit.id for hit in index.search(asked[None], k, where=where)[0]] == expected[:k]


def test_a_score_is_the_cosine():
    index = kept_nowhere(2)
    index.add([Record("a", np.float32([3, 4]), {"count": 0}), Record("b", np.float32([-5, 0]), {"count": 1})])
    hits = index.search(np.array([[2.0, 0.0]]), 2)[0]
    assert [(hit.id, hit.score, hit.fields) for hit in hits] == [
        ("a", pytest.approx(0.6), {"count": 0}),
        ("b", -1.0, {"count": 1}),
    ]


def test_the_version_changes_with_every_write_and_with_nothing_else():
    index = kept_nowhere(2)
    seen = [index.info().version]
    for write in (
        lambda: index.add(records_of(np.eye(2))),
        lambda: index.delete(["r000"]),
        lambda: index.add(records_of(np.eye(2)[:1])),
    ):
        write()
        seen.append(index.info().version)
    assert len(set(seen)) == 4
    index.delete(["nobody"])
    index.add([])
    index.search(np.eye(2), 1)
    index.refresh()
    assert index.info().version == seen[-1]


def test_tells_where_it_is_kept(tmp_path):
    with kept_nowhere(2) as nowhere, MemoryIndex(tmp_path / "index", dim=2, model="m", fields={}) as kept:
        assert (nowhere.info().place, kept.info().place) == ("memory:", f"memory:{tmp_path / 'index'}")
        assert nowhere.info().exact
        assert kept.info().engine == "memory"
        assert open_index(kept.info().place).info() == kept.info()


def test_what_the_caller_changes_later_changes_nothing_here():
    index = kept_nowhere(2)
    vector, fields = np.float32([1, 0]), {"count": 1}
    index.add([Record("a", vector, fields)])
    vector[:] = [0, 1]
    fields["count"] = 2
    index.get(["a"])[0].vector[:] = 7
    found = index.get(["a"])[0]
    assert (found.vector.tolist(), found.fields) == ([1, 0], {"count": 1})


@pytest.mark.parametrize("kept", [True, False])
def test_optimizing_forgets_what_was_deleted_and_changes_nothing_else(tmp_path, kept):
    index = MemoryIndex(tmp_path / "index" if kept else None, dim=4, model="m", fields=FIELDS)
    vectors = np.random.default_rng(1).normal(size=(30, 4))
    for record in records_of(vectors):
        index.add([record])
    index.delete([f"r{number:03d}" for number in range(0, 30, 2)])
    before = index.search(vectors[:3], 30)
    assert len(index._rows.view.vectors) == 30
    index.optimize()
    assert len(index._rows.view.vectors) == 15
    assert index.search(vectors[:3], 30) == before
    if kept:
        assert len(index._log._state()[1]) == 1
        assert open_index(tmp_path / "index").search(vectors[:3], 30) == before


def test_many_writes_are_merged_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(log_room, "MOST_SEGMENTS", 3)
    with MemoryIndex(tmp_path / "index", dim=4, model="m", fields=FIELDS) as index:
        counts = []
        for record in records_of(np.random.default_rng(1).normal(size=(9, 4))):
            index.add([record])
            counts.append(len(index._log._state()[1]))
        assert counts == [1, 2, 3, 1, 2, 3, 1, 2, 3]
        assert index.count() == open_index(tmp_path / "index").count() == 9


def test_a_backup_that_was_put_back_and_has_come_to_the_same_version_is_read(tmp_path):
    given = records_of(np.eye(4))
    index = MemoryIndex(tmp_path / "index", dim=4, model="m", fields=FIELDS)
    index.add(given[:1])
    shutil.copytree(tmp_path / "index", tmp_path / "backup")
    index.add(given[1:2])
    shutil.rmtree(tmp_path / "index")
    shutil.move(tmp_path / "backup", tmp_path / "index")
    with MemoryIndex.open(tmp_path / "index") as other:
        other.add(given[2:3])
        assert other.info().version == index.info().version
    index.refresh()
    assert [name for name, _ in index.scan()] == ["r000", "r002"]
    index.add(given[3:])
    assert [name for name, _ in MemoryIndex.open(tmp_path / "index").scan()] == ["r000", "r002", "r003"]


def test_a_write_starts_from_what_another_has_written(tmp_path):
    with MemoryIndex(tmp_path / "index", dim=4, model="m", fields=FIELDS) as one:
        other = MemoryIndex.open(tmp_path / "index")
        given = records_of(np.eye(4))
        one.add(given[:2])
        assert other.count() == 0
        assert other.delete(["r000"]) == 1
        other.add(given[2:])
        one.optimize()
        assert [one.count(), other.count(), MemoryIndex.open(tmp_path / "index").count()] == [3, 3, 3]


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(IndexMissingError, match=r"no index is there \(no index.json\); `bcls index` makes one"):
        MemoryIndex.open(tmp_path)
    with pytest.raises(InputError, match="field 'vector': a name is a small letter"):
        MemoryIndex(tmp_path / "new", dim=2, model="m", fields={"vector": "str"})
    assert not (tmp_path / "new").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other things \(letter.txt\); choose an empty folder"):
        MemoryIndex(tmp_path / "full", dim=2, model="m", fields={})
    MemoryIndex(tmp_path / "index", dim=2, model="m", fields={}).close()
    with pytest.raises(InputError, match="holds an index already: open it, or choose another folder"):
        MemoryIndex(tmp_path / "index", dim=2, model="m", fields={})


def test_a_change_of_another_width_is_damage(tmp_path):
    with MemoryIndex(tmp_path / "index", dim=4, model="m", fields=FIELDS) as index:
        index.add(records_of(np.eye(4)))
    file = tmp_path / "index" / "index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"dim": 3}))
    with pytest.raises(IndexDamagedError, match=r"not a segment of an index \(vectors of shape \(4, 4\)\)"):
        MemoryIndex.open(tmp_path / "index")


def test_a_list_of_changes_with_one_left_out_is_damage(tmp_path):
    with MemoryIndex(tmp_path / "index", dim=4, model="m", fields=FIELDS) as index:
        index.add(records_of(np.eye(4)))
        index.delete(["r002"])
    file = tmp_path / "index" / "index.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"segments": content["segments"][1:]}))
    with pytest.raises(IndexDamagedError, match="takes out 'r002', which was never added; make the index again"):
        MemoryIndex.open(tmp_path / "index")
