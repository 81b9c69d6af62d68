"""Precomputed image features on disk, opened as memory maps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.arrays import to_array, to_rows
from bcls.contents import content_of
from bcls.errors import InputError
from bcls.files import hash_of, read_json, row_order, write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARD_ROWS = 16384
FINGERPRINT_ROWS = 64


class FeatureStore:
    """Features of images, (images, dim) or (images, regions, dim), in one or several `.npy` files with ids beside.

    The files are memory-mapped: opening costs nothing, and only the rows that are asked for are read.

    Args:
        shards: arrays of equal shape behind the first axis.
        ids: the image id of each row.
        place: where they came from, for messages.
        about: what they were computed from, as `bcls features` tells; empty = not known.

    Raises:
        InputError: the shapes disagree, or the ids do not fit.
    """

    def __init__(
        self, shards: Sequence[NDArray[Any]], ids: Sequence[str], place: str, about: dict[str, Any] | None = None
    ) -> None:
        self.ids = list(ids)
        self.about = about or {}
        self._shards = list(shards)
        self._place = place
        self._ends = np.cumsum([len(shard) for shard in shards])
        self._check()
        self._row_of = {name: row for row, name in enumerate(self.ids)}
        if len(self._row_of) != len(self.ids):
            twice = next(name for row, name in enumerate(self.ids) if self._row_of[name] != row)
            raise InputError(f"{place}: the id {twice!r} occurs twice among the features' ids")

    @classmethod
    def open(cls, path: str | Path) -> FeatureStore:
        """Open a folder of `.npy` shards with `ids.json`, or one `.npy` file.

        The rows of a folder are those of its shards one after the other, in natural order of their names: `emb_2.npy`
        comes before `emb_10.npy`. The ids of a single file are `NAME.ids.json` or `ids.json` beside it.

        Raises:
            InputError: nothing there, not an array of numbers, ids that do not fit, or names of shards that do not say
                in which order the rows lie.
        """
        path = Path(path)
        files = row_order(array_files(path)) if path.is_dir() else [path]
        if not files or (not path.is_dir() and not path.is_file()):
            raise InputError(f"{path}: no .npy features there")
        own = path.with_suffix(".ids.json")
        ids_file = own if path.is_file() and own.exists() else files[0].parent / "ids.json"
        ids = read_json(ids_file)
        if not isinstance(ids, list):
            raise InputError(f"{ids_file}: must hold a JSON list of image ids")
        about = read_json(path / "about.json") if (path / "about.json").is_file() else {}
        if not isinstance(about, dict):
            raise InputError(f"{path / 'about.json'}: must hold a JSON object")
        return cls([open_array(file) for file in files], _row_ids(ids, ids_file), str(path), about)

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, dim) or (images, regions, dim)."""
        return (len(self.ids), *self._shards[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number format of the rows: that of the files, in this machine's byte order; the widest of all shards."""
        return np.result_type(*(shard.dtype for shard in self._shards)).newbyteorder("=")

    def __len__(self) -> int:
        return len(self.ids)

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that have no features."""
        return [name for name in ids if name not in self._row_of]

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The row of each id.

        Raises:
            InputError: some have no features; how many, and examples.
        """
        missing = self.missing(ids)
        if missing:
            raise InputError(
                f"{self._place}: {len(missing)} of {len(ids)} images have no features, e.g. {', '.join(missing[:3])}"
            )
        return np.array([self._row_of[name] for name in ids], dtype=np.int64)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The features at `rows`, in that order; one read a shard, in ascending order.

        Raises:
            InputError: rows that are no whole numbers, or that there are not.
        """
        rows = to_rows(rows, "rows")
        outside = rows[(rows < 0) | (rows >= len(self))]
        if outside.size:
            raise InputError(f"{self._place}: row {outside[0]}: there are {len(self)}, counted from 0")
        if len(self._shards) == 1:
            return _in_order(self._shards[0], rows, self.dtype)
        shard_of = np.searchsorted(self._ends, rows, side="right")
        result = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        for shard in np.unique(shard_of):
            here = np.flatnonzero(shard_of == shard)
            start = self._ends[shard] - len(self._shards[shard])
            result[here] = _in_order(self._shards[shard], rows[here] - start, self.dtype)
        return result

    def fingerprint(self) -> str:
        """A hash of ids, shape, format and an even sample of the rows: cheap however large the store is."""
        sample = np.unique(np.linspace(0, max(len(self.ids) - 1, 0), FINGERPRINT_ROWS).astype(np.int64))
        values = self.gather(sample[: len(self.ids)])
        return hash_of([*self.ids, str(self.shape), str(self.dtype), values.tobytes().hex()])

    def _check(self) -> None:
        shapes = {shard.shape[1:] for shard in self._shards}
        if len(shapes) != 1:
            raise InputError(f"{self._place}: shards disagree on the shape of a row: {sorted(map(str, shapes))}")
        if len(next(iter(shapes))) not in (1, 2):
            raise InputError(
                f"{self._place}: features must be (images, dim) or (images, regions, dim), not {self._shards[0].shape}"
            )
        total = sum(len(shard) for shard in self._shards)
        if total != len(self.ids):
            raise InputError(f"{self._place}: {total} rows of features, but {len(self.ids)} ids")


def array_files(folder: Path) -> list[Path]:
    """The `.npy` files of a folder, hidden ones left out."""
    found = (file for file in folder.iterdir() if file.suffix.lower() == ".npy" and not file.name.startswith("."))
    return [file for file in found if not file.is_dir()]  # a link that leads nowhere is opened, which names it


def write_features(
    folder: str | Path, ids: Sequence[str], arrays: Iterable[NDArray[Any]], *, shard_rows: int = SHARD_ROWS
) -> FeatureStore:
    """Write features as float16 shards and `ids.json`; the folder appears whole or not at all.

    Args:
        folder: where to; must not exist.
        ids: image id of each row.
        arrays: blocks of rows, in order.
        shard_rows: rows a file.

    Raises:
        InputError: the folder exists, a value is not finite (or too large for float16), the blocks' shapes disagree, or
            the ids do not fit.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder}: exists already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        rows = [half_precision(block) for block in arrays] or [np.zeros((0, 1), dtype=np.float16)]
        FeatureStore(rows, ids, str(folder))  # refuses what could not be opened again
        features = np.concatenate(rows)
        for number, start in enumerate(range(0, max(1, len(features)), shard_rows)):
            np.save(fresh / f"{number:05d}.npy", features[start : start + shard_rows], allow_pickle=False)
        write_json(fresh / "ids.json", list(ids))
        fresh.rename(folder)
    return FeatureStore.open(folder)


def half_precision(block: NDArray[Any]) -> NDArray[np.float16]:
    """Features in float16.

    Raises:
        InputError: not numbers, masked values, a value that is not finite or too large for float16, or a
            row whose values are all too small for it.
    """
    if isinstance(block, np.ndarray) and block.dtype.kind in "iub":  # float16 rounds whole numbers from 2,049 on
        raise InputError(f"features must be floating point, not {block.dtype}; convert them, e.g. to float32")
    if np.ma.is_masked(block):
        raise InputError("features hold masked values; fill them, or leave their images out")
    values = to_array(block, "features")
    if values.ndim == 0:
        raise InputError("features must have rows; got a single number")
    with np.errstate(over="ignore", under="ignore"):
        half = values.astype(np.float16)
    axes = tuple(range(1, half.ndim))
    finite = np.isfinite(half).all(axis=axes)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise InputError(f"features of row {row} of a block are not finite in float16")
    lost = ~half.any(axis=axes) & values.any(axis=axes)
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        raise InputError(f"features of row {row} of a block are all zero in float16: they are too small; scale them up")
    return half


def open_array(file: Path) -> NDArray[Any]:
    """Open an `.npy` file of floating-point rows as a memory map; pickled objects are refused, never loaded.

    Raises:
        InputError: the file is missing, damaged, or holds something else; the message names it.
    """
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy reads the header as Python, and raises nearly every kind
        what = content_of(file)
        raise InputError(f"{file}: not a readable .npy array ({f'it is {what}' if what else error})") from None
    if not isinstance(array, np.ndarray) or array.ndim == 0:
        raise InputError(f"{file}: not a readable .npy array (not one array of rows)")
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"{file}: features must be floating point, not {array.dtype}; convert them, e.g. "
            f"np.save(file, array.astype(np.float32))"
        )
    if 0 in array.shape[1:]:
        raise InputError(f"{file}: its rows hold no numbers: its shape is {array.shape}")
    if array.dtype.itemsize > 8:
        raise InputError(f"{file}: features must have 16, 32 or 64 bits a number, not {array.dtype}; convert them")
    return array


def _row_ids(ids: list[Any], file: Path) -> list[str]:
    for row, name in enumerate(ids):
        if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
            raise InputError(f"{file}: row {row} is {name!r}, not an id (a string or a whole number)")
    return [str(name) for name in ids]


def _in_order(array: NDArray[Any], rows: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    order = np.argsort(rows, kind="stable")
    result = np.empty((len(rows), *array.shape[1:]), dtype=dtype)
    result[order] = array[rows[order]]
    return result
