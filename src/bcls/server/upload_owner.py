"""Which index a folder of added images belongs to. The images in it are the only copies."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from bcls.errors import InputError
from bcls.files import read_json, write_json
from bcls.search import Index
from bcls.search.manifest import read_manifest

NAME = "bcls-uploads.json"
UPLOADED = "uploaded:"
"""How the `file` field of an added image's record begins; the rest is the file's name."""

FORMAT = 1
_KEPT = re.compile(r"[0-9a-f]{64}\.jpg")


@dataclass(frozen=True)
class Owner:
    """The index that a folder belongs to.

    Attributes:
        index: its identity.
        place: where it was last served, an absolute path or a URL.
    """

    index: str
    place: str


def is_kept_name(name: str) -> bool:
    """Whether a file name is one that the server gives to an added image: the SHA-256 of its content."""
    return _KEPT.fullmatch(name) is not None


def kept_files(folder: Path) -> list[Path]:
    """The added images of a folder, sorted; other files in it are none of ours."""
    return sorted(path for path in folder.iterdir() if is_kept_name(path.name)) if folder.is_dir() else []


def unused_files(folder: Path, index: Index) -> list[Path]:
    """The added images that no record of an index names."""
    files = kept_files(folder)
    if not files:
        return []
    named = {str(fields.get("file", "")) for _, fields in index.scan()}
    return [path for path in files if UPLOADED + path.name not in named]


def read_owner(folder: Path) -> Owner | None:
    """The owner that a folder names; None = it names none.

    Raises:
        InputError: the file that names it cannot be read.
    """
    file = folder / NAME
    if not file.exists():
        return None
    content = read_json(file)
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, {FORMAT} expected")
        return Owner(str(content["index"]), str(content["place"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file}: does not name an index ({type(error).__name__}: {error})") from None


def take_over(folder: Path, index: Index) -> None:
    """Make a folder an index's own, whoever owned it before."""
    owner = Owner(index.identity, _absolute(index.info().place))
    write_json(folder / NAME, {"format": FORMAT, **asdict(owner)})


def require_owner(folder: Path, index: Index, *, reading: bool = False) -> None:
    """Refuse a folder that belongs to another index; one that belongs to none becomes this index's if that is safe.

    It is safe where records of this index name all added images that are there. An index that has moved keeps its
    folder; a copy of an index does not share it.

    Args:
        folder: an existing folder.
        index: whose it shall be.
        reading: write nothing: a folder without an owner stays so.

    Raises:
        InputError: another index's folder, or perhaps so; the message says what to do.
    """
    owner = read_owner(folder)
    if owner is None:
        if reading:
            return
        unused = unused_files(folder, index)
        if unused:
            raise InputError(
                f"{folder}: {len(unused)} added images in it (e.g. {unused[0].name}) are not named by any record of "
                f"this index, so it may belong to another index. {_cure(folder, index)}"
            )
        take_over(folder, index)
        return
    place = _absolute(index.info().place)
    if owner.index != index.identity:
        raise InputError(f"{folder}: belongs to another index (last served from {owner.place}). {_cure(folder, index)}")
    if owner.place != place:
        if _identity_at(owner.place) == index.identity:
            raise InputError(
                f"{folder}: belongs to the index at {owner.place}, of which this one is a copy. {_cure(folder, index)}"
            )
        if not reading:
            take_over(folder, index)


def _cure(folder: Path, index: Index) -> str:
    return (
        "Nothing in it was changed. Choose another folder with --uploads; or, if it shall belong to this index from "
        f"now on: bcls index uploads {shlex.quote(index.info().place)} --uploads {shlex.quote(str(folder))} --take_over"
    )


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place.removeprefix("memory:")).resolve())


def _identity_at(place: str) -> str:
    try:
        return "" if "://" in place else read_manifest(Path(place))[0].identity
    except (InputError, OSError):
        return ""
