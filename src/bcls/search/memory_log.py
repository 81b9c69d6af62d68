"""How the memory engine keeps its records: a log of changes, a file each, and a manifest of those that count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from bcls.files import replacing, write_json
from bcls.search.errors import IndexDamagedError, writing
from bcls.search.folder_lock import folder_lock
from bcls.search.manifest import NAME, Manifest, claim_folder, read_manifest, require_same
from bcls.search.records import FieldValue, Vectors

MOST_SEGMENTS = 64
TRIES = 5


@dataclass(frozen=True, eq=False)
class Change:
    """One committed write.

    Attributes:
        records: ids and fields of what was added.
        vectors: theirs, shape (records, dim).
        deleted: ids that were taken out before.
    """

    records: list[tuple[str, Mapping[str, FieldValue]]]
    vectors: Vectors
    deleted: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.records and not self.deleted


class MemoryLog:
    """Changes in a folder: `segments/N.safetensors` each, in force once `index.json` names them.

    Args:
        folder: where.
        about: what the index is.
    """

    def __init__(self, folder: Path, about: Manifest) -> None:
        self.folder = folder
        self.about = about

    @classmethod
    def create(cls, folder: Path, about: Manifest) -> MemoryLog:
        """An empty log.

        Raises:
            InputError: the folder holds something.
            WriteFailedError: the disk refused it.
        """
        claim_folder(folder)
        log = cls(folder, about)
        log._write(0, [])
        return log

    @classmethod
    def open(cls, folder: Path) -> MemoryLog:
        """The log of a folder."""
        return cls(folder, read_manifest(folder)[0])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process writes meanwhile."""
        with folder_lock(self.folder):
            yield

    def version(self) -> int:
        """The version in force."""
        return self._content()[0]

    def read(self) -> tuple[int, list[Change]]:
        """The version in force and all its changes, in order.

        Raises:
            IndexDamagedError: a file is missing or is not what was written.
        """
        for _ in range(TRIES):
            version, segments = self._content()
            try:
                return version, [self._read(segment) for segment in segments]
            except FileNotFoundError as error:  # merged by another process since the manifest was read
                missing = error.filename
        raise IndexDamagedError(f"{missing}: a file of the index is missing; make the index again")

    def append(self, change: Change) -> int:
        """Add a change, and say which version that made. Call it `locked`.

        Raises:
            WriteFailedError: it could not be written; the log is as before.
        """
        version, segments = self._content()
        self._write(version + 1, [*segments, self._segment(version + 1, change)])
        return version + 1

    def replace(self, whole: Change) -> int:
        """Put one change in place of all. Call it `locked`."""
        version, segments = self._content()
        self._write(version + 1, [self._segment(version + 1, whole)])
        for segment in segments:
            self._file(segment).unlink(missing_ok=True)
        return version + 1

    def wants_merging(self) -> bool:
        """Whether so many changes lie there that they should become one."""
        return len(self._content()[1]) > MOST_SEGMENTS

    def _content(self) -> tuple[int, list[dict[str, Any]]]:
        manifest, content = read_manifest(self.folder)
        require_same(manifest, self.about, self.folder)
        version, segments = content.get("version"), content.get("segments")
        if type(version) is not int or not isinstance(segments, list):
            raise IndexDamagedError(f"{self.folder / NAME}: names no version or no segments")
        for segment in segments:
            if not isinstance(segment, dict) or not Path(str(segment.get("file", ""))).name:
                raise IndexDamagedError(f"{self.folder / NAME}: {segment!r} is no segment")
        return version, segments

    def _write(self, version: int, segments: list[dict[str, Any]]) -> None:
        with writing(self.folder):
            write_json(self.folder / NAME, self.about.content() | {"version": version, "segments": segments})

    def _segment(self, version: int, change: Change) -> dict[str, Any]:
        """Write the change's file; it counts only when the manifest names it."""
        file = self.folder / "segments" / f"{version:08d}.safetensors"
        text = json.dumps({"records": change.records, "deleted": change.deleted}, ensure_ascii=False)
        with writing(file), replacing(file) as temporary:
            save_file({"vectors": np.ascontiguousarray(change.vectors)}, temporary, {"change": text})
            digest = _digest(temporary)
        return {"file": f"segments/{file.name}", "sha256": digest}

    def _file(self, segment: dict[str, Any]) -> Path:
        """Its file, in the index's own folder whatever the manifest says."""
        return self.folder / "segments" / Path(str(segment["file"])).name

    def _read(self, segment: dict[str, Any]) -> Change:
        file = self._file(segment)
        if _digest(file) != segment.get("sha256"):
            raise IndexDamagedError(f"{file}: not what was written there; make the index again")
        try:
            with safe_open(file, "np") as opened:
                told = json.loads(opened.metadata()["change"])
                vectors = opened.get_tensor("vectors")
            if vectors.shape != (len(told["records"]), self.about.dim):
                raise ValueError(f"vectors of shape {vectors.shape}")
            return Change([(name, fields) for name, fields in told["records"]], vectors, told["deleted"])
        except Exception as error:  # safetensors and json raise several kinds without a common base
            raise IndexDamagedError(f"{file}: not a segment of an index ({error})") from None


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
