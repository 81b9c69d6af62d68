"""When LanceDB gets its vector index, and what it finds with it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.search import Filter, IndexDamagedError, create_index, open_index

lance = pytest.importorskip("bcls.search.lance")
FIELDS = {"kind": "str", "count": "int", "weight": "float", "good": "bool"}


def test_the_vector_index_comes_when_it_pays_and_grows_with_the_records(records, tmp_path, monkeypatch):
    monkeypatch.setattr(lance, "VECTOR_INDEX_FROM", 300)
    given = records(700)
    with create_index(tmp_path / "index", dim=8, model="m", fields=FIELDS) as index:
        index.add(given[:299])
        index.optimize()
        assert index.info().exact
        index.add(given[299:320])
        index.optimize()
        assert not index.info().exact
        assert index._vector_indexes() == ["vector_320"]
        index.add(given[320:])  # not in the vector index yet, and found nevertheless
        assert index.search(given[650].vector[None], 1)[0][0].id == "r650"
        index.optimize()
        assert index._vector_indexes() == ["vector_700"]
    with open_index(tmp_path / "index") as again:
        assert not again.info().exact
        assert again.count() == 700


def test_a_narrow_filter_finds_all_it_lets_through(records, tmp_path):
    given = records(900)
    with create_index(tmp_path / "index", dim=8, model="m", fields=FIELDS) as index:
        index.add(given)
        index.build_vector_index()
        query = np.ones((1, 8), np.float32)
        for text, count in (("count<7", 7), ("id=r555", 1), ("count>=880 kind=image", 10), ("count<0", 0)):
            hits = index.search(query, 50, where=Filter.parse(text))[0]
            assert len(hits) == count, text
            assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.id))
        assert len(index.search(query, 900)[0]) == 900


@pytest.mark.parametrize("wrong", [{"dim": 3}, {"fields": FIELDS | {"count": "float"}}, {"fields": {"kind": "str"}}])
def test_a_description_that_does_not_fit_the_table_is_damage(tmp_path, records, wrong):
    with create_index(tmp_path / "index", dim=8, model="m", fields=FIELDS) as index:
        index.add(records(3))
    file = tmp_path / "index" / "index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    with pytest.raises(IndexDamagedError, match=r"its table has other columns than index\.json says"):
        open_index(tmp_path / "index")


def test_a_panic_of_rust_is_told_as_damage(tmp_path, records):
    """A list of versions with a number that lies beyond its end, from which LanceDB does not come back by itself."""
    given = records(5)
    with create_index(str(tmp_path / "i"), dim=8, model="m", fields=FIELDS) as index:
        index.add(given)
    told = 0
    file = max((tmp_path / "i").rglob("*.manifest"), key=lambda file: file.stat().st_mtime_ns)
    whole = file.read_bytes()
    for place in (0, len(whole) // 3, len(whole) // 2, len(whole) - 16, len(whole) - 12, len(whole) - 8):
        file.write_bytes(whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :])
        try:
            with open_index(str(tmp_path / "i")) as index:
                index.search(given[0].vector[None], 3)
        except IndexDamagedError as error:
            told += "make the index again" in str(error)
    assert told >= 2
