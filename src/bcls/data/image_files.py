"""Which files are images by their names: every suffix that Pillow opens, not a list of our own."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from PIL import Image

from bcls.data.left_out import Tally

NOT_DECODED = {"BUFR", "GRIB", "HDF5", "MPEG"}
"""Formats that Pillow recognises but has no decoder for: arrays of weather services, HDF5, and films."""


@cache
def image_suffixes() -> frozenset[str]:
    """The suffixes of files that Pillow opens, in small letters with their dot, those of installed plug-ins included.

    Example:
        >>> sorted(image_suffixes() & {".jpg", ".jfif", ".tga", ".h5", ".pdf", ".txt"})
        ['.jfif', '.jpg', '.tga']
    """
    Image.init()
    opened = Image.OPEN.keys() - NOT_DECODED
    return frozenset(suffix.lower() for suffix, name in Image.registered_extensions().items() if name in opened)


def is_image_name(name: str) -> bool:
    """Whether a file's name ends as names of images do, in small or capital letters."""
    return Path(name).suffix.lower() in image_suffixes()


def images_below(folder: Path, tally: Tally) -> list[str]:
    """Every image file in a folder and below, by its suffix, as paths relative to the folder with `/`, sorted.

    The order is that of spelling, which no list of ids is matched with: an image's own path is its id.

    Args:
        folder: where to look; folders that are links are not followed.
        tally: counts the files that are no images, and the folders that are not looked into.
    """
    found: list[str] = []

    def unreadable(error: OSError) -> None:
        tally.add("folders that cannot be read", str(error.filename))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        below = Path(place).relative_to(folder)
        for name in sorted(folders):
            if (Path(place) / name).is_symlink():
                tally.add("folders that are links, which are not followed", (below / name).as_posix())
        for name in sorted(files):
            file = below / name
            if not is_image_name(name):
                tally.add("files that are no images by their suffix", file.as_posix())
            elif not (folder / file).is_file():
                tally.add("files that are links to nothing, or no regular files", file.as_posix())
            else:
                found.append(file.as_posix())
    return sorted(found)
