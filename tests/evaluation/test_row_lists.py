"""Ids and image rows from files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import match_rows, read_caption_image, read_ids


@pytest.mark.parametrize(
    ("name", "content"), [("ids.txt", "a\n7\r\nc d\n"), ("ids.txt", "\ufeffa\n7\nc d"), ("ids.json", '["a", 7, "c d"]')]
)
def test_ids(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    assert read_ids(tmp_path / name) == ["a", "7", "c d"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ids.txt", "a\nb\na\n", "row 2: the id 'a' is already that of row 0"),
        ("ids.json", '["1", 1]', "row 1: the id '1' is already that of row 0"),
        ("ids.txt", "a\n\nb\n", "row 1 is '', not an id"),
        ("ids.json", "[true]", "row 0 is True, not an id"),
        ("ids.json", '{"a": 1}', "must hold one list"),
        ("ids.json", "[", "line 1: not JSON"),
        ("ids.csv", "a", r"must be a \.txt file"),
    ],
)
def test_ids_that_cannot_be_used(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        read_ids(tmp_path / name)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.txt: no such file"):
        read_ids(tmp_path / "gone.txt")


def test_image_rows(tmp_path):
    rows = [0, 2, -1, 1]
    np.save(tmp_path / "rows.npy", np.array(rows, dtype=np.int16))
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    (tmp_path / "rows.txt").write_text("".join(f"{row}\n" for row in rows))
    for name in ("rows.npy", "rows.json", "rows.txt"):
        assert read_caption_image(tmp_path / name).tolist() == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0\n1.5\n", "row 1 is '1.5', not a whole number"),
        ("0\n\n1\n", "row 1 is '', not a whole number"),
        ("0\n-2\n", "row 1 is -2, not an image row"),
        ("9999999999999\n", "row 0 is 9999999999999, not an image row"),
    ],
)
def test_image_rows_that_cannot_be_used(tmp_path, content, message):
    (tmp_path / "rows.txt").write_text(content)
    with pytest.raises(InputError, match=rf"rows\.txt: {message}"):
        read_caption_image(tmp_path / "rows.txt")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([0.0, 1.0]), r"got shape \(2,\) of float64"),
        (np.array([[0, 1]]), r"got shape \(1, 2\)"),
        (np.array([0, 2**64 - 1], dtype=np.uint64), "row 1 is 18446744073709551615, not an image row"),
    ],
)
def test_arrays_of_image_rows_that_cannot_be_used(tmp_path, rows, message):
    np.save(tmp_path / "rows.npy", rows)
    with pytest.raises(InputError, match=message):
        read_caption_image(tmp_path / "rows.npy")


def test_rows_are_matched_whatever_their_order():
    given, wanted = list("dacb"), list("abcd")
    assert [given[row] for row in match_rows(given, wanted, "file", "set")] == wanted


def test_ids_that_do_not_match_are_named():
    with pytest.raises(InputError, match=r"file: 5 ids of the split are not there: 'a', 'b', 'c', \.\.\."):
        match_rows(["x"], list("abcde"), "file", "the split")
    with pytest.raises(InputError, match=r"file: 1 ids are not in the split: 'x'"):
        match_rows(["x", "a"], ["a"], "file", "the split")


def test_a_list_may_be_in_utf_16_and_end_its_lines_in_any_way(tmp_path):
    file = tmp_path / "ids.txt"
    for content in ("é.jpg\r\nb.jpg\r\n", "é.jpg\rb.jpg\r", "é.jpg\nb.jpg"):
        file.write_bytes(content.encode("utf-16"))
        assert read_ids(file) == ["é.jpg", "b.jpg"]
        file.write_bytes(content.encode("utf-8-sig"))
        assert read_ids(file) == ["é.jpg", "b.jpg"]


def test_a_compressed_list_is_named(tmp_path):
    (tmp_path / "ids.txt").write_bytes(b"\x1f\x8b\x08\x00rest")
    with pytest.raises(InputError, match="is compressed with gzip"):
        read_ids(tmp_path / "ids.txt")
