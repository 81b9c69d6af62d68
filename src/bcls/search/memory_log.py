"""How the memory engine keeps its records: a log of changes, a file each, and a manifest of those that count.

A copy of the folder that is made while it is written to can be opened: files are never changed in place, merged ones
stay for a while, and each segment names the one before it. So where a copied manifest is newer than the copied
segments, the newest complete version among these is found without it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from bcls.files import write_json
from bcls.search.errors import IndexDamagedError, WriteFailedError, writing
from bcls.search.folder_lock import folder_lock
from bcls.search.manifest import NAME, Manifest, claim_folder, read_manifest, require_same
from bcls.search.memory_segments import (
    FOLDER,
    Change,
    Segment,
    newest_complete,
    read_segment,
    remove_superseded,
    segment_file,
    write_segment,
)

logger = logging.getLogger(__name__)
MOST_SEGMENTS = 64
TRIES = 5
INODE = "segments_inode"
"""Of the folder of segments for which a manifest was written: in a copied folder it is another."""

State: TypeAlias = tuple[int, list[Segment]]


class MemoryLog:
    """Changes in a folder: `segments/N.safetensors` each, in force once `index.json` names them.

    Args:
        folder: where.
        about: what the index is.
    """

    def __init__(self, folder: Path, about: Manifest) -> None:
        self.folder = folder
        self.about = about
        self._found: tuple[int, State] | None = None
        """The version of an incomplete manifest, and what was found in its place."""

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
        return self._state()[0]

    def state(self) -> str:
        """Differs between any two states, also where a backup has come to the same version another way."""
        version, segments = self._state()
        return f"{version} {segments[-1].get('sha256', '') if segments else ''}"

    def read(self) -> tuple[int, list[Change]]:
        """The version in force and all its changes, in order.

        Raises:
            IndexDamagedError: a file is missing or is not what was written.
        """
        missing: dict[int, int] = {}
        while True:
            version, segments = self._state()
            try:
                return version, [read_segment(self.folder, segment, self.about.dim) for segment in segments]
            except FileNotFoundError as error:  # merged by another process since the manifest was read, or a copy
                missing[version] = missing.get(version, 0) + 1
                if missing[version] == TRIES:
                    self._find(version, str(error.filename))

    def append(self, change: Change) -> int:
        """Add a change, and say which version that made. Call it `locked`.

        Raises:
            WriteFailedError: it could not be written; the log is as before.
        """
        _, segments = self._state()
        version = self._next_version()
        with self._making_room(segments):
            added = write_segment(self.folder, version, change, segments[-1] if segments else None)
            self._write_or_remove(version, [*segments, added])
        return version

    def replace(self, whole: Change) -> int:
        """Put one change in place of all. Call it `locked`."""
        _, segments = self._state()
        version = self._next_version()
        with self._making_room(segments):
            merged = write_segment(self.folder, version, whole, None)
            self._write_or_remove(version, [merged])
        with suppress(OSError):  # the next merge tries again
            remove_superseded(self.folder, segments, [merged])
        return version

    def wants_merging(self) -> bool:
        """Whether so many changes lie there that they should become one."""
        return len(self._state()[1]) > MOST_SEGMENTS

    def copy_to(self, folder: Path, copy_file: Any) -> None:
        """Copy what is in force, with a manifest of its own. Call it `locked`.

        Args:
            folder: an empty folder.
            copy_file: called with each file and its copy's path.
        """
        version, segments = self._state()
        missing = [file for segment in segments if not (file := segment_file(self.folder, segment)).exists()]
        if missing:
            self._find(version, str(missing[0]))
            version, segments = self._state()
        (folder / FOLDER).mkdir()
        for segment in segments:
            copy_file(segment_file(self.folder, segment), segment_file(folder, segment))
        MemoryLog(folder, self.about)._write(version, segments)

    def _next_version(self) -> int:
        """Higher than all before, also where the manifest's own version was incomplete."""
        return max(self._state()[0], self._manifest()[0]) + 1

    def _state(self) -> State:
        """The version in force and its segments."""
        version, segments, _ = self._manifest()
        if self._found is not None and self._found[0] == version:
            return self._found[1]
        return version, segments

    def _manifest(self) -> tuple[int, list[Segment], int | None]:
        """Version, segments and inode, as the manifest has them."""
        manifest, content = read_manifest(self.folder)
        require_same(manifest, self.about, self.folder)
        version, segments, inode = content.get("version"), content.get("segments"), content.get(INODE)
        if type(version) is not int or not isinstance(segments, list):
            raise IndexDamagedError(f"{self.folder / NAME}: names no version or no segments")
        for segment in segments:
            if not isinstance(segment, dict) or not Path(str(segment.get("file", ""))).name:
                raise IndexDamagedError(f"{self.folder / NAME}: {segment!r} is no segment")
        return version, segments, inode

    def _find(self, version: int, missing: str) -> None:
        """Find the newest complete version in a copy whose manifest names a segment that is missing.

        Raises:
            IndexDamagedError: this is no copy, or no version in it is complete.
        """
        manifest_version, _, inode = self._manifest()
        is_copy = inode is not None and inode != self._inode()
        found = newest_complete(self.folder) if is_copy and self._found is None else None
        if found is None:
            raise IndexDamagedError(
                f"{missing}: a file of the index is missing; make the index again"
                + (", or copy it again with `bcls index copy`" if is_copy else "")
            )
        self._found = (manifest_version, found)
        logger.warning(
            "%s: a copy that was made while the index was written to: it holds version %d, not %d",
            self.folder,
            found[0],
            version,
        )

    @contextmanager
    def _making_room(self, live: list[Segment]) -> Iterator[None]:
        """Where a write fails, remove merged files at once: on a full disk the next write may then succeed."""
        try:
            yield
        except WriteFailedError:
            with suppress(OSError):
                remove_superseded(self.folder, [], live, at_once=True)
            raise

    def _write_or_remove(self, version: int, segments: list[Segment]) -> None:
        """Put segments in force; where that fails, the last one goes again, so that no copy ever takes it up."""
        try:
            self._write(version, segments)
        except WriteFailedError:
            with suppress(OSError):
                segment_file(self.folder, segments[-1]).unlink()
            raise

    def _write(self, version: int, segments: list[Segment]) -> None:
        with writing(self.folder):
            (self.folder / FOLDER).mkdir(exist_ok=True)
            state = {"version": version, "segments": segments, INODE: self._inode()}
            write_json(self.folder / NAME, self.about.content() | state)

    def _inode(self) -> int | None:
        try:
            return (self.folder / FOLDER).stat().st_ino
        except OSError:
            return None
