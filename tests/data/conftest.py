"""Small data sets to test on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bcls.data import Caption, ImageRecord, RetrievalDataset


@pytest.fixture(scope="session")
def make_dataset():
    """A data set of images "i0", "i1", ... with so many captions each."""

    def make(counts=(2, 1, 3), splits=None, image_folder=None, features=None, files=True) -> RetrievalDataset:
        images = [
            ImageRecord(
                f"i{row}",
                f"i{row}.png" if files else None,
                "train" if splits is None else splits[row],
                tuple(Caption(f"i{row}#{k}", f"picture {row} in words {k}") for k in range(count)),
            )
            for row, count in enumerate(counts)
        ]
        return RetrievalDataset("tiny", images, image_folder, features)

    return make


@pytest.fixture(scope="session")
def write_pictures():
    """Pictures "i0.png", "i1.png", ... of one grey each, 8 x 6 pixels."""

    def write(folder: Path, count: int) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for row in range(count):
            Image.new("RGB", (8, 6), (10 * row, 10 * row, 10 * row)).save(folder / f"i{row}.png")
        return folder

    return write


@pytest.fixture(scope="session")
def write_lines():
    """A text file of JSON lines; a string is written as it is."""

    def write(file: Path, rows) -> Path:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="session")
def save_array():
    """A float16 `.npy` file of this shape, counting up, with its ids beside it where they are given."""

    def save(file: Path, shape, ids=None, dtype=np.float16):
        file.parent.mkdir(parents=True, exist_ok=True)
        array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        np.save(file, array)
        if ids is not None:
            (file.parent / "ids.json").write_text(json.dumps(ids))
        return array

    return save
