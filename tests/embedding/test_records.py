"""Images and captions as rows of an index."""

from __future__ import annotations

import pytest

from bcls.data import Caption, ImageRecord
from bcls.embedding.records import CAPTION, FIELDS, MAX_TEXT_BYTES, caption_rows, image_row
from bcls.search.records import check_fields, check_value


def image(*texts: str, file: str | None = "a/b.jpg") -> ImageRecord:
    return ImageRecord("b", file, "val", tuple(Caption(f"b#{n}", text) for n, text in enumerate(texts)))


def test_an_image_is_its_id_its_place_and_its_captions_a_line_each():
    fields = {"kind": "image", "image": "b", "file": "a/b.jpg", "split": "val", "text": "one dog\ntwo dogs"}
    assert image_row(image("one dog", "two dogs")) == ("b", fields)


def test_a_caption_is_told_from_its_image_and_names_it():
    fields = {"kind": "caption", "image": "b", "file": "a/b.jpg", "split": "val"}
    assert list(caption_rows(image("one dog", "two dogs"))) == [
        (f"{CAPTION}b#0", fields | {"text": "one dog"}),
        (f"{CAPTION}b#1", fields | {"text": "two dogs"}),
    ]


def test_every_row_has_the_fields_of_the_index():
    assert check_fields(FIELDS) == FIELDS
    for _, fields in (image_row(image("x")), *caption_rows(image("x"))):
        assert fields.keys() == FIELDS.keys()


def test_an_image_without_file_or_captions_has_empty_ones():
    name, fields = image_row(image(file=None))
    assert (name, fields["file"], fields["text"]) == ("b", "", "")
    assert list(caption_rows(image())) == []


def test_an_empty_caption_is_left_out_and_the_others_keep_their_ids():
    assert [name for name, _ in caption_rows(image("", "dog", " \t\n"))] == [f"{CAPTION}b#1"]


def test_captions_that_do_not_fit_are_left_out_from_the_first_one_on():
    long = "é" * (MAX_TEXT_BYTES // 4)  # two of them are a byte less than the most, their line break aside
    text = image_row(image(long, "short", long, "late"))[1]["text"]
    assert text == f"{long}\nshort"
    assert len(text.encode()) <= MAX_TEXT_BYTES


def test_a_text_that_just_fits_is_kept():
    image = ImageRecord("a", None, "val", (Caption("a#0", "x" * MAX_TEXT_BYTES), Caption("a#1", "y")))
    assert image_row(image)[1]["text"] == "x" * MAX_TEXT_BYTES


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_a_text_that_is_too_long_is_cut_between_characters(letter):
    longer = ImageRecord("a", None, "val", (Caption("a#0", letter * (MAX_TEXT_BYTES + 1)),))
    for _, fields in (image_row(longer), *caption_rows(longer)):
        size = len(fields["text"].encode())
        assert set(fields["text"]) == {letter}
        assert MAX_TEXT_BYTES - 4 < size <= MAX_TEXT_BYTES


def test_a_text_with_nul_becomes_one_that_engines_store():
    record = ImageRecord("a", None, "val", (Caption("a#0", "dog\0house"),))
    (_, fields), *_ = caption_rows(record)
    assert fields["text"] == image_row(record)[1]["text"] == "dog\ufffdhouse"
    for name, value in fields.items():
        check_value(value, "str", name)
