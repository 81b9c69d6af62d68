"""Readers of the field's formats, one a file, and `read_dataset`, which picks by looking."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from bcls.data.dataset import RetrievalDataset
from bcls.data.left_out import Tally, warn_of
from bcls.data.readers.folder import read_folder, write_dataset
from bcls.data.readers.image_folder import read_image_folder
from bcls.data.readers.karpathy import read_karpathy
from bcls.data.readers.precomp import read_precomp
from bcls.data.readers.webdataset import shards_of, unpack_webdataset
from bcls.errors import InputError
from bcls.files import natural_order

__all__ = [
    "read_dataset",
    "read_folder",
    "read_image_folder",
    "read_karpathy",
    "read_precomp",
    "shards_of",
    "unpack_webdataset",
    "write_dataset",
]

TABLES = {".csv", ".jsonl"}


def read_dataset(path: str | Path) -> RetrievalDataset:
    """Read a data set of any known format.

    - a folder with `dataset.json`: this package's own format;
    - a `.json` file, or a folder with one `dataset_*.json`: a Karpathy split file;
    - a folder with `*_caps.txt`: precomputed features as VSE-infinity and SCAN use them;
    - a `.csv` or `.jsonl` table, or a folder that holds one: pictures with captions.

    What the reader did not take is logged, a line a kind with an example, and stays in `left_out`.

    Raises:
        InputError: none of these, several of them, or one with an error in it; the message says what and where.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    dataset = _read_file(path) if path.is_file() else _read_folder(path)
    warn_of(dataset.left_out, path)
    return dataset


def _read_folder(path: Path) -> RetrievalDataset:
    if (path / "dataset.json").is_file():
        return read_folder(path)
    karpathy = natural_order(path.glob("dataset_*.json"))
    precomp = natural_order(path.glob("*_caps.txt"))
    tables = natural_order(file for file in path.iterdir() if file.suffix.lower() in TABLES)
    if len(karpathy) > 1 or (karpathy and precomp):
        _refuse_several(path, [*karpathy, *precomp])
    if karpathy:
        return _beside(read_karpathy(karpathy[0]), tables)
    if precomp:
        return read_precomp(path)
    if len(tables) == 1:
        return read_image_folder(tables[0])
    if tables:
        _refuse_several(path, tables)
    _refuse_shards(path)
    raise InputError(
        f"{path}: no data set of a known format (dataset.json, dataset_*.json, *_caps.txt, or one .csv or .jsonl table)"
        f"{_hint(path.iterdir())}"
    )


def _beside(dataset: RetrievalDataset, tables: list[Path]) -> RetrievalDataset:
    """A data set with the tables that lie beside it and were not read."""
    tally = Tally()
    for table in tables:
        tally.add("tables beside the split file that are not read", table.name)
    dataset.left_out += tally.kinds()
    return dataset


def _read_file(path: Path) -> RetrievalDataset:
    if path.name == "dataset.json":
        return read_folder(path.parent)
    if path.suffix.lower() == ".json":
        return read_karpathy(path)
    if path.suffix.lower() in TABLES:
        return read_image_folder(path)
    _refuse_shards(path)
    raise InputError(f"{path}: not a data set: a .json, .csv or .jsonl file, or a folder is expected{_hint([path])}")


def _refuse_several(path: Path, files: list[Path]) -> NoReturn:
    shown = ", ".join(file.name for file in files[:4]) + (", ..." if len(files) > 4 else "")
    raise InputError(f"{path}: {len(files)} files may be the data set ({shown}): name the file, or keep one there")


def _refuse_shards(path: Path) -> None:
    if shards_of(path):
        raise InputError(f"{path}: webdataset shards are unpacked first: bcls data convert {path} OUTPUT")


def _hint(files: Iterable[Path]) -> str:
    """What to do with files that others keep data sets in."""
    kinds = {".txt", ".tsv", ".token", ".parquet", ".gz", ".tgz", ".zip", ".json", ".xlsx", ".h5", ".hdf5"}
    found = natural_order(file for file in files if file.suffix.lower() in kinds)
    if not found:
        return ""
    return f"; {found[0].name} may hold one: docs/data.md shows how to make a table of the field's other files"
