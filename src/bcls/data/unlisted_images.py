"""Images on disk that no record of a data set names."""

from __future__ import annotations

import os
from pathlib import Path

from bcls.data.dataset import RetrievalDataset
from bcls.data.problem import Problem
from bcls.data.record_checks import shown
from bcls.pictures import is_image_file


def unlisted_images(dataset: RetrievalDataset) -> list[Problem]:
    """A warning where image files lie beside those of the records and no record names them: they have no captions.

    Only folders in which files of records lie are looked at.

    Args:
        dataset: a whole data set, not one split of it.

    Returns:
        One problem with the number of files and an example, or none.
    """
    if dataset.image_folder is None:
        return []
    named = {
        os.path.normpath(image.file) for image in dataset.images if image.file is not None and "\0" not in image.file
    }
    found = [file for folder in sorted({str(Path(file).parent) for file in named}) for file in _images(dataset, folder)]
    unlisted = [file for file in found if file not in named]
    if not unlisted:
        return []
    message = f"{len(unlisted)} image files have no record and no caption"
    return [Problem("image without record", shown(unlisted[0]), message, fatal=False)]


def _images(dataset: RetrievalDataset, folder: str) -> list[str]:
    assert dataset.image_folder is not None
    place = dataset.image_folder / folder
    if not place.is_dir():
        return []
    names = sorted(entry.name for entry in os.scandir(place) if is_image_file(Path(entry)))
    return [os.path.normpath(os.path.join(folder, name)) for name in names]  # noqa: PTH118
