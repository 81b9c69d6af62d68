"""Precomputed features as VSE++, SCAN and VSE-infinity use them: `{split}_ims.npy`, `{split}_caps.txt`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bcls.data.dataset import RetrievalDataset
from bcls.data.features import FeatureStore
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError

FEATURES = "precomp"


def read_precomp(folder: str | Path) -> RetrievalDataset:
    """Read a precomp folder; its features are named `precomp`.

    `{split}_caps.txt` has one caption a line, an image's captions in a row. `{split}_ims.npy` has one row an image, or
    one a caption (VSE++'s older files repeat each image). `{split}_ids.txt`, where there is one, names each image (a
    line an image, or a line a caption); else images are named `SPLIT-NUMBER`.

    Raises:
        InputError: a file is missing, or the counts do not fit each other.
    """
    folder = Path(folder)
    splits = sorted(file.name.removesuffix("_caps.txt") for file in folder.glob("*_caps.txt"))
    images: list[ImageRecord] = []
    arrays, ids = [], []
    for split in splits:
        array = _features(folder / f"{split}_ims.npy")
        records, rows_per_image = _records(folder, split, len(array))
        images += records
        arrays.append(array[::rows_per_image])
        ids += [record.id for record in records]
    store = FeatureStore(arrays, ids, str(folder))
    return RetrievalDataset(folder.name, images, None, {FEATURES: store})


def _features(file: Path) -> np.ndarray:
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{file}: not a readable .npy array ({error})") from None
    return array


def _records(folder: Path, split: str, rows: int) -> tuple[list[ImageRecord], int]:
    """The records of a split, and how many feature rows each image takes."""
    place = folder / f"{split}_caps.txt"
    captions = place.read_text(encoding="utf-8").splitlines()
    if rows == 0 or not captions or len(captions) % rows:
        raise InputError(f"{place}: {len(captions)} captions do not divide among {rows} rows of {split}_ims.npy")
    names_file = folder / f"{split}_ids.txt"
    names = names_file.read_text(encoding="utf-8").split() if names_file.is_file() else None
    per_image, rows_per_image = _captions_per_image(len(captions), rows, names, place)
    count = len(captions) // per_image
    if names is None:
        names = [f"{split}-{number}" for number in range(count)]
    elif len(names) == len(captions):
        names = names[::per_image]
    elif len(names) != count:
        raise InputError(f"{names_file}: {len(names)} ids fit neither {count} images nor {len(captions)} captions")
    records = [
        ImageRecord(
            name, None, split, tuple(Caption(f"{name}#{k}", captions[number * per_image + k]) for k in range(per_image))
        )
        for number, name in enumerate(names)
    ]
    return records, rows_per_image


def _captions_per_image(captions: int, rows: int, names: list[str] | None, place: Path) -> tuple[int, int]:
    if captions != rows:
        return captions // rows, 1
    if names is not None and len(names) == captions:
        run = next((number for number, name in enumerate(names) if name != names[0]), len(names))
        return run, run
    if captions % 5 == 0 and names is None:
        return 5, 5
    if names is not None and captions % len(names) == 0:
        return captions // len(names), captions // len(names)
    raise InputError(f"{place}: as many captions as feature rows: cannot tell which captions share an image")
