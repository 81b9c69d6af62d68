"""Precomputed features as VSE++, SCAN and VSE-infinity use them: `{split}_ims.npy`, `{split}_caps.txt`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.data.dataset import RetrievalDataset
from bcls.data.features import FeatureStore, open_array
from bcls.data.left_out import Tally
from bcls.data.readers.image_runs import refuse_unequal_rows, runs_of_equal_rows, runs_of_ids
from bcls.data.readers.lines import lines_of
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = "precomp"


def read_precomp(folder: str | Path) -> RetrievalDataset:
    """Read a precomp folder; its features are named `precomp`.

    `{split}_caps.txt` has one caption a line, an image's captions in a row. `{split}_ims.npy` has one row an image, or
    one a caption (VSE++'s older files repeat each image). `{split}_ids.txt`, where there is one, names each image (a
    line an image, or a line a caption); else images are named `SPLIT-NUMBER`.

    How many captions an image has is told by ids with a line a caption. Without them, by rows with one a caption:
    equal neighbours are one image, and all rows are compared. Without both, every image has as many captions as the
    counts of lines and rows make. What can be read in two ways is refused, with the file of ids that would tell.

    Where two splits share ids, as `test` and `testall` of COCO do, the larger one keeps them, and those of the other
    become `SPLIT/ID`.

    Raises:
        InputError: a file is missing or damaged, the counts do not fit each other, or which captions share an image is
            not certain.
    """
    folder = Path(folder)
    splits = sorted(file.name.removesuffix("_caps.txt") for file in folder.glob("*_caps.txt"))
    if not splits:
        raise InputError(f"{folder}: no *_caps.txt there")
    arrays, parts = [], []
    for split in splits:
        array = open_array(folder / f"{split}_ims.npy")
        layout = _Files(folder, split).layout(array)
        parts.append(layout.records(split))
        arrays.append(layout.image_rows(array))
    images = [record for records in _told_apart(parts) for record in records]
    store = FeatureStore(arrays, [record.id for record in images], str(folder))
    return RetrievalDataset(folder.name, images, None, {FEATURES: store}, _left_out(folder, splits).kinds())


@dataclass(frozen=True)
class _Layout:
    """The captions of a split, and how they and the feature rows are shared among its images.

    Attributes:
        captions: their texts, image by image.
        names: the id of each image.
        counts: how many captions each image has.
        row_a_caption: the features have a row for each caption, not for each image.
    """

    captions: list[str]
    names: list[str]
    counts: list[int]
    row_a_caption: bool

    def records(self, split: str) -> list[ImageRecord]:
        """The images with their captions."""
        texts = iter(self.captions)
        return [
            ImageRecord(name, None, split, tuple(Caption(f"{name}#{k}", next(texts)) for k in range(count)))
            for name, count in zip(self.names, self.counts, strict=True)
        ]

    def image_rows(self, array: NDArray[Any]) -> NDArray[Any]:
        """The feature rows with one an image: a view where every image has as many, else a copy."""
        if not self.row_a_caption:
            return array
        if len(set(self.counts)) == 1:
            return array[:: self.counts[0]]
        firsts: NDArray[Any] = array[np.cumsum([0, *self.counts[:-1]])]
        return firsts


class _Files:
    """The files of one split."""

    def __init__(self, folder: Path, split: str) -> None:
        self.split = split
        self.captions_file = folder / f"{split}_caps.txt"
        self.ids_file = folder / f"{split}_ids.txt"
        self.rows_file = folder / f"{split}_ims.npy"
        self.cure = f"add {self.ids_file.name} with the id of its image for each caption, a line each"

    def layout(self, array: NDArray[Any]) -> _Layout:
        """How captions and rows are shared among images."""
        captions = [line.rstrip("\n") for line in lines_of(self.captions_file)]
        rows = len(array)
        names = [line.strip() for line in lines_of(self.ids_file)] if self.ids_file.is_file() else None
        if not captions or not rows:
            raise InputError(
                f"{self.captions_file}: {len(captions)} captions do not divide among {rows} rows of "
                f"{self.rows_file.name}"
            )
        if names is None:
            counts = self._counts(array, captions)
            made = [f"{self.split}-{number}" for number in range(len(counts))]
            return _Layout(captions, made, counts, rows == len(captions))
        ids, counts = self._named(names, captions, array)
        return _Layout(captions, ids, counts, rows != len(ids))

    def _counts(self, array: NDArray[Any], captions: list[str]) -> list[int]:
        """How many captions each image has, where there are no ids."""
        rows = len(array)
        if len(captions) == rows:
            return runs_of_equal_rows(array, str(self.rows_file), self.cure)
        if len(captions) % rows:
            blank = [number for number, caption in enumerate(captions, start=1) if not caption.strip()]
            hint = f" ({len(blank)} lines are blank, the first is line {blank[0]})" if blank else ""
            raise InputError(
                f"{self.captions_file}: {len(captions)} captions do not divide among {rows} rows of "
                f"{self.rows_file.name}{hint}; if images have different numbers of captions, {self.cure}"
            )
        return [len(captions) // rows] * rows

    def _named(self, names: list[str], captions: list[str], array: NDArray[Any]) -> tuple[list[str], list[int]]:
        """The id of each image and how many captions it has, from a line a caption or a line an image."""
        rows, place = len(array), str(self.ids_file)
        if "" in names:
            raise InputError(f"{place}: line {names.index('') + 1}: is blank, not an id")
        if len(names) == len(captions):
            ids, counts = runs_of_ids(names, place)
            if rows == len(captions) and len(ids) == len(captions):
                self._refuse_ids_of_captions(array)
        elif names and len(captions) % len(names) == 0:
            ids, counts = names, [len(captions) // len(names)] * len(names)
        else:
            raise InputError(
                f"{place}: {len(names)} ids do not fit {len(captions)} captions; give one line for each image, or one "
                "for each caption"
            )
        if rows not in {len(ids), len(captions)}:
            raise InputError(
                f"{place}: names {len(ids)} images for {len(captions)} captions, but {self.rows_file.name} has {rows} "
                "rows: neither one an image nor one a caption"
            )
        if rows != len(ids):
            refuse_unequal_rows(array, counts, str(self.rows_file))
        return ids, counts

    def _refuse_ids_of_captions(self, array: NDArray[Any]) -> None:
        """Refuse ids that differ on every line while all rows come in runs: they may be those of the captions."""
        try:
            lengths = runs_of_equal_rows(array, "", "")
        except InputError:
            return
        if min(lengths) > 1:
            raise InputError(
                f"{self.ids_file}: every caption has another id, but the rows of {self.rows_file.name} come in runs of "
                f"equal ones: these seem to be ids of captions; give the id of its image for each caption"
            )


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


def _left_out(folder: Path, splits: Sequence[str]) -> Tally:
    """What lies in the folder beside the files of its splits."""
    known = {f"{split}_{part}" for split in splits for part in ("caps.txt", "ims.npy", "ids.txt")}
    tally = Tally()
    for path in sorted(folder.iterdir()):
        if path.name not in known and not path.name.startswith("."):
            tally.add("entries that are no captions, features or ids of a split", path.name)
    return tally
