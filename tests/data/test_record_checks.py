"""Ids, captions and names that a later step could not keep: found by the check, with the place and the cure."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data import Caption, FeatureStore, ImageRecord, RetrievalDataset, check_dataset, read_folder, write_dataset
from bcls.data.labels import label_split
from bcls.data.record_checks import _FORMS, _form, is_blank, record_problems, refuse_unusable
from bcls.embedding.records import FIELDS, caption_rows, image_row
from bcls.errors import InputError
from bcls.relevance import TfidfScorer
from bcls.search import Record, create_index


def one(image_id="a", text="a dog", caption_id="c", split="train", file="a.jpg"):
    return ImageRecord(image_id, file, split, (Caption(caption_id, text),))


def of(*images):
    return RetrievalDataset("tiny", images)


def told(problems):
    return [(problem.kind, problem.place, problem.fatal) for problem in problems]


@pytest.mark.parametrize(
    ("record", "kind", "why"),
    [
        (one(image_id=""), "image id", "is empty"),
        (one(image_id=".."), "image id", "relative path"),
        (one(image_id="victim\n"), "image id", "U+000A"),
        (one(image_id="half \ud83d"), "image id", "U+D83D"),
        (one(image_id="x" * 513), "image id", "513 bytes"),
        (one(caption_id="c\0"), "caption id", "U+0000"),
        (one(caption_id="c\u2028"), "caption id", "U+2028"),
        (one(caption_id="x" * 505), "caption id", "504 are the most"),
        (one(text="nice dog \ud83d"), "caption is not text", "U+D83D"),
        (one(split="../x"), "split name", "another folder"),
        (one(split="a/b"), "split name", "another folder"),
        (one(split=""), "split name", "is empty"),
        (one(file="half \ud83d.jpg"), "file name", "U+D83D"),
        (one(file="a\0.jpg"), "file name", "U+0000"),
        (one(file="uploaded:x.jpg"), "file name", "uploaded files"),
    ],
)
def test_what_a_later_step_cannot_hold_is_fatal_and_has_its_cure(record, kind, why):
    (problem,) = record_problems(of(record))
    assert problem.kind == kind
    assert problem.fatal
    assert why in problem.message
    assert any(cure in problem.message for cure in ("another id", "correct the text", "rename"))
    str(problem).encode("utf-8")
    with pytest.raises(InputError, match=r"here: 1 ids, texts or names .*`bcls data check` lists them all"):
        refuse_unusable(of(record), "here")


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (one(text="dog\0house"), "control character"),
        (one(text="bell \x07"), "control character"),
        (one(text="\x85 next line"), "control character"),
        (one(text="x" * 65_536), "caption too long"),
        (one(file="../outside.jpg"), "file outside the image folder"),
        (one(file="a/../../outside.jpg"), "file outside the image folder"),
        (one(file="/srv/outside.jpg"), "file outside the image folder"),
    ],
)
def test_what_later_steps_change_or_do_not_show_is_a_warning(record, kind):
    (problem,) = record_problems(of(record))
    assert (problem.kind, problem.fatal) == (kind, False)
    refuse_unusable(of(record), "here")


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "naïve 日本 👨\u200d👩", "x" * 65_535, "a\u2028b"])
@pytest.mark.parametrize("file", ["a/b.jpg", "a/../b.jpg", "a b#0.jpg", None])
def test_ordinary_records_have_no_problem(text, file):
    assert list(record_problems(of(one(text=text, file=file)))) == []


def test_ids_that_other_programs_take_for_one_are_a_warning():
    composed, decomposed = unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")
    pairs = [("x", "x "), (composed, decomposed), ("IMG_1", "img_1"), ("Ä", "a\u0308 ")]
    for first, second in pairs:
        images = [ImageRecord(first, None, "train", ()), ImageRecord(second, None, "train", ())]
        (problem,) = record_problems(of(*images))
        assert (problem.kind, problem.fatal) == ("similar image id", False)
    apart = [ImageRecord(name, None, "train", ()) for name in ("a1", "a2", "b", "c d", "cd")]
    assert list(record_problems(of(*apart))) == []


def test_an_image_and_a_caption_with_one_name_in_an_index_are_fatal():
    clash = of(one("caption:c", caption_id="d"), one("b", caption_id="c"))
    assert told(record_problems(clash)) == [("id clash", "'caption:c'", True)]
    assert list(record_problems(of(one("caption:e", caption_id="d")))) == []


def test_a_duplicate_id_names_the_splits():
    problems = check_dataset(of(one(split="val"), one(caption_id="d")), pictures=False)
    (problem,) = [problem for problem in problems if problem.kind == "duplicate image id"]
    assert problem.message == "2 images have this id, in the splits train, val"


@pytest.mark.parametrize("text", ["", " \t", "\u200b", "\ufeff \n", "\u3000", "\0"])
def test_a_caption_that_shows_nothing_is_empty(text):
    assert is_blank(text)
    assert "empty caption" in {problem.kind for problem in check_dataset(of(one(text=text)), pictures=False)}


def test_features_without_direction_are_a_warning():
    store = FeatureStore([np.array([[0.0, 0.0], [0.0, 1.0]])], ["a", "b"], "here")
    dataset = RetrievalDataset("tiny", [one("a"), one("b", caption_id="d")], None, {"cnn": store})
    assert told(check_dataset(dataset))[1:] == [("features all zero", "a", False)]


def test_half_a_surrogate_pair_survives_in_a_folder_for_the_check_to_name(tmp_path):
    dataset = of(one(text="nice dog \ud83d"), one("b", "日本", caption_id="d"))
    write_dataset(tmp_path, dataset)
    read = read_folder(tmp_path)
    assert read.images == dataset.images
    assert told(record_problems(read)) == [("caption is not text", "c", True)]
    assert "日本" in (tmp_path / "images.jsonl").read_text(encoding="utf-8")


def test_labels_of_what_is_no_text_are_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"tiny: 1 ids, texts or names .* e\.g\. caption is not text: c"):
        label_split(of(one(text="nice dog \ud83d")), "train", TfidfScorer(), tmp_path)
    assert list(tmp_path.iterdir()) == []


ANY_TEXT = st.text(st.characters() | st.sampled_from("\0\n\ud83d./:"), max_size=8)


@given(image_id=ANY_TEXT, caption_id=ANY_TEXT, text=ANY_TEXT, split=ANY_TEXT, file=st.none() | ANY_TEXT)
@settings(deadline=None, max_examples=150)
def test_an_index_takes_every_record_that_has_no_fatal_problem(image_id, caption_id, text, split, file):
    dataset = of(one(image_id, text, caption_id, split, file))
    if any(problem.fatal for problem in record_problems(dataset)):
        return
    index = create_index("memory:", dim=2, model="m", fields=FIELDS)
    rows = [row for image in dataset.images for row in (image_row(image), *caption_rows(image))]
    index.add(Record(name, np.array([1, 0], np.float32), fields) for name, fields in rows)
    assert index.count() == len({name for name, _ in rows}) == len(rows)


def test_features_beyond_float32_are_not_finite():
    store = FeatureStore([np.array([[1e300, 0.0], [0.0, 1e38]])], ["a", "b"], "here")
    dataset = RetrievalDataset("tiny", [one("a"), one("b", caption_id="d")], None, {"cnn": store})
    assert told(check_dataset(dataset))[1:] == [("features not finite", "a", True)]


@given(st.text(st.sampled_from(" aAbB\t\n.é\u0301ß"), max_size=6))
def test_the_short_way_for_ascii_names_gives_what_the_forms_give(name):
    general = name
    for form in _FORMS.values():
        general = form(general)
    assert _form(name) == unicodedata.normalize("NFC", general)


def test_names_that_differ_in_two_ways_are_told_so():
    [problem] = [
        found for found in record_problems(of(one("A.jpg"), one("a.jpg "))) if found.kind == "similar image id"
    ]
    assert "only in white space at an end and case:" in problem.message
