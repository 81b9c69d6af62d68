"""Ids of COCO's images and captions in all their forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation.judged.coco_ids import coco_number, coco_numbers, rows_of_numbers


@given(st.integers(0, 10**12 - 1))
@settings(deadline=None, max_examples=40)
def test_every_form_of_an_image_tells_its_number(number):
    padded = f"{number:012d}"
    for text in (
        str(number),
        padded,
        f"{padded}.jpg",
        f"COCO_val2014_{padded}.jpg",
        f"COCO_train2014_{padded}",
        f"val2017/{padded}.jpg",
        f"/data/coco/val2014/COCO_val2014_{padded}.jpg",
    ):
        assert coco_number(text, "image") == number


@given(st.integers(0, 10**12 - 1))
@settings(deadline=None, max_examples=40)
def test_every_form_of_a_caption_tells_its_number(number):
    assert coco_number(str(number), "caption") == number
    assert coco_number(f"COCO_val2014:sentid:{number}", "caption") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cat.jpg",
        "-7",
        "7.0",
        " 7",
        "7\n",
        "1234567890123",
        "7.png",
        "7.jpg.jpg",
        "7xjpg",
        "COCO_val2014_.jpg",
        "COCO_val2014:sentid:7",
        "COCO_VAL2014_000000000007.jpg",
        "COCO_val14_000000000007.jpg",
        "x7.jpg",
        "7/",
    ],
)
def test_what_is_of_no_form_of_an_image_is_none(text):
    assert coco_number(text, "image") is None


@pytest.mark.parametrize(
    "text",
    ["", "a#0", "-7", "7.jpg", "1234567890123", "COCO_val2014_000000000007", "COCO_val2014:7", "x/7", "sentid:7"],
)
def test_what_is_of_no_form_of_a_caption_is_none(text):
    assert coco_number(text, "caption") is None


def test_numbers_are_in_the_order_of_the_rows():
    assert coco_numbers(["COCO_val2014:sentid:9", "3", "0007"], "caption").tolist() == [9, 3, 7]


def test_no_rows_have_no_numbers():
    found = coco_numbers([], "image")
    assert (found.shape, found.dtype) == ((0,), np.int64)


@pytest.mark.parametrize(
    ("side", "ids", "message"),
    [
        (
            "image",
            ["1", "dog.jpg"],
            r"^image row 1: 'dog\.jpg' is no COCO image id such as COCO_val2014_000000391895\.jpg or 391895$",
        ),
        (
            "caption",
            ["7.jpg"],
            r"^caption row 0: '7\.jpg' is no COCO caption id such as 770337 or COCO_val2014:sentid:",
        ),
        ("image", ["5", "7", "x/COCO_val2014_000000000007.jpg"], "^image row 2: .* is the COCO image of row 1 again$"),
        ("caption", ["7", "8", "COCO_val2014:sentid:7"], "^caption row 2: .* is the COCO caption of row 0 again$"),
    ],
)
def test_a_strange_or_repeated_id_is_named_by_its_row(side, ids, message):
    with pytest.raises(InputError, match=message):
        coco_numbers(ids, side)


@given(st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=10), st.data())
@settings(deadline=None, max_examples=40)
def test_each_wanted_number_is_found_in_its_row(numbers, data):
    wanted = data.draw(st.lists(st.sampled_from(numbers), max_size=12))
    found = rows_of_numbers(np.array(numbers), np.array(wanted, dtype=np.int64), "images")
    assert found.tolist() == [numbers.index(number) for number in wanted]


def test_nothing_wanted_is_found_in_nothing():
    none = np.zeros(0, dtype=np.int64)
    assert rows_of_numbers(none, none, "images").tolist() == []


@pytest.mark.parametrize("numbers", [[], [5], [9, 5, 2]])
def test_numbers_that_are_not_there_are_counted_once_and_named(numbers):
    with pytest.raises(InputError, match=r"^3 rated images are not there: '1', '7', '99'$"):
        rows_of_numbers(
            np.array(numbers, dtype=np.int64), np.array([7, 99, *numbers, 1, 7], dtype=np.int64), "rated images"
        )
