"""A folder of pictures and a table of captions, CSV or JSON lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bcls.data.dataset import RetrievalDataset
from bcls.data.readers.feature_folder import features_beside
from bcls.data.readers.lines import json_line, lines_of
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError


def read_image_folder(table: str | Path) -> RetrievalDataset:
    """Read a table with the columns `file`, `caption`, and optionally `split`, `image_id`, `caption_id`.

    Files are relative to the table's folder. A file on several rows has several captions. Without `split` all
    images are of the split `all`. Ids default to the file, and to `FILE#K`.

    Raises:
        InputError: a missing column, a malformed row, or an image with two splits; the row is named.
    """
    table = Path(table)
    captions: dict[str, list[Caption]] = {}
    about: dict[str, tuple[str, str]] = {}
    for number, row in _rows(table):
        file, text = row.get("file"), row.get("caption")
        if not file or not isinstance(file, str) or not isinstance(text, str):
            raise InputError(f"{table}: row {number}: needs a file and a caption")
        facts = (str(row.get("image_id") or file), str(row.get("split") or "all"))
        if about.setdefault(file, facts) != facts:
            raise InputError(f"{table}: row {number}: {file} has another split or image_id above")
        known = captions.setdefault(file, [])
        known.append(Caption(str(row.get("caption_id") or f"{facts[0]}#{len(known)}"), text))
    if not captions:
        raise InputError(f"{table}: no rows")
    images = [ImageRecord(*about[file][:1], file, about[file][1], tuple(captions[file])) for file in captions]
    return RetrievalDataset(table.stem, images, table.parent, features_beside(table.parent))


def _rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if table.suffix == ".csv":
        yield from _csv_rows(table)
        return
    for number, line in enumerate(lines_of(table), start=1):
        if line.strip():
            yield number, json_line(line, f"{table}: row {number}")


def _csv_rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines_of(table, newline=""), strict=True)
    try:
        if not {"file", "caption"} <= set(reader.fieldnames or []):
            raise InputError(f"{table}: the header needs the columns file and caption, not {reader.fieldnames}")
        for number, row in enumerate(reader, start=2):
            if None in row:
                raise InputError(
                    f"{table}: row {number}: more fields than the header has; a caption with a comma needs quotes"
                )
            yield number, row
    except csv.Error as error:
        raise InputError(f"{table}: line {reader.line_num + 1}: not CSV ({error})") from None
