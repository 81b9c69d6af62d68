"""Where an index lives, in one word, and the engine behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bcls.errors import InputError
from bcls.search.errors import IndexDamagedError, IndexMissingError
from bcls.search.index import Index
from bcls.search.manifest import read_manifest
from bcls.search.memory import MemoryIndex
from bcls.search.records import FieldType

MEMORY = "memory:"
MILVUS = "milvus://"
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]+:)")  # two letters at least: a drive of Windows has one


def create_index(
    place: str | Path, *, dim: int, model: str, fields: Mapping[str, FieldType], about: Mapping[str, str] | None = None
) -> Index:
    """Make an empty index.

    Args:
        place: a folder (LanceDB), `memory:FOLDER` (exact, kept in a folder), `memory:` (kept nowhere), or
            `milvus://HOST:PORT/NAME`.
        dim: of the vectors.
        model: hash of the model that makes them.
        fields: name -> type of what each record carries.
        about: free notes.

    Raises:
        InputError: something is there already, a place of no known kind (`lance:FOLDER`), or a field that cannot be.
        WriteFailedError: the disk refused it.
        MissingExtraError: the engine is not installed.
        EngineUnavailableError: the engine cannot be reached.
    """
    if type(dim) is not int or dim < 1:
        raise InputError(f"dim is {dim!r}; it is a whole number, at least 1")
    _refuse_other_scheme(place)
    name = str(place)
    if name.startswith(MEMORY):
        folder = Path(name.removeprefix(MEMORY)) if name != MEMORY else None
        return MemoryIndex(folder, dim=dim, model=model, fields=fields, about=about)
    if name.startswith(MILVUS):
        from bcls.search.milvus import MilvusIndex  # noqa: PLC0415

        return MilvusIndex.create(name, dim=dim, model=model, fields=fields, about=about)
    from bcls.search.lance import LanceIndex  # noqa: PLC0415

    return LanceIndex.create(Path(place), dim=dim, model=model, fields=fields, about=about)


def open_index(place: str | Path) -> Index:
    """Open an index; a folder's own `index.json` tells its engine.

    Args:
        place: see `create_index`.

    Raises:
        IndexMissingError: none is there.
        IndexDamagedError: its files are not what was written there.
        MissingExtraError: the engine is not installed.
        EngineUnavailableError: the engine cannot be reached.
    """
    _refuse_other_scheme(place)
    name = str(place)
    if name.startswith(MILVUS):
        from bcls.search.milvus import MilvusIndex  # noqa: PLC0415

        return MilvusIndex.open(name)
    folder = Path(name.removeprefix(MEMORY))
    if name == MEMORY:
        raise IndexMissingError("memory: alone is kept nowhere and cannot be opened; name its folder: memory:FOLDER")
    engine = read_manifest(folder)[0].engine
    if engine == "memory":
        return MemoryIndex.open(folder)
    if engine != "lancedb":
        raise IndexDamagedError(f"{folder}: an index of no known engine ({engine})")
    from bcls.search.lance import LanceIndex  # noqa: PLC0415

    return LanceIndex.open(folder)


def made_at(place: str | Path) -> str:
    """Tells the index that is at a place now from others that were there; empty where its engine keeps no folder.

    Raises:
        InputError: none is there.
        IndexDamagedError: its description cannot be read.
    """
    name = str(place)
    return "" if name.startswith(MILVUS) or name == MEMORY else read_manifest(Path(name.removeprefix(MEMORY)))[0].made


def _refuse_other_scheme(place: str | Path) -> None:
    """Refuse `lance:FOLDER` and the like, which would become a folder of that name."""
    scheme = _SCHEME.match(place) if isinstance(place, str) else None
    if scheme is None or place.startswith((MEMORY, MILVUS)) or Path(place).exists():  # type: ignore[union-attr]
        return
    raise InputError(
        f"{place}: {scheme[1]} names no engine; a place is a folder (LanceDB), memory:FOLDER or "
        f"milvus://HOST:PORT/NAME. If a folder of this name is meant, write ./{place}"
    )
