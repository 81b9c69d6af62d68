"""The image files of a folder tree, and the count of everything else in it."""

from __future__ import annotations

import os
from pathlib import Path

from bcls.data.left_out import Tally
from bcls.pictures import image_extensions, is_image_file

SYSTEM_FOLDERS = {
    "@eadir",  # thumbnails of Synology
    "#recycle",
    "$recycle.bin",
    "__macosx",
    "lost+found",
    "system volume information",
}
"""Folders, in small letters, that systems and storage devices put among a user's files; their images are copies."""

NOT_HERE = {".heic", ".heif", ".jxl", ".svg", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"}
"""Suffixes of images that Pillow does not decode."""


def images_below(folder: Path, tally: Tally) -> list[str]:
    """Every image file in a folder and below it, as paths relative to the folder with `/`, sorted.

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
            elif name.startswith(".") or name.lower() in SYSTEM_FOLDERS:
                tally.add("folders that are hidden or belong to the system", (below / name).as_posix())
                folders.remove(name)
        for name in sorted(files):
            file = below / name
            if name.startswith("."):
                tally.add("files that are hidden", file.as_posix())
            elif Path(name).suffix.lower() in NOT_HERE - image_extensions():
                kind = "files of image formats that Pillow does not decode; convert them to JPEG or PNG"
                tally.add(kind, file.as_posix())
            elif not (folder / file).is_file():
                tally.add("files that are links to nothing, or no regular files", file.as_posix())
            elif not is_image_file(folder / file):
                tally.add("files that are no images", file.as_posix())
            else:
                found.append(file.as_posix())
    return sorted(found)
