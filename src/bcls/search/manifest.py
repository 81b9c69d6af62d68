"""`index.json`: what an index in a folder is; a folder without it is no index."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bcls.errors import InputError
from bcls.files import hash_of, read_json
from bcls.search.errors import IndexDamagedError, IndexMissingError, writing
from bcls.search.records import FieldType, check_fields

FORMAT = 1
NAME = "index.json"


@dataclass(frozen=True)
class Manifest:
    """What an index was made for.

    Attributes:
        engine: which one keeps it.
        dim: of its vectors.
        model: hash of the model that makes them.
        fields: name -> type.
        about: free notes.
        made: tells an index from another one that is made in its place later.
    """

    engine: str
    dim: int
    model: str
    fields: Mapping[str, FieldType]
    about: Mapping[str, str]
    made: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def identity(self) -> str:
        """`made`; for an index of an early release, which has none, a hash of its description."""
        return self.made or "described:" + hash_of([json.dumps(self.content(), sort_keys=True)])

    def content(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "engine": self.engine,
            "dim": self.dim,
            "model": self.model,
            "fields": dict(self.fields),
            "about": dict(self.about),
            "made": self.made,
        }


def read_manifest(folder: Path) -> tuple[Manifest, dict[str, Any]]:
    """The manifest of an index's folder, and all that the file holds.

    Raises:
        IndexMissingError: there is no index.
        IndexDamagedError: the file is not what was written there.
    """
    file = folder / NAME
    if not file.is_file():
        raise IndexMissingError(f"{folder}: no index is there (no {NAME}); `bcls index` makes one")
    try:
        content = read_json(file)
    except InputError as error:
        raise IndexDamagedError(str(error)) from None
    return manifest_of(content, str(file)), content


def require_same(here: Manifest, opened: Manifest, folder: Path) -> None:
    """Refuse what stands in a folder now where another index was opened there: it may be of another model.

    Raises:
        IndexMissingError: it is another one.
    """
    if here.made != opened.made:
        raise IndexMissingError(f"{folder}: another index was made in the place of this one; open it anew")


def manifest_of(content: Any, place: str) -> Manifest:
    """A manifest from JSON.

    Raises:
        IndexDamagedError: something is missing or of the wrong kind.
    """
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, {FORMAT} expected")
        about = {str(name): str(note) for name, note in content["about"].items()}
        fields = check_fields(content["fields"])
        made, dim = str(content.get("made", "")), content["dim"]
        if type(dim) is not int or dim < 1:
            raise ValueError(f"dim is {dim!r}")
        return Manifest(str(content["engine"]), dim, str(content["model"]), fields, about, made)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IndexDamagedError(f"{place}: not an index's description ({type(error).__name__}: {error})") from None


def claim_folder(folder: Path) -> None:
    """Make the folder of a new index.

    Raises:
        InputError: something is there already.
        WriteFailedError: the disk refuses a new folder.
    """
    if (folder / NAME).exists():
        raise InputError(f"{folder}: holds an index already: open it, or choose another folder")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; an index is a folder")
    strange = [entry.name for entry in folder.iterdir() if entry.name not in _OURS] if folder.is_dir() else []
    if strange:
        raise InputError(f"{folder}: holds other things ({strange[0]}); choose an empty folder")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


_OURS = {".lock", "segments", "records.lance"}  # left by a creation that was cut short
