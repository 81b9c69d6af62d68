"""Where the files of the index's pictures lie. A request names an id; only the index and this server name files."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from bcls.files import replacing
from bcls.search import WriteFailedError

logger = logging.getLogger("bcls.server")
UPLOADED = "uploaded:"


class PictureFiles:
    """The picture folder that was indexed, and a folder of pictures that came in by request.

    Args:
        pictures: what the index's `file` fields are relative to; None = there are no files.
        uploads: where pictures that come in are kept; None = none may come in.
    """

    def __init__(self, pictures: Path | None, uploads: Path | None) -> None:
        self.uploads = uploads
        self._pictures = None if pictures is None else pictures.resolve()

    def find(self, file: str) -> Path | None:
        """The file behind a record's `file` field; None = there is none, or it is not below the folder.

        The field comes from the index, not from a request; an index from a stranger still reaches nothing else.
        """
        folder, name = self._pictures, file
        if file.startswith(UPLOADED):
            folder, name = self.uploads, file.removeprefix(UPLOADED)
        if folder is None or not name or "\0" in name:
            return None
        try:
            path = (folder / name).resolve()
            return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
        except (OSError, RuntimeError):  # too long for a name, in a folder that is closed to us, or a link to itself
            return None

    def holds(self, content: bytes) -> bool:
        """Whether this very picture came in before."""
        return self.uploads is not None and (self.uploads / _name_of(content)).exists()

    def keep(self, content: bytes) -> str:
        """Write a picture that came in, to stay even if the power fails.

        Returns:
            The `file` field for its record: a name made of the content, so that the same picture is kept once.

        Raises:
            WriteFailedError: the disk is full, say; nothing of the picture is there.
        """
        assert self.uploads is not None
        name = _name_of(content)
        try:
            with replacing(self.uploads / name) as temporary, temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WriteFailedError(f"the picture could not be kept ({error.strerror})") from error
        return UPLOADED + name

    def remove(self, file: str) -> None:
        """Remove the file of a picture that came in; others are not this server's to remove.

        No record names it any more, so that where the system refuses, a later start of a server tries again.
        """
        if file.startswith(UPLOADED) and (path := self.find(file)) is not None:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("an unused picture stays", extra={"reason": str(error)})

    def remove_unused(self, is_used: Callable[[str], bool], *, older_than: float = 3600.0) -> int:
        """Remove files that came in and that no record names: left by a server that was killed before it had answered.

        Only files named as `keep` names them are looked at: the folder may hold others.

        Args:
            is_used: whether a record has this `file` field.
            older_than: seconds; a younger file may be about to get its record.

        Returns:
            How many.
        """
        if self.uploads is None or not self.uploads.is_dir():
            return 0
        removed = 0
        for path in [path for path in self.uploads.iterdir() if _KEPT.fullmatch(path.name)]:
            if _older(path, older_than) and not is_used(UPLOADED + path.name) and _older(path, older_than):
                path.unlink(missing_ok=True)  # not one that has come in anew since it was asked whether it is used
                removed += 1
        return removed


def _older(path: Path, seconds: float) -> bool:
    """Whether a file is that old; one that has gone meanwhile is not."""
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False


_KEPT = re.compile(r"[0-9a-f]{64}\.jpg")


def _name_of(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.jpg"
