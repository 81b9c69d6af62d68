"""Where an index lives, and which engine is behind it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.search import Record
from bcls.search.errors import IndexDamagedError, IndexMissingError
from bcls.search.manifest import NAME
from bcls.search.place import create_index, made_at, open_index

MORE = {"dim": 2, "model": "m", "fields": {"kind": "str"}, "about": {"note": "x"}}
RECORD = Record("a", np.float32([0.6, 0.8]), {"kind": "image"})


def test_memory_alone_is_kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with create_index("memory:", **MORE) as index:
        index.add([RECORD])
        assert index.info().place == "memory:"
        assert index.count() == 1
    assert not list(tmp_path.iterdir())
    assert made_at("memory:") == ""
    with pytest.raises(IndexMissingError, match="memory: alone is kept nowhere and cannot be opened"):
        open_index("memory:")


def test_memory_in_a_folder_is_opened_by_its_word_or_its_folder(tmp_path):
    place = f"memory:{tmp_path / 'index'}"
    with create_index(place, **MORE) as index:
        index.add([RECORD])
    for name in (place, tmp_path / "index", str(tmp_path / "index")):
        with open_index(name) as opened:
            info = opened.info()
            assert (info.engine, info.place, info.count, info.dim, info.model) == ("memory", place, 1, 2, "m")
            assert (info.fields, info.about) == ({"kind": "str"}, {"note": "x"})


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_alone_is_lancedb(tmp_path, kind):
    pytest.importorskip("lancedb")
    with create_index(kind(tmp_path / "index"), **MORE) as index:
        assert index.info().engine == "lancedb"
    with open_index(kind(tmp_path / "index")) as opened:
        assert opened.info().engine == "lancedb"


@pytest.mark.parametrize("dim", [0, -1, 2.0, "2", True, None])
def test_a_dim_that_is_no_whole_number_above_zero_is_refused(dim):
    with pytest.raises(InputError, match=rf"^dim is {dim!r}; it is a whole number, at least 1$"):
        create_index("memory:", **(MORE | {"dim": dim}))


def test_a_place_that_is_taken_is_refused_and_left_alone(tmp_path):
    place = f"memory:{tmp_path / 'index'}"
    with create_index(place, **MORE) as index:
        index.add([RECORD])
    with pytest.raises(InputError, match="holds an index already"):
        create_index(place, **MORE)
    assert open_index(place).count() == 1


def test_where_there_is_none_none_is_opened(tmp_path):
    for one in (open_index, made_at):
        for place in (tmp_path, f"memory:{tmp_path / 'absent'}"):
            with pytest.raises(IndexMissingError, match="no index is there"):
                one(place)


def test_an_engine_that_is_not_known_is_named(tmp_path):
    create_index(f"memory:{tmp_path / 'index'}", **MORE).close()
    file = tmp_path / "index" / NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | {"engine": "faiss"}))
    with pytest.raises(IndexDamagedError, match=r"an index of no known engine \(faiss\)"):
        open_index(tmp_path / "index")


def test_an_index_made_in_the_place_of_another_is_told_from_it(tmp_path):
    place = tmp_path / "index"
    create_index(f"memory:{place}", **MORE).close()
    first = made_at(place)
    with open_index(place) as index:
        index.add([RECORD])
    assert made_at(f"memory:{place}") == first != ""
    for file in (place / NAME, place / ".lock", *(place / "segments").iterdir()):
        file.unlink()
    create_index(f"memory:{place}", **MORE).close()
    assert made_at(place) not in {first, ""}


@pytest.mark.parametrize("prefix", ["memory:", pytest.param("", id="lancedb")])
def test_an_index_made_in_the_place_of_another_is_not_written_to_through_that_one(tmp_path, prefix):
    if not prefix:
        pytest.importorskip("lancedb")
    place = f"{prefix}{tmp_path / 'index'}"
    old = create_index(place, **MORE)
    old.add([RECORD])
    shutil.rmtree(tmp_path / "index")
    with create_index(place, **MORE | {"model": "another"}) as new:
        new.add([replace(RECORD, id="new")])
        for work in (lambda: old.add([RECORD]), lambda: old.delete(["new"]), old.refresh, old.optimize):
            with pytest.raises(IndexMissingError, match="another index was made in the place of this one"):
                work()
        new.refresh()
        assert [record is not None for record in new.get(["new", RECORD.id])] == [True, False]
    with open_index(place) as again:
        assert (again.info().model, again.count()) == ("another", 1)


def test_milvus_has_no_folder_to_tell_of():
    assert made_at("milvus://127.0.0.1:1/name") == ""


@pytest.mark.parametrize("place", ["lance:box", "lancedb://box", "Memory:box", "milvus:box", "http://localhost/box"])
def test_a_scheme_that_names_no_engine_is_no_folder(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    for call in (lambda: create_index(place, **MORE), lambda: open_index(place)):
        with pytest.raises(InputError, match=f"{place}: .*names no engine; a place is a folder"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_folder_with_a_colon_in_its_name_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("./trip:rome", Path("trip:paris")):
        create_index(place, **MORE).close()
        with open_index(place) as index:
            assert index.count() == 0
    with open_index("trip:rome") as index:  # it is there
        assert index.count() == 0
