"""What the readers share."""

from __future__ import annotations

import pytest

from bcls.data.readers.lines import id_field, json_line, lines_of, text_field
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
