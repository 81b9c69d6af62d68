"""What the readers share."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data.readers.lines import id_field, json_line, lines_of, optional_id, text_field
from bcls.errors import InputError


def test_only_line_ends_part_lines(tmp_path):
    (tmp_path / "f").write_bytes("a\u2028b\x85c\x0cd\r\ne\n\nf".encode())
    assert list(lines_of(tmp_path / "f")) == ["a\u2028b\x85c\x0cd\n", "e\n", "\n", "f"]
    assert next(lines_of(tmp_path / "f", newline="")).endswith("d\r\n")


def test_a_byte_order_mark_is_left_out(tmp_path):
    (tmp_path / "f").write_text("file,caption\n", encoding="utf-8-sig")
    assert list(lines_of(tmp_path / "f")) == ["file,caption\n"]


def test_what_is_not_utf8_is_named_with_its_line(tmp_path):
    (tmp_path / "f").write_bytes(b"a\n" * 9999 + b"caf\xe9\n" + b"a\n" * 99)
    with pytest.raises(InputError, match="f: line 10000: not UTF-8 text"):
        list(lines_of(tmp_path / "f"))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="none: no such file"):
        list(lines_of(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read"):
        list(lines_of(tmp_path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": ', "here: not JSON"),
        ("[" * 100000, "here: not JSON"),
        ('{"a": ' + "1" * 5000 + "}", "here: not JSON"),
        ("[1]", "here: not a JSON object"),
        ("null", "here: not a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(line, message):
    with pytest.raises(InputError, match=message):
        json_line(line, "here")


def test_fields_are_what_they_should_be():
    entry = {"text": "a dog", "number": 7, "nothing": None, "yes": True, "part": 0.5}
    assert text_field(entry, "text") == id_field(entry, "text") == "a dog"
    assert id_field(entry, "number") == "7"
    for key in ("number", "nothing", "yes", "part"):
        with pytest.raises(TypeError, match=f"{key} is .*, not text"):
            text_field(entry, key)
    for key in ("nothing", "yes", "part"):
        with pytest.raises(TypeError):
            id_field(entry, key)
    with pytest.raises(KeyError):
        text_field(entry, "other")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_of_a_file_that_has_one_kind_is_taken(tmp_path, end, last):
    (tmp_path / "f").write_text(end.join(["a", "", "b c"]) + end * last, newline="")
    assert [line.rstrip("\n") for line in lines_of(tmp_path / "f")] == ["a", "", "b c"]


@pytest.mark.parametrize("content", ["a\nb\rc\nd\n", "a\r\nb\rc\r\n", "a\nb\rc", "a\rb\n"])
def test_a_carriage_return_within_a_line_is_refused(tmp_path, content):
    (tmp_path / "f").write_text(content, newline="")
    with pytest.raises(InputError, match=r"f: line [12]: a carriage return .* one line or two"):
        list(lines_of(tmp_path / "f"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_the_encoding_is_read_from_the_byte_order_mark(tmp_path, encoding):
    (tmp_path / "f").write_text("é\n日本\n", encoding=encoding)
    assert list(lines_of(tmp_path / "f")) == ["é\n", "日本\n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,caption\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
        ("file,caption\n".encode("utf-16-be"), "looks like UTF-16 without a byte order mark"),
        ("é\n".encode("utf-16")[:-1], "not UTF-16 text, as its first bytes say"),
        (gzip.compress(b"file,caption\n"), "is compressed with gzip: unpack it first"),
        (bz2.compress(b"file,caption\n"), "is compressed with bzip2"),
        (lzma.compress(b"file,caption\n"), "is compressed with xz"),
        (b"PK\x03\x04 a spreadsheet", "is compressed with zip"),
        ("caf\xe9\n".encode("latin-1"), "line 1: not UTF-8 text; save the file as UTF-8"),
    ],
)
@pytest.mark.parametrize("newline", [None, ""])
def test_what_is_no_text_of_a_known_encoding_is_refused_with_the_cure(tmp_path, content, message, newline):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError, match=f"f: {message}"):
        list(lines_of(tmp_path / "f", newline=newline))


@given(content=st.binary(max_size=30), mark=st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]))
@settings(deadline=None)
def test_any_bytes_are_lines_or_refused(tmp_path_factory, content, mark):
    file = tmp_path_factory.mktemp("lines") / "f"
    file.write_bytes(mark + content)
    with contextlib.suppress(InputError):
        assert all("\r" not in line for line in lines_of(file))


def test_empty_is_no_line(tmp_path):
    for content in ("", "\ufeff"):
        (tmp_path / "f").write_text(content, encoding="utf-8")
        assert list(lines_of(tmp_path / "f")) == []


def test_zero_is_an_id_and_absence_is_none():
    entry = {"zero": 0, "empty": "", "null": None, "false": False, "part": 0.0}
    assert [optional_id(entry, key) for key in ("zero", "empty", "null", "missing")] == ["0", None, None, None]
    for key in ("false", "part"):
        with pytest.raises(TypeError):
            optional_id(entry, key)
