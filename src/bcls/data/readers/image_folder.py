"""A folder of pictures and a table of captions, CSV or JSON lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bcls.data.dataset import RetrievalDataset
from bcls.data.left_out import Tally
from bcls.data.readers.feature_folder import features_beside
from bcls.data.readers.lines import json_line, lines_of, optional_id
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError
from bcls.pictures import image_extensions
from bcls.text_files import cells_of

COLUMNS = ("file", "caption", "split", "image_id", "caption_id")


def read_image_folder(table: str | Path) -> RetrievalDataset:
    """Read a table with the columns `file`, `caption`, and optionally `split`, `image_id`, `caption_id`.

    Files are relative to the table's folder. A file on several rows has several captions. Ids and splits are text or
    whole numbers; 0 is one of them. Without `split` all images are of the split `all`. Ids default to the file, and to
    `FILE#K`. Other columns are counted in `left_out`.

    Raises:
        InputError: a missing column, a column that stands in the header twice, a malformed row, a row without a split
            in a table where others have one, or an image with two splits; the row is named.
    """
    table, tally = Path(table), Tally()
    captions: dict[str, list[Caption]] = {}
    about: dict[str, tuple[str, str]] = {}
    unsplit: int | None = None
    split_known = False
    for number, row in _rows(table, tally):
        file, text, place = row.get("file"), row.get("caption"), f"{table}: row {number}"
        if not file or not isinstance(file, str) or not isinstance(text, str):
            raise InputError(f"{place}: needs a file and a caption, both text; its fields are {_fields(row)}")
        split, image_id, caption_id = _optional(row, place)
        split_known, unsplit = split_known or split is not None, number if split is None else unsplit
        facts = (file if image_id is None else image_id, "all" if split is None else split)
        if about.setdefault(file, facts) != facts:
            raise InputError(f"{place}: {file} has another split or image_id above")
        known = captions.setdefault(file, [])
        known.append(Caption(f"{facts[0]}#{len(known)}" if caption_id is None else caption_id, text))
    if not captions:
        raise InputError(f"{table}: no rows")
    if split_known and unsplit is not None:
        raise InputError(f"{table}: row {unsplit}: has no split, but other rows have one; give every row a split")
    images = [ImageRecord(*about[file][:1], file, about[file][1], tuple(captions[file])) for file in captions]
    features = features_beside(table.parent, tally)
    return RetrievalDataset(table.stem, images, table.parent, features, tally.kinds())


def _optional(row: dict[str, Any], place: str) -> tuple[str | None, str | None, str | None]:
    """Split, image id and caption id of a row; None where there is none."""
    try:
        return optional_id(row, "split"), optional_id(row, "image_id"), optional_id(row, "caption_id")
    except TypeError as error:
        raise InputError(f"{place}: {error}, nor a whole number") from None


def _rows(table: Path, tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    if table.suffix.lower() == ".csv":
        yield from _csv_rows(table, tally)
        return
    unread: set[str] = set()
    for number, line in enumerate(lines_of(table), start=1):
        if line.strip():
            row = json_line(line, f"{table}: row {number}")
            _count_unread([name for name in row if name not in unread], tally)
            unread.update(row)
            yield number, row


def _csv_rows(table: Path, tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    separator, lines = cells_of(table)
    reader = csv.DictReader(lines, delimiter=separator, strict=True)
    try:
        header = reader.fieldnames or []
        if not {"file", "caption"} <= set(header):
            raise InputError(
                f"{table}: the header needs the columns file and caption, in small letters and separated by commas, "
                f"semicolons or tabs, not {reader.fieldnames}"
            )
        twice = [name for name, count in Counter(header).items() if count > 1]
        if twice:
            raise InputError(f"{table}: the column {twice[0]!r} stands in the header twice")
        _count_unread(header, tally)
        for number, row in enumerate(reader, start=2):
            if None in row:
                raise InputError(
                    f"{table}: row {number}: more fields than the header has; a caption with {separator!r} needs quotes"
                )
            _refuse_swallowed_rows(table, row, header, reader.line_num)
            yield number, row
    except csv.Error as error:
        raise InputError(
            f"{table}: line {reader.line_num + 1}: not CSV ({error}); is a quotation mark left open above?"
        ) from None


def _count_unread(names: list[str] | Any, tally: Tally) -> None:
    for name in names:
        if name not in COLUMNS:
            tally.add("columns that are not read", name)


def _fields(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} ({'empty' if value in (None, '') else type(value).__name__})" for name, value in row.items()
    )


def _refuse_swallowed_rows(table: Path, row: dict[str, Any], header: Sequence[str], line: int) -> None:
    """Refuse a cell with line breaks in it whose lines look like rows: a quotation mark was left open."""
    place = list(header).index("file")
    for name, value in row.items():
        for text in value.splitlines()[1:] if isinstance(value, str) else ():
            parts = text.split(",")
            if len(parts) >= len(header) and Path(parts[place].strip(' "')).suffix.lower() in image_extensions():
                raise InputError(
                    f"{table}: line {line}: the cell {name!r} that ends here has a line of its own for "
                    f"{parts[place].strip()}: a quotation mark is left open above; remove it, or double it"
                )
