"""Segments: files of one change each, never changed in place, each of which names the segment before it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from bcls.files import replacing
from bcls.search.errors import IndexDamagedError, writing
from bcls.search.records import FieldValue, Vectors

FOLDER = "segments"
KEPT_SECONDS = 600.0
KEPT_FILES = 256
KEPT_BYTES = 64 << 20
Segment: TypeAlias = dict[str, Any]
"""`file` (relative to the index) and `sha256` of it."""

_NAME = re.compile(r"(\d{8,})\.safetensors")


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


def segment_file(index: Path, segment: Segment) -> Path:
    """Its file, in the index's own folder whatever the manifest says."""
    return index / FOLDER / Path(str(segment["file"])).name


def write_segment(index: Path, version: int, change: Change, previous: Segment | None) -> Segment:
    """Write the file of a change; it counts only when the manifest names it.

    Args:
        index: the index's folder.
        version: that the change makes.
        change: what to write.
        previous: the segment that it follows; None = it is the first.
    """
    file = index / FOLDER / f"{version:08d}.safetensors"
    text = json.dumps({"records": change.records, "deleted": change.deleted}, ensure_ascii=False)
    about = {"change": text, "previous": json.dumps(previous)}
    with writing(file), replacing(file) as temporary:
        save_file({"vectors": np.ascontiguousarray(change.vectors)}, temporary, about)
        digest = _digest(temporary)
    return {"file": f"{FOLDER}/{file.name}", "sha256": digest}


def read_segment(index: Path, segment: Segment, dim: int) -> Change:
    """The change of a segment.

    Raises:
        FileNotFoundError: it is missing.
        IndexDamagedError: it is not what was written.
    """
    file = segment_file(index, segment)
    if _digest(file) != segment.get("sha256"):
        raise IndexDamagedError(f"{file}: not what was written there; make the index again")
    try:
        with safe_open(file, "np") as opened:
            told = json.loads(opened.metadata()["change"])
            vectors = opened.get_tensor("vectors")
        if vectors.shape != (len(told["records"]), dim):
            raise ValueError(f"vectors of shape {vectors.shape}")
        return Change([(name, fields) for name, fields in told["records"]], vectors, told["deleted"])
    except Exception as error:  # safetensors and json raise several kinds without a common base
        raise IndexDamagedError(f"{file}: not a segment of an index ({error})") from None


def newest_complete(index: Path) -> tuple[int, list[Segment]] | None:
    """The newest version whose segments are all there, whatever the manifest says; None = there is none."""
    for version, file in sorted(_all(index), reverse=True):
        chain = _chain(index, file)
        if chain is not None:
            return version, chain
    return None


def remove_superseded(index: Path, superseded: list[Segment], live: list[Segment], *, at_once: bool = False) -> None:
    """Remove files of segments that have been merged, but not at once.

    A program that copies the folder may have read the old manifest, or the list of old files. So they are kept for ten
    minutes, as long as there are at most 256 and they take at most as much space as the live ones (or 64 MiB).
    """
    for segment in superseded:
        os.utime(segment_file(index, segment))
    names = {segment_file(index, segment).name for segment in live}
    room = max(KEPT_BYTES, sum(segment_file(index, segment).stat().st_size for segment in live))
    old = [(file.stat(), version, file) for version, file in _all(index) if file.name not in names]
    oldest_kept = math.inf if at_once else time.time() - KEPT_SECONDS
    for place, (about, _, file) in enumerate(sorted(old, key=lambda one: (-one[0].st_mtime_ns, -one[1]))):
        room -= about.st_size
        if room < 0 or place >= KEPT_FILES or about.st_mtime < oldest_kept:
            file.unlink(missing_ok=True)


def _all(index: Path) -> list[tuple[int, Path]]:
    found = [(_NAME.fullmatch(file.name), file) for file in (index / FOLDER).glob("*.safetensors")]
    return [(int(name[1]), file) for name, file in found if name is not None]


def _chain(index: Path, file: Path) -> list[Segment] | None:
    """The segments that lead to a file, the first one first; None = one is missing, damaged, or of an old release."""
    chain: list[Segment] = []
    segment: Segment | None = {"file": f"{FOLDER}/{file.name}", "sha256": _digest(file)}
    try:
        while segment is not None:
            path = segment_file(index, segment)
            if _digest(path) != segment["sha256"]:
                return None
            with safe_open(path, "np") as opened:
                previous = opened.metadata()["previous"]
            chain.append(segment)
            segment = json.loads(previous)
    except Exception:  # whatever a damaged file makes its reader raise, this chain ends here
        return None
    return chain[::-1]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
