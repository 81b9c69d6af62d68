"""One writer at a time in a folder, whatever process it lives in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bcls.locks import locked
from bcls.search.errors import writing


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets it go when the process dies.

    Raises:
        WriteFailedError: the file that is locked can neither be opened nor made.
    """
    with ExitStack() as held:
        with writing(folder):
            held.enter_context(locked(folder / ".lock"))
        yield
