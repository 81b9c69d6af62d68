"""`bcls index copy`, `delete` and `uploads`: what they print, and that nothing goes that was not asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bcls.search import Record, create_index, open_index

pytest.importorskip("fastapi")

from bcls.server.picture_files import PictureFiles
from bcls.server.upload_owner import kept_files, read_owner

FIELDS = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}


@pytest.fixture
def place(tmp_path) -> str:
    """An index of `a` with an added image, `b`, and what an earlier release took: an id with a line break."""
    place = f"memory:{tmp_path / 'index'}"
    file = PictureFiles(None, tmp_path / "index-uploads").keep(b"of a")
    with create_index(place, dim=2, model="m", fields=FIELDS) as index:
        fields = {"kind": "image", "image": "x", "split": "", "text": "", "file": ""}
        vector = np.float32([1, 0])
        index.add([Record("a", vector, fields | {"file": file}), Record("b", vector, fields)])
        index._add([Record("b\n", vector, fields)], vector[None])
    return place


def test_copy_says_what_the_copy_holds(bcls, place, tmp_path):
    said = bcls("index", "copy", place, tmp_path / "copy")
    assert (said.code, said.out) == (0, f"3 records, memory, version 2: memory:{tmp_path / 'copy'}\n")
    assert bcls("index", "copy", place, tmp_path / "copy").code == 2


def test_delete_lists_first(bcls, place):
    listed = bcls("index", "delete", place, "--unusable_ids")
    assert listed.out == ("'b\\n'  contains the control character U+000A\n1 records: delete them with --delete\n")
    assert open_index(place).count() == 3
    assert bcls("index", "delete", place, "--unusable-ids", "--delete").out.endswith("1 records deleted\n")
    assert [record is not None for record in open_index(place).get(["a", "b", "b\n"])] == [True, True, False]
    assert bcls("index", "delete", place, "--unusable_ids", "--delete").out == "0 records\n"


def test_delete_takes_ids_and_nothing_where_one_is_not_there(bcls, place):
    refused = bcls("index", "delete", place, "a", "nobody", "--delete")
    assert (refused.code, "there is no record 'nobody'; nothing was deleted" in refused.err) == (2, True)
    assert bcls("index", "delete", place, "b", "b").out == "'b'\n1 records: delete them with --delete\n"
    assert bcls("index", "delete", place, "b", "b\n", "--delete").out.endswith("2 records deleted\n")
    assert [name for name, _ in open_index(place).scan()] == ["a"]
    for words in ((), ("a", "--unusable_ids")):
        assert bcls("index", "delete", place, *words).code == 2


def test_uploads_lists_first_and_deletes_only_in_a_folder_that_is_the_indexs_own(bcls, place, tmp_path):
    folder = tmp_path / "index-uploads"
    PictureFiles(None, folder).keep(b"unused")
    (folder / "holiday.jpg").write_bytes(b"mine")
    with open_index(place) as index:
        used = folder / index.get(["a"])[0].fields["file"].removeprefix("uploaded:")
    (unused,) = set(kept_files(folder)) - {used}
    listed = f"{unused}\n1 images that no record names: delete them with --delete\n"
    assert bcls("index", "uploads", place).out == listed
    refused = bcls("index", "uploads", place, "--delete")
    assert (refused.code, "names no index that it belongs to" in refused.err) == (2, True)
    assert read_owner(folder) is None
    taken = bcls("index", "uploads", place, "--take_over")
    assert taken.out == f"{folder}: belongs to {place} now\n{listed}"
    other = f"memory:{tmp_path / 'other'}"
    create_index(other, dim=2, model="m", fields=FIELDS).close()
    refused = bcls("index", "uploads", other, "--uploads", folder, "--delete")
    assert (refused.code, "belongs to another index" in refused.err) == (2, True)
    assert len(kept_files(folder)) == 2
    assert bcls("index", "uploads", place, "--delete").out == f"{unused}\n1 images deleted\n"
    assert {path.name for path in folder.glob("*.jpg")} == {used.name, "holiday.jpg"}
    assert bcls("index", "uploads", place, "--delete").out == "0 images that no record names\n"


def test_uploads_of_no_folder_are_refused(bcls, place, tmp_path):
    assert bcls("index", "uploads", place, "--uploads", tmp_path / "nowhere").code == 2
    assert bcls("index", "uploads", "milvus://h:1/x").code == 2
    assert bcls("index", "uploads", place, "--delete", "--take_over").code == 2


def test_embeddings_in_a_folder_of_such_a_name_are_named_with_a_dot(bcls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("copy").mkdir()
    assert "no embeddings are there" in bcls("index", "./copy", "memory:index").err


@pytest.mark.parametrize("part", ["copy", "delete", "uploads"])
def test_has_help_which_loads_no_model(bcls, monkeypatch, part):
    monkeypatch.setitem(sys.modules, "bcls.search", None)
    said = bcls("index", part, "--help")
    assert said.code == 0
    assert f"example: bcls index {part}" in " ".join(said.out.split())
