"""Files: whole or not at all, and an error that names the place."""

from __future__ import annotations

import math
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.files import hash_of, read_json, read_yaml, replacing, write_json, write_text


def test_json_comes_back(tmp_path):
    value = {"a": [1, 2.5, None, "ü"], "b": {"c": True}}
    write_json(tmp_path / "deep" / "x.json", value)
    assert read_json(tmp_path / "deep" / "x.json") == value


def test_nan_is_refused_and_the_old_file_stays(tmp_path):
    write_json(tmp_path / "x.json", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", math.nan)
    assert read_json(tmp_path / "x.json") == 1


def test_an_interrupted_write_leaves_the_old_file_and_no_rest(tmp_path):
    write_text(tmp_path / "x", "old")

    def interrupted() -> None:
        with replacing(tmp_path / "x") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "x").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_new_file_has_the_usual_mode(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "x", "")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: not JSON"),
        (b'{"a": 1,\n"b": }', "line 2: not JSON"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "too many digits"),
    ],
)
def test_what_is_no_json_is_named(tmp_path, content, message):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.json: .*{message}"):
        read_json(tmp_path / "x.json")


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


@given(first=st.lists(st.text()), second=st.lists(st.text()))
def test_hashes_are_equal_just_when_the_parts_are(first, second):
    assert (hash_of(first) == hash_of(second)) == (first == second)


@pytest.mark.parametrize(
    "content",
    [
        b"a: [1, 2",
        b"a: 2001-99-99",
        b"a: " + b"[" * 20_000,
        b"seed: " + b"9" * 5000,
        b"!!timestamp x",
        b"!!python/object:os.system x",
        b"a: \xff",
        b"\x00",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_whatever_yaml_raises_is_told_with_the_files_name(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.yaml: not YAML in UTF-8 \("):
        read_yaml(tmp_path / "config.yaml")


def test_yaml_comes_back(tmp_path):
    (tmp_path / "config.yaml").write_text("a: [1, 2.5, ü]", encoding="utf-8")
    assert read_yaml(tmp_path / "config.yaml") == {"a": [1, 2.5, "ü"]}
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        read_yaml(tmp_path / "none.yaml")


def test_json_behind_something_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "a.json").write_text("1")
    with pytest.raises(InputError, match=r"b\.json: cannot be read \(Not a directory\)"):
        read_json(tmp_path / "a.json" / "b.json")
