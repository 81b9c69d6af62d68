"""A consistent copy of an index that may be written to meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

from bcls.errors import InputError
from bcls.search.errors import IndexDamagedError, WriteFailedError, writing
from bcls.search.folder_lock import folder_lock
from bcls.search.index import Index
from bcls.search.manifest import NAME, read_manifest
from bcls.search.memory_log import MemoryLog
from bcls.search.place import MEMORY, MILVUS, open_index

LANCE_TABLE = "records.lance"


def copy_index(source: str | Path, destination: str | Path) -> Index:
    """Copy an index in a folder to another folder, as it is at one moment.

    Writers in this package, in whatever process, wait until the copy is complete; searches do not. The copy appears
    under its name when it is complete; a copy that was cut short leaves a folder `.NAME.copying` beside it.

    Args:
        source: place of an index of the memory engine or of LanceDB, as `open_index` takes it.
        destination: a folder that does not exist; its parent may be missing too.

    Returns:
        The copy, open. It has the same identity as the source.

    Raises:
        InputError: no index in a folder, or the destination exists.
        WriteFailedError: the disk is full, say.
    """
    if str(source).startswith(MILVUS) or str(source) == MEMORY:
        raise InputError(f"{source}: only an index in a folder can be copied; Milvus has a backup tool of its own")
    folder, target = (Path(str(place).removeprefix(MEMORY)) for place in (source, destination))
    if str(destination).startswith(MILVUS) or target.exists():
        raise InputError(f"{destination}: a copy needs a new folder; choose one that does not exist")
    engine = read_manifest(folder)[0].engine
    if engine not in {"memory", "lancedb"}:
        raise IndexDamagedError(f"{folder}: an index of no known engine ({engine})")
    partial = target.with_name(f".{target.name}.copying")
    with writing(target):
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    with folder_lock(folder):
        (_copy_memory if engine == "memory" else _copy_lance)(folder, partial)
    open_index(partial).close()  # as a check, before it gets its name
    with writing(target):
        partial.rename(target)
    return open_index(target)


def _copy_memory(folder: Path, to: Path) -> None:
    with writing(to):
        MemoryLog.open(folder).copy_to(to, _copy_file)


def _copy_lance(folder: Path, to: Path) -> None:
    try:
        shutil.copytree(folder / LANCE_TABLE, to / LANCE_TABLE)
        shutil.copyfile(folder / NAME, to / NAME)
    except shutil.Error as error:
        raise WriteFailedError(f"{to}: could not be written ({error.args[0][0][-1]})") from None
    except OSError as error:
        raise WriteFailedError(f"{to}: could not be written ({error})") from None


def _copy_file(file: Path, to: Path) -> None:
    try:
        shutil.copyfile(file, to)
    except FileNotFoundError:
        raise IndexDamagedError(f"{file}: a file of the index is missing; make the index again") from None
