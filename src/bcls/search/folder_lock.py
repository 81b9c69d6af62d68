"""One writer at a time in a folder, whatever process it lives in."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bcls.search.errors import writing


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets it go when the process dies.

    Raises:
        WriteFailedError: the file that is locked can neither be opened nor made.
    """
    with writing(folder):
        opened = (folder / ".lock").open("a")
    with opened as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
