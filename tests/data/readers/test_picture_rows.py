"""Rows of pictures, captions and scores into records."""

from __future__ import annotations

import pytest

from bcls.data import Caption, ImageRecord
from bcls.data.readers.picture_rows import PictureRows
from bcls.errors import InputError


@pytest.fixture
def rows(tmp_path):
    return PictureRows("val", tmp_path / "images")


def test_the_same_bytes_are_one_image_and_stay_as_they_are(rows, write_pictures, tmp_path):
    first, second = (file.read_bytes() for file in sorted(write_pictures(tmp_path / "given", 2).iterdir()))
    rows.add("row 0", first, "grey")
    rows.add("row 1", second, ["light grey", "grey"])
    rows.add("row 2", first, "dark")
    assert rows.records() == [
        ImageRecord("val-0", "val-0.png", "val", (Caption("val-0#0", "grey"), Caption("val-0#1", "dark"))),
        ImageRecord("val-1", "val-1.png", "val", (Caption("val-1#0", "light grey"), Caption("val-1#1", "grey"))),
    ]
    assert (tmp_path / "images" / "val-0.png").read_bytes() == first
    assert list(rows.ratings()) == []


def test_a_rated_caption_belongs_to_its_best_image_and_all_ratings_stay(rows):
    rows.add("row 0", "a.jpg", "a dog", 2)
    rows.add("row 1", "b.jpg", ["a dog", "a cat"], [5, 1.5])
    rows.add("row 2", "c.jpg", "a dog", 5)
    images = rows.records()
    assert [[caption.text for caption in image.captions] for image in images] == [[], ["a dog", "a cat"], []]
    assert list(rows.ratings()) == [
        ("val-0", "val-1#0", 2),
        ("val-1", "val-1#0", 5),
        ("val-2", "val-1#0", 5),
        ("val-1", "val-1#1", 1.5),
    ]


def test_a_pair_rated_by_several_people_keeps_all_ratings_and_counts_by_their_mean(rows):
    for score in (5, 1, 1):
        rows.add("row", "a.jpg", "a dog", score)
    rows.add("row", "b.jpg", ["a dog", "a dog"], [3, 4])
    assert [[caption.text for caption in image.captions] for image in rows.records()] == [[], ["a dog"]]
    assert [score for *_, score in rows.ratings()] == [5, 1, 1, 3, 4]


def test_a_broken_picture_is_kept_for_the_check_to_name(rows, tmp_path):
    rows.add("row 0", b"no picture", "a dog")
    assert rows.records()[0].file == "val-0.broken"
    assert (tmp_path / "images" / "val-0.broken").read_bytes() == b"no picture"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((b"", "a dog"), "there is no picture"),
        (("a.jpg", None), "needs a caption"),
        (("a.jpg", ["a dog", 3]), "needs a caption"),
        (("a.jpg", ["a dog", "a cat"], [1.0]), "with a score each"),
        (("a.jpg", "a dog", float("nan")), "the score is nan"),
        (("a.jpg", "a dog", "5"), "the score is '5'"),
    ],
)
def test_a_row_that_is_none_is_named(rows, row, message):
    with pytest.raises(InputError, match=f"row 3: .*{message}"):
        rows.add("row 3", *row)


@pytest.mark.parametrize("split", ["", "../train", "a\\b", "a\0b"])
def test_a_split_that_leads_elsewhere_is_refused(split, tmp_path):
    with pytest.raises(InputError, match="rename it"):
        PictureRows(split, tmp_path)
