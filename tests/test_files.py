"""Files: whole or not at all, and an error that names the place."""

from __future__ import annotations

import math
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.files import hash_of, natural_order, read_json, read_yaml, replacing, row_order, write_json, write_text


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


NAMES = st.lists(st.text("ab_019.", min_size=1, max_size=7).filter(lambda name: name.strip(".")), unique=True)


@given(names=NAMES)
def test_natural_order_compares_numbers_as_numbers_and_loses_nothing(names):
    ordered = [file.name for file in natural_order(map(Path, names))]
    assert sorted(ordered) == sorted(names)

    def key(name):  # by the definition: text as text, numbers as numbers, spelling decides between equals
        parts = re.split("([0-9]+)", name)
        return [int(part) if part.isdigit() else part for part in parts], name

    assert ordered == sorted(names, key=key)


@given(numbers=st.sets(st.integers(0, 3000), min_size=1, max_size=30), width=st.integers(1, 5))
def test_rows_lie_in_the_order_of_the_numbers_whatever_the_zeros(numbers, width):
    files = [Path("f") / f"emb_{number:0{width}d}.npy" for number in numbers]
    assert row_order(files) == [Path("f") / f"emb_{number:0{width}d}.npy" for number in sorted(numbers)]


@given(names=NAMES.filter(bool))
def test_rows_are_in_natural_order_or_refused(names):
    files = [Path("f") / name for name in names]
    natural = natural_order(files)
    alike = len({re.sub("[0-9]+", "0", name) for name in names}) == 1
    equal_numbers = len({re.sub("0*([0-9]+)", r"\1", name) for name in names}) < len(names)
    if natural == sorted(files, key=Path.as_posix) or (alike and not equal_numbers):
        assert row_order(files) == natural
    else:
        with pytest.raises(InputError, match="f: the rows of its files can be read in two orders"):
            row_order(files)


@pytest.mark.parametrize(
    "names",
    [["train_2", "train_10", "val_1", "val_2", "val_10"], ["a10", "b2", "a2"], ["e_2", "e_02", "e_10"], ["9f", "10a"]],
)
def test_an_order_that_nothing_tells_is_refused_and_both_are_named(names):
    with pytest.raises(InputError, match=r"by number \(.*\) or by spelling \(.*\)"):
        row_order([Path("f") / name for name in names])


@pytest.mark.parametrize("names", [[], ["only"], ["a", "b"], ["00000", "00001", "00010"], ["cnn_1", "text_1"]])
def test_an_order_that_both_rules_share_is_taken(names):
    files = [Path("f") / name for name in names]
    assert row_order(reversed(files)) == files


def test_a_byte_order_mark_in_front_of_json_is_left_out(tmp_path):
    (tmp_path / "f.json").write_text('{"a": "é"}', encoding="utf-8-sig")
    assert read_json(tmp_path / "f.json") == {"a": "é"}
