"""Writing files so that a reader sees the old content or the new one, never half of it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bcls.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it over `path` when the block ends without an error.

    Missing parent folders are made. On an error the temporary file is removed and `path` stays as it was.

    Args:
        path: the file to write or replace.

    Yields:
        A path in the same folder, with the same suffix, to write to.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "deep" / "note.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all. NaN is refused: JSON has no word for it."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON; the message names the file and the line.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}: not JSON ({error.msg})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except (RecursionError, ValueError):
        raise InputError(f"{path}: nested too deeply, or a number with too many digits") from None


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file of plain values.

    Raises:
        InputError: the file is missing or is not YAML in UTF-8; the message names the file.
    """
    import yaml  # noqa: PLC0415

    path = Path(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # the library raises nearly every kind: dates, numbers and nests that cannot be
        raise InputError(f"{path}: not YAML in UTF-8 ({type(error).__name__}: {error})") from None


def hash_of(parts: Iterable[str]) -> str:
    """SHA-256 of a sequence of strings, in hexadecimal; the borders between the strings count.

    Example:
        >>> hash_of(["ab", "c"]) == hash_of(["a", "bc"])
        False
    """
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


@contextmanager
def locked(path: str | Path, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold a lock that one process has at a time; another waits for it. The system releases it when a process ends.

    Windows has no such lock; nothing is held there.

    Args:
        path: the lock's file, which is deleted afterwards; missing folders are made.
        waiting: called once if another process has the lock.

    Example:
        >>> import tempfile
        >>> lock = Path(tempfile.mkdtemp()) / ".lock"
        >>> with locked(lock):
        ...     lock.exists()
        True
        >>> lock.exists()
        False
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 - not on Windows

    path = Path(path)
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is not None:
                    waiting()
                waiting = None
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_open(path, file.fileno()):  # the process that had it has deleted it since
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether a path is still the file of a descriptor."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
