"""The description of an index in its folder."""

from __future__ import annotations

import json

import pytest

from bcls.errors import InputError
from bcls.search.errors import IndexDamagedError, IndexMissingError
from bcls.search.manifest import NAME, Manifest, claim_folder, manifest_of, read_manifest

FIELDS = {"kind": "str", "count": "int"}
MANIFEST = Manifest("memory", 8, "hash", FIELDS, {"note": "é"})
CONTENT = MANIFEST.content()


def test_what_is_written_is_read(tmp_path):
    (tmp_path / NAME).write_text(json.dumps(CONTENT | {"version": 3}))
    manifest, content = read_manifest(tmp_path)
    assert manifest == MANIFEST
    assert content == CONTENT | {"version": 3}


def test_two_indexes_of_one_kind_are_told_apart():
    other = Manifest("memory", 8, "hash", FIELDS, {"note": "é"})
    assert other.made != MANIFEST.made
    assert len(other.made) == 32


def test_an_index_from_before_they_were_told_apart_is_read():
    assert manifest_of({name: value for name, value in CONTENT.items() if name != "made"}, "here").made == ""


def test_notes_become_text():
    assert manifest_of(CONTENT | {"about": {"images": 3}}, "here").about == {"images": "3"}


def test_a_folder_without_a_description_is_no_index(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(IndexMissingError, match=r"no index is there \(no index.json\); `bcls index` makes one"):
            read_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[1, 2"])
def test_a_file_that_is_no_json_is_damaged(tmp_path, text):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(IndexDamagedError, match=r"index.json: line 1: not JSON"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        *({name: value for name, value in CONTENT.items() if name != left} for left in CONTENT if left != "made"),
        CONTENT | {"format": 2},
        CONTENT | {"dim": "wide"},
        CONTENT | {"dim": None},
        CONTENT | {"fields": ["kind"]},
        CONTENT | {"fields": {"kind": "date"}},
        CONTENT | {"fields": {"vector": "str"}},
        CONTENT | {"about": None},
        [],
        None,
        "memory",
    ],
)
def test_a_description_with_something_missing_or_wrong_is_damaged(content):
    with pytest.raises(IndexDamagedError, match=r"^here: not an index's description \("):
        manifest_of(content, "here")


def test_another_format_is_named():
    with pytest.raises(IndexDamagedError, match="format 7, 1 expected"):
        manifest_of(CONTENT | {"format": 7}, "here")


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    claim_folder(tmp_path / "deep" / "index")
    assert (tmp_path / "deep" / "index").is_dir()


@pytest.mark.parametrize("left", [(), (".lock",), (".lock", "segments", "records.lance")])
def test_an_empty_folder_or_what_a_creation_left_is_taken(tmp_path, left):
    for name in left:
        (tmp_path / name).mkdir()
    claim_folder(tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == set(left)


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InputError, match=r"holds other things \(letter.txt\); choose an empty folder"):
        claim_folder(tmp_path)
    (tmp_path / NAME).touch()
    with pytest.raises(InputError, match="holds an index already: open it, or choose another folder"):
        claim_folder(tmp_path)
    with pytest.raises(InputError, match="is a file; an index is a folder"):
        claim_folder(tmp_path / "letter.txt")


@pytest.mark.parametrize("dim", [-3, 0, 4.7, 1e999, "4", True])
def test_a_dimension_that_cannot_be_is_damage(dim):
    content = Manifest("memory", 4, "m", {}, {}).content() | {"dim": dim}
    with pytest.raises(IndexDamagedError, match=r"dim is "):
        manifest_of(content, "here")
