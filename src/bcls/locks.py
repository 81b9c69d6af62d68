"""A lock that one process or thread has at a time, on every operating system."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import ENOENT
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

POLL_SECONDS = 0.01


@contextmanager
def locked(path: str | Path, waiting: Callable[[], object] | None = None, *, remove: bool = False) -> Iterator[None]:
    """Hold the lock of a file; every other process and thread waits. The system releases it when a process ends.

    The lock is `flock` on Unix, which is also what release 0.1 takes, and `LockFile` on Windows.

    Args:
        path: the lock's file, which is made if it is absent; its folder must exist. Its content stays as it is.
        waiting: called once if another process or thread has the lock; if it raises an error, nothing is held and the
            error is passed on.
        remove: whether to delete the file afterwards; where the system deletes no open file (Windows) it may stay.

    Raises:
        OSError: the file can neither be opened nor made.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with locked(folder / ".lock", remove=True):
        ...     [file.name for file in folder.iterdir()]
        ['.lock']
        >>> list(folder.iterdir())
        []
    """
    if not Path(path).parent.is_dir():  # filelock would make it, and an index that was deleted would be there again
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path))
    # Each call has an object of its own, so that two threads of one process exclude each other too.
    lock = FileLock(path, thread_local=False)
    if not _acquired(lock):
        if waiting is not None:
            waiting()
        lock.acquire(timeout=-1, poll_interval=POLL_SECONDS)
    try:
        yield
    finally:
        if remove:
            with suppress(OSError):
                Path(path).unlink()  # while it is held: who waits sees that its file is gone, and makes another
        lock.release()


def _acquired(lock: BaseFileLock) -> bool:
    """Take the lock if nobody has it."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True
