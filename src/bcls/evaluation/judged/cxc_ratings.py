"""Crisscrossed Captions' ratings of how alike two captions, two images, or a caption and an image are.

The published files are CSV with a header, one rated pair a row: two ids, the mean rating from 0 to 5 (`agg_score`), and
how the pair was sampled. The names of the first two columns tell the task.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.judged.coco_ids import FORMS, coco_number, coco_numbers, rows_of_numbers
from bcls.evaluation.judged.task import Task
from bcls.evaluation.ranks import Floats
from bcls.evaluation.truth import Rows

Side: TypeAlias = Literal["image", "caption"]

TASKS: dict[str, tuple[tuple[str, str], tuple[Side, Side]]] = {
    "sts": (("caption1", "caption2"), ("caption", "caption")),
    "sis": (("image1", "image2"), ("image", "image")),
    "sits": (("caption", "image"), ("caption", "image")),
}
"""For each task the names of its first two columns, and which side they are of."""

HIGHEST = 5.0


@dataclass(frozen=True, eq=False)
class CxcRatings:
    """The rated pairs of one task.

    Args:
        task: `sts` (captions), `sis` (images) or `sits` (a caption and an image).
        first: COCO number of each pair's first item, shape (P,).
        second: of its second, shape (P,).
        ratings: 0..5, shape (P,).
        source: the file.
    """

    task: str
    first: Rows
    second: Rows
    ratings: Floats
    source: Path

    @property
    def sides(self) -> tuple[Side, Side]:
        """Which side the first and the second items are of."""
        return TASKS[self.task][1]


def read_cxc_ratings(path: str | Path) -> CxcRatings:
    r"""Read one of the files `sts_*.csv`, `sis_*.csv`, `sits_*.csv`.

    Raises:
        InputError: the file is missing or empty, or its header or a row is of another form; the message names the row.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "sits_val.csv"
        >>> row = "COCO_val2014:sentid:648388,COCO_val2014_000000431431.jpg,1.8,c2i_intrasim"
        >>> _ = path.write_text(f"caption,image,agg_score,sampling_method\n{row}\n")
        >>> found = read_cxc_ratings(path)
        >>> found.task, found.first, found.second, found.ratings
        ('sits', array([648388]), array([431431]), array([1.8]))
    """
    path = Path(path)
    (_, header), *rows = _rows(path)
    task = next((name for name, (columns, _) in TASKS.items() if tuple(header[:3]) == (*columns, "agg_score")), None)
    if task is None:
        known = "; ".join(", ".join(columns) for columns, _ in TASKS.values())
        raise InputError(f"{path}: the header begins {', '.join(header[:3])}, not one of {known}, then agg_score")
    sides = TASKS[task][1]
    pairs = np.zeros((len(rows), 2), dtype=np.int64)
    ratings = np.zeros(len(rows))
    for place, (number, row) in enumerate(rows):
        where = f"{path}: row {number}"
        if len(row) != len(header):
            raise InputError(f"{where}: {len(row)} cells under {len(header)} columns")
        pairs[place] = [_number(text, side, where) for text, side in zip(row, sides, strict=False)]
        ratings[place] = _rating(row[2], where)
    if not rows:
        raise InputError(f"{path}: no pair is rated")
    return CxcRatings(task, pairs[:, 0], pairs[:, 1], ratings, path)


def rated_rows(task: Task, rated: CxcRatings, place: int) -> Rows:
    """The task's row of each pair's first (`place` 0) or second (1) item, shape (P,).

    Raises:
        InputError: an id that the task does not hold, or ids of its rows that are not COCO's.
    """
    side: Side = rated.sides[place]
    numbers = coco_numbers(task.ids(side), side)
    try:
        return rows_of_numbers(numbers, rated.second if place else rated.first, f"rated {side}s")
    except InputError as error:
        raise InputError(f"{rated.source}: {error}") from None


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Rows with their numbers, empty lines left out."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = [(number, row) for number, row in enumerate(csv.reader(lines), start=1) if row]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not CSV in UTF-8 ({error})") from None
    if not rows:
        raise InputError(f"{path}: the file is empty")
    return rows


def _number(text: str, side: Side, where: str) -> int:
    number = coco_number(text, side)
    if number is None:
        raise InputError(f"{where}: {text!r} is no COCO {side} id such as {FORMS[side][1]}")
    return number


def _rating(text: str, where: str) -> float:
    try:
        rating = float(text)
    except ValueError:
        raise InputError(f"{where}: the rating {text!r} is not a number") from None
    if not 0 <= rating <= HIGHEST:
        raise InputError(f"{where}: the rating {text} is not between 0 and {HIGHEST:g}")
    return rating
