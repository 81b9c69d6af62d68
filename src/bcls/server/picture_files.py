"""Where the files of the index's pictures lie. A request names an id; only the index and this server name files."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bcls.errors import InputError
from bcls.files import replacing
from bcls.search import Index, IndexDamagedError, IndexMissingError, WriteFailedError
from bcls.search.folder_lock import folder_lock
from bcls.server.problems import ProblemError
from bcls.server.upload_owner import UPLOADED, is_kept_name, read_owner, require_owner

logger = logging.getLogger("bcls.server")
REFUSED = "the folder for added images belongs to another index; the server's log says what to do"


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
        if is_added(file):
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
        """Remove the file of an image that was added; other files are not this server's to remove. Call it `locked`.

        No record names it any more, so that where the system refuses, `bcls index uploads` lists it.
        """
        if is_added(file) and (path := self.find(file)) is not None:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("an unused image stays", extra={"reason": str(error)})

    def check(self, index: Index, *, chosen: bool, writing: bool) -> None:
        """Check at the start of a server whose the uploads folder is; nothing in it is ever removed for being unknown.

        A server that only reads needs no folder of its own: it shows what records name. So it goes on with a folder
        of another index, unless somebody chose that folder.

        Args:
            index: the index that is served.
            chosen: whether the folder was named by a person.
            writing: whether images may be added.

        Raises:
            InputError: it belongs to another index.
            WriteFailedError: the folder cannot be written.
        """
        if self.uploads is None or not self.uploads.is_dir() or not (writing or chosen):
            return
        if writing:
            with folder_lock(self.uploads):
                require_owner(self.uploads, index)
        else:
            require_owner(self.uploads, index, reading=True)

    @contextmanager
    def locked(self, index: Index) -> Iterator[None]:
        """No other server adds or removes files meanwhile, the index is as new as can be, and the folder is its own.

        Raises:
            ProblemError: 409, it is another index's.
            WriteFailedError: the folder cannot be made or written.
        """
        assert self.uploads is not None
        with ExitStack() as held:
            with _telling():
                self.uploads.mkdir(parents=True, exist_ok=True)
                held.enter_context(folder_lock(self.uploads))
            index.refresh()  # another server may have written to it, or another index may be in its place
            with _telling():
                owner = read_owner(self.uploads)
                if owner is None or owner.index != index.identity:
                    require_owner(self.uploads, index)
            yield

    @contextmanager
    def removing(self, index: Index) -> Iterator[bool]:
        """As `locked`; yields whether files may be removed: not where there are none, or another index's."""
        with ExitStack() as held:
            ours = self.uploads is not None and self.uploads.is_dir()
            if ours:
                try:
                    held.enter_context(self.locked(index))
                except (ProblemError, WriteFailedError):  # it is in the log
                    ours = False
            if not ours:
                index.refresh()
            yield ours


@contextmanager
def _telling() -> Iterator[None]:
    """Log why a folder cannot be used; a client is told no path."""
    try:
        yield
    except (IndexMissingError, IndexDamagedError):
        raise
    except OSError as error:
        raise WriteFailedError(f"the picture could not be kept ({error.strerror})") from error
    except WriteFailedError as error:
        logger.error("uploads folder not writable", extra={"reason": str(error)})
        raise WriteFailedError("the picture could not be kept (its folder cannot be written)") from error
    except InputError as error:
        logger.error("uploads folder refused", extra={"reason": str(error)})
        raise ProblemError(409, REFUSED) from None


def is_added(file: str) -> bool:
    """Whether a record's `file` field names an image that was added by request."""
    return file.startswith(UPLOADED) and is_kept_name(file.removeprefix(UPLOADED))


def _name_of(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.jpg"
