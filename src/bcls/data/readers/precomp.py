"""Precomputed features as VSE++, SCAN and VSE-infinity use them: `{split}_ims.npy`, `{split}_caps.txt`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.data.dataset import RetrievalDataset
from bcls.data.features import FeatureStore, open_array
from bcls.data.readers.lines import lines_of
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = "precomp"
GROUPS_COMPARED = 100


def read_precomp(folder: str | Path) -> RetrievalDataset:
    """Read a precomp folder; its features are named `precomp`.

    `{split}_caps.txt` has one caption a line, an image's captions in a row. `{split}_ims.npy` has one row an image, or
    one a caption (VSE++'s older files repeat each image). `{split}_ids.txt`, where there is one, names each image (a
    line an image, or a line a caption); else images are named `SPLIT-NUMBER`. With as many rows as captions and no ids,
    equal rows in a run are one image.

    Where two splits share ids, as `test` and `testall` of COCO do, the larger one keeps them, and those of the other
    become `SPLIT/ID`.

    Raises:
        InputError: a file is missing or damaged, or the counts do not fit each other.
    """
    folder = Path(folder)
    splits = sorted(file.name.removesuffix("_caps.txt") for file in folder.glob("*_caps.txt"))
    if not splits:
        raise InputError(f"{folder}: no *_caps.txt there")
    arrays, parts = [], []
    for split in splits:
        array = open_array(folder / f"{split}_ims.npy")
        records, rows_per_image = _records(folder, split, array)
        parts.append(records)
        arrays.append(array[::rows_per_image])
    images = [record for records in _told_apart(parts) for record in records]
    store = FeatureStore(arrays, [record.id for record in images], str(folder))
    return RetrievalDataset(folder.name, images, None, {FEATURES: store})


def _told_apart(splits: list[list[ImageRecord]]) -> list[list[ImageRecord]]:
    """The records of each split, no id in two of them."""
    told, taken = list(splits), set[str]()
    for number in sorted(range(len(splits)), key=lambda number: -len(splits[number])):
        if not taken.isdisjoint(record.id for record in splits[number]):
            told[number] = [_renamed(record, f"{record.split}/{record.id}") for record in splits[number]]
        taken.update(record.id for record in told[number])
    return told


def _renamed(record: ImageRecord, name: str) -> ImageRecord:
    captions = tuple(Caption(f"{name}#{k}", caption.text) for k, caption in enumerate(record.captions))
    return replace(record, id=name, captions=captions)


def _records(folder: Path, split: str, array: NDArray[Any]) -> tuple[list[ImageRecord], int]:
    """The records of a split, and how many feature rows each image takes."""
    place, names_file, rows = folder / f"{split}_caps.txt", folder / f"{split}_ids.txt", len(array)
    captions = [line.rstrip("\n") for line in lines_of(place)]
    if rows == 0 or not captions or len(captions) % rows:
        raise InputError(f"{place}: {len(captions)} captions do not divide among {rows} rows of {split}_ims.npy")
    names = [line.strip() for line in lines_of(names_file)] if names_file.is_file() else None
    if names is not None and (not names or len(captions) % len(names)):
        raise InputError(f"{names_file}: {len(names)} ids do not fit {len(captions)} captions")
    if len(captions) != rows:
        per_image = len(captions) // rows
    elif names is not None:
        per_image = _first_run(names) if len(names) == rows else rows // len(names)
    else:
        per_image = _rows_repeated(array, place)
    names = _names(names, len(captions), per_image, names_file) or [
        f"{split}-{number}" for number in range(len(captions) // per_image)
    ]
    records = [
        ImageRecord(
            name, None, split, tuple(Caption(f"{name}#{k}", captions[number * per_image + k]) for k in range(per_image))
        )
        for number, name in enumerate(names)
    ]
    return records, per_image if len(captions) == rows else 1


def _names(names: list[str] | None, captions: int, per_image: int, place: Path) -> list[str] | None:
    """The id of each image, from a line an image or a line a caption."""
    if names is None or len(names) * per_image == captions:
        return names
    firsts = names[::per_image]
    if len(names) != captions or names != [name for name in firsts for _ in range(per_image)]:
        raise InputError(f"{place}: {len(names)} ids for {captions} captions are not in runs of {per_image} an image")
    return firsts


def _rows_repeated(array: NDArray[Any], place: Path) -> int:
    """How many equal rows in a run each image has."""
    run = _first_run(array)
    some = array[: GROUPS_COMPARED * run]
    if len(array) % run or not all(np.array_equal(some[0::run], some[k::run]) for k in range(1, run)):
        raise InputError(f"{place}: as many captions as feature rows: cannot tell which captions share an image")
    return run


def _first_run(rows: Sequence[str] | NDArray[Any]) -> int:
    """How many rows at the start are equal."""
    return next((number for number in range(1, len(rows)) if not np.array_equal(rows[number], rows[0])), len(rows))
