"""Rows of a table of ratings, from CSV or parquet, and the scale of its scores."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bcls.errors import InputError, MissingExtraError
from bcls.text_files import cells_of


def refuse_scale(lowest: float, highest: float) -> None:
    """Raise where no score lies between the two.

    Raises:
        InputError: `highest` is not above `lowest`, or one is not finite.
    """
    if not (highest > lowest and math.isfinite(highest - lowest)):
        raise InputError(f"highest ({highest}) must be above lowest ({lowest}), both finite")


def rescaled(value: Any, place: str, lowest: float, highest: float) -> float:
    """A score of a scale as a number in [0, 1].

    Args:
        value: the cell.
        place: file and row, for the message.
        lowest: the score that becomes 0.
        highest: the score that becomes 1.

    Raises:
        InputError: no number, or off the scale.

    Example:
        >>> rescaled("4", "ratings.csv: row 2", 0.0, 5.0)
        0.8
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        score = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{place}: score {value!r} is not a number") from None
    if math.isnan(score) or not lowest <= score <= highest:
        raise InputError(
            f"{place}: score {value} is not in [{lowest:g}, {highest:g}]; give lowest= and highest= of your scale"
        )
    return (score - lowest) / (highest - lowest)


def read_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    """Column names, and numbered rows.

    Rows are counted from 1; in a CSV file row 1 is the header. Empty lines of a CSV file are passed over.

    Args:
        path: a `.parquet` file (needs the extra `parquet`), or else CSV in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        InputError: the file is missing or of another format, a column is there twice, or a row has more or fewer cells
            than there are columns.
        MissingExtraError: a parquet file without the extra `parquet`.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def _refuse_repeated(names: Sequence[str], path: Path) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{path}: the column {twice[0]!r} is there twice")


def _read_parquet(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    try:
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("a parquet table", "parquet") from None
    try:
        table = parquet.read_table(path)
    except Exception as error:  # whatever a column's decoder raises
        raise InputError(f"{path}: not a readable parquet file ({error})") from None
    _refuse_repeated(table.column_names, path)
    return list(table.column_names), enumerate(table.to_pylist(), start=1)


def _read_csv(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    try:
        separator, lines = cells_of(path)
        names, *rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)) or [[]]
    except csv.Error as error:
        raise InputError(f"{path}: not CSV ({error}); is a quotation mark left open?") from None
    _refuse_repeated(names, path)
    for number, row in enumerate(rows, start=2):
        if row and len(row) != len(names):
            raise InputError(f"{path}: row {number}: {len(row)} cells under {len(names)} columns")
    return names, ((number, dict(zip(names, row, strict=True))) for number, row in enumerate(rows, start=2) if row)
