"""Webdataset shards: tar files in which members of one name, next to each other, are a picture and its captions."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from bcls.data.dataset import RetrievalDataset
from bcls.data.readers.folder import write_dataset
from bcls.data.readers.picture_rows import PictureRows
from bcls.errors import InputError
from bcls.progress import progress

PICTURES = {"bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "webp"}
CAPTIONS = {"txt", "json"}
LARGEST = 1 << 28


class Member(NamedTuple):
    """One file of a shard."""

    key: str
    kind: str
    content: bytes


def shards_of(path: str | Path) -> list[Path]:
    """The shards at a path: a `.tar` file, or a folder's; none where it is neither.

    Example:
        >>> shards_of("nowhere")
        []
    """
    path = Path(path)
    if path.is_dir():
        return sorted(path.glob("*.tar"))
    return [path] if path.suffix == ".tar" and path.is_file() else []


def unpack_webdataset(path: str | Path, folder: str | Path) -> RetrievalDataset:
    """Unpack shards into a dataset folder.

    A sample is a run of members that are equal up to the first dot of their file name: a picture (`jpg`, `png`, ...)
    and a caption (`txt`), or `json` with a `caption` or `captions`, a text or a list of texts. Other members are
    ignored. The split is what stands before the number in a shard's name (`train-000003.tar`); `train` where nothing
    does. Names in the tar name nothing on disk: images are called `SPLIT-NUMBER`. Pictures that cannot be opened and
    samples without a caption are unpacked as well, for `check_dataset` to list.

    Args:
        path: a `.tar` file, or a folder of such, not compressed.
        folder: the new dataset folder.

    Raises:
        InputError: no shards there, a shard that is damaged or cut off, a picture or caption of more than 256 MiB, a
            caption that is no text, a sample without a picture (shard and sample are named), or a folder that holds a
            data set already.
    """
    folder, shards = Path(folder), shards_of(path)
    if not shards:
        raise InputError(f"{path}: no .tar file there")
    if (folder / "dataset.json").exists():
        raise InputError(f"{folder}: holds a data set already; choose another folder")
    splits: dict[str, PictureRows] = {}
    for shard in progress(shards, "unpacking shards", unit="shard"):
        split = _split(shard)
        rows = splits.setdefault(split, PictureRows(split, folder / "images"))
        for key, members in groupby(_members(shard), key=lambda member: member.key):
            _add(rows, f"{shard}: {key}", {member.kind: member.content for member in members})
    images = [record for rows in splits.values() for record in rows.records()]
    if not images:
        raise InputError(f"{path}: no pictures in {len(shards)} shards")
    dataset = RetrievalDataset(folder.name, images, folder / "images")
    write_dataset(folder, dataset)
    return dataset


def _add(rows: PictureRows, place: str, sample: dict[str, bytes]) -> None:
    pictures = [content for kind, content in sample.items() if kind in PICTURES]
    if not pictures:
        raise InputError(f"{place}: there is no picture beside {', '.join(sorted(sample))}")
    rows.add(place, pictures[0] or b"\0", _captions(place, sample))  # an empty file is a broken picture


def _captions(place: str, sample: dict[str, bytes]) -> list[Any]:
    try:
        if "txt" in sample:
            return [sample["txt"].decode("utf-8").strip()]
        if "json" not in sample:
            return []
        about = json.loads(sample["json"])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: the caption is no UTF-8 text or no JSON ({error})") from None
    if not isinstance(about, dict):
        raise InputError(f"{place}: the JSON is no object with a caption")
    captions = about.get("captions", about.get("caption", []))
    return captions if isinstance(captions, list) else [captions]


def _members(shard: Path) -> Iterator[Member]:
    """The pictures and captions of a shard; links, devices and whatever else stands there is not looked at."""
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                stem, _, kind = name.partition(".")
                if not member.isfile() or kind.lower() not in PICTURES | CAPTIONS:
                    continue
                if member.size > LARGEST:
                    raise InputError(f"{shard}: {member.name}: {member.size} bytes are too many for one sample")
                content = archive.extractfile(member)
                assert content is not None  # a regular file
                yield Member(f"{folder}/{stem}" if folder else stem, kind.lower(), content.read())
            _refuse_cut(shard, archive)
    except InputError:
        raise
    except Exception as error:  # tarfile raises several kinds on a damaged header
        raise InputError(f"{shard}: damaged, cut off or not a plain tar file ({error})") from None


def _refuse_cut(shard: Path, archive: tarfile.TarFile) -> None:
    """A tar ends with zeros. One that ends otherwise is read as whole up to its fault, without a word."""
    with shard.open("rb") as content:
        content.seek(archive.offset)
        if content.read(tarfile.BLOCKSIZE) != b"\0" * tarfile.BLOCKSIZE:
            raise InputError(f"{shard}: damaged or cut off at byte {archive.offset}")


def _split(shard: Path) -> str:
    return re.sub(r"[-_.]?\d*$", "", shard.stem) or "train"
