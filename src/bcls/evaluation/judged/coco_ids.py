"""Ids of COCO's images and captions, in any of the forms in which data sets write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.row_lists import examples
from bcls.evaluation.truth import Rows

FORMS = {
    "image": (
        re.compile(r"(?:.*/)?(?:COCO_[a-z]+\d{4}_)?(\d{1,12})(?:\.jpg)?"),
        "COCO_val2014_000000391895.jpg or 391895",
    ),
    "caption": (re.compile(r"(?:COCO_[a-z]+\d{4}:sentid:)?(\d{1,12})"), "770337 or COCO_val2014:sentid:770337"),
}


def coco_number(text: str, side: Literal["image", "caption"]) -> int | None:
    """The number in an id; None where it is not of COCO's forms.

    Example:
        >>> coco_number("val2014/COCO_val2014_000000391895.jpg", "image")
        391895
        >>> coco_number("COCO_val2014:sentid:770337", "caption")
        770337
    """
    found = FORMS[side][0].fullmatch(text)
    return None if found is None else int(found.group(1))


def coco_numbers(ids: Sequence[str], side: Literal["image", "caption"]) -> Rows:
    """The numbers of all rows of one side, each once.

    Raises:
        InputError: an id of another form, or two rows of one number; the message names the row.

    Example:
        >>> coco_numbers(["COCO_val2014_000000391895.jpg", "60623"], "image")
        array([391895,  60623])
    """
    row_of: dict[int, int] = {}
    for row, text in enumerate(ids):
        number = coco_number(text, side)
        if number is None:
            raise InputError(f"{side} row {row}: {text!r} is no COCO {side} id such as {FORMS[side][1]}")
        if row_of.setdefault(number, row) != row:
            raise InputError(f"{side} row {row}: {text!r} is the COCO {side} of row {row_of[number]} again")
    return np.fromiter(row_of, dtype=np.int64, count=len(row_of))


def rows_of_numbers(numbers: Rows, wanted: Rows, what: str) -> Rows:
    """The row of each wanted number.

    Args:
        numbers: of each row, distinct.
        wanted: numbers to look up, shape (W,).
        what: what is looked up, for the message.

    Returns:
        Shape (W,).

    Raises:
        InputError: some are not there; the message names how many, and a few.

    Example:
        >>> rows_of_numbers(np.array([7, 3]), np.array([3, 3, 7]), "images")
        array([1, 1, 0])
    """
    order = np.argsort(numbers)
    place = np.minimum(np.searchsorted(numbers, wanted, sorter=order), max(numbers.size - 1, 0))
    found = order[place] if numbers.size else np.zeros(wanted.size, dtype=np.int64)
    known = numbers[found] == wanted if numbers.size else np.zeros(wanted.size, dtype=bool)
    if not known.all():
        missing = np.unique(wanted[~known])
        raise InputError(f"{missing.size} {what} are not there: {examples([str(number) for number in missing])}")
    return found
