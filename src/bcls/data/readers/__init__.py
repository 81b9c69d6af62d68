"""Readers of the field's formats, one a file, and `read_dataset`, which picks by looking."""

from __future__ import annotations

from pathlib import Path

from bcls.data.dataset import RetrievalDataset
from bcls.data.readers.folder import read_folder, write_dataset
from bcls.data.readers.image_folder import read_image_folder
from bcls.data.readers.karpathy import read_karpathy
from bcls.data.readers.precomp import read_precomp
from bcls.data.readers.webdataset import shards_of, unpack_webdataset
from bcls.errors import InputError

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


def read_dataset(path: str | Path) -> RetrievalDataset:
    """Read a data set of any known format.

    - a folder with `dataset.json`: this package's own format;
    - a `.json` file, or a folder with one `dataset_*.json`: a Karpathy split file;
    - a folder with `*_caps.txt`: precomputed features as VSE-infinity and SCAN use them;
    - a `.csv` or `.jsonl` table, or a folder that holds one: pictures with captions.

    Raises:
        InputError: none of these, or one with an error in it; the message says what and where.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_file():
        return _read_file(path)
    if (path / "dataset.json").is_file():
        return read_folder(path)
    karpathy = sorted(path.glob("dataset_*.json"))
    tables = sorted([*path.glob("*.csv"), *path.glob("*.jsonl")])
    if len(karpathy) == 1:
        return read_karpathy(karpathy[0])
    if list(path.glob("*_caps.txt")):
        return read_precomp(path)
    if len(tables) == 1:
        return read_image_folder(tables[0])
    _refuse_shards(path)
    raise InputError(
        f"{path}: no data set of a known format (dataset.json, dataset_*.json, *_caps.txt, or one .csv or .jsonl table)"
    )


def _read_file(path: Path) -> RetrievalDataset:
    if path.name == "dataset.json":
        return read_folder(path.parent)
    if path.suffix == ".json":
        return read_karpathy(path)
    if path.suffix in (".csv", ".jsonl"):
        return read_image_folder(path)
    _refuse_shards(path)
    raise InputError(f"{path}: not a data set: a .json, .csv or .jsonl file, or a folder is expected")


def _refuse_shards(path: Path) -> None:
    if shards_of(path):
        raise InputError(f"{path}: webdataset shards are unpacked first: bcls data convert {path} OUTPUT")
