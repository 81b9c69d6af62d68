"""Webdataset shards: tar files in which members of one name, next to each other, are a picture and its captions."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bcls.contents import content_of
from bcls.data.dataset import RetrievalDataset
from bcls.data.left_out import Tally, warn_of
from bcls.data.readers.folder import write_dataset
from bcls.data.readers.picture_rows import PictureRows
from bcls.data.readers.webdataset_samples import CAPTIONS, Member, Sample, samples_of
from bcls.errors import InputError
from bcls.files import natural_order
from bcls.pictures import image_extensions
from bcls.progress import progress

LARGEST = 1 << 28


def shards_of(path: str | Path) -> list[Path]:
    """The shards at a path: a `.tar` file, or a folder's in natural order; none where it is neither.

    Example:
        >>> shards_of("nowhere")
        []
    """
    path = Path(path)
    if path.is_dir():
        return natural_order(file for file in path.iterdir() if file.suffix.lower() == ".tar")
    return [path] if path.suffix.lower() == ".tar" and path.is_file() else []


def unpack_webdataset(path: str | Path, folder: str | Path) -> RetrievalDataset:
    """Unpack shards into a dataset folder.

    A sample is an image (of any format that Pillow opens) and its caption: a `txt` file, or `json` with a `caption` or
    `captions`, a text or a list of texts; `txt` goes first where both are there. They are neighbours in the shard and
    have one name up to the last dot. Everything else is counted in `left_out` and logged: other members, links and
    devices, hidden members, fields of a sample beside its image and caption (`KEY.mask.png`).

    The split is what stands before the number in a shard's name (`train-000003.tar`, `train-00003-of-00010.tar`);
    `train` where nothing does. Names in the tar name nothing on disk: images are called `SPLIT-NUMBER`. Pictures that
    cannot be opened and samples without a caption are unpacked as well, for `check_dataset` to list.

    Args:
        path: a `.tar` file, or a folder of such, not compressed.
        folder: the new dataset folder.

    Raises:
        InputError: no shards there, a shard that is damaged or cut off, a picture or caption of more than 256 MiB, a
            caption that is no text, a sample without a picture or with several, captions of which it is not certain to
            which image they belong (shard and sample are named), or a folder that holds a data set already.
    """
    folder, shards, tally = Path(folder), shards_of(path), Tally()
    if not shards:
        raise InputError(f"{path}: no .tar file there")
    if (folder / "dataset.json").exists():
        raise InputError(f"{folder}: holds a data set already; choose another folder")
    if Path(path).is_dir():
        for other in natural_order(set(Path(path).iterdir()) - set(shards)):
            tally.add("entries of the folder that are no .tar shards", other.name)
    splits: dict[str, PictureRows] = {}
    for shard in progress(shards, "unpacking shards", unit="shard"):
        split = _split(shard)
        rows = splits.setdefault(split, PictureRows(split, folder / "images"))
        for sample in samples_of(_members(shard, tally), str(shard), tally):
            place = f"{shard}: {sample.name}"
            captions = _captions(place, sample, tally)
            rows.add(place, sample.image or b"\0", captions)  # an empty file is a broken picture
    images = [record for rows in splits.values() for record in rows.records()]
    if not images:
        raise InputError(f"{path}: no pictures in {len(shards)} shards; {'; '.join(map(str, tally.kinds()))}")
    dataset = RetrievalDataset(folder.name, images, folder / "images", left_out=tally.kinds())
    write_dataset(folder, dataset)
    warn_of(dataset.left_out, path)
    return dataset


def _captions(place: str, sample: Sample, tally: Tally) -> list[Any]:
    if "txt" not in sample.captions:
        if "json" not in sample.captions:
            return []
        captions = _json_captions(place, sample.captions["json"])
        if not captions:
            tally.add("json files without a field `caption` or `captions`", f"{sample.name}.json")
        return captions
    try:
        caption = sample.captions["txt"].decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{place}: the caption is no UTF-8 text ({error})") from None
    if "json" in sample.captions and not _agrees(place, sample.captions["json"], caption):
        tally.add("json files whose captions are not that of the txt file beside them", f"{sample.name}.json")
    return [caption]


def _agrees(place: str, content: bytes, caption: str) -> bool:
    """Whether a json file says nothing else than the txt file beside it, which goes first."""
    try:
        captions = _json_captions(place, content)
    except InputError:
        return False
    return not captions or caption in [str(one).strip() for one in captions]


def _json_captions(place: str, content: bytes) -> list[Any]:
    try:
        about = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: the caption is no UTF-8 text or no JSON ({error})") from None
    if not isinstance(about, dict):
        raise InputError(f"{place}: the JSON is no object with a caption")
    captions = about.get("captions", about.get("caption"))
    if captions is None:  # as downloaders write what has none
        return []
    return captions if isinstance(captions, list) else [captions]


def _members(shard: Path, tally: Tally) -> Iterator[Member]:
    """The pictures and captions of a shard."""
    taken = CAPTIONS | {suffix.removeprefix(".") for suffix in image_extensions()}
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                folder, slash, name = member.name.rpartition("/")
                stem, _, kind = name.rpartition(".")
                kind = kind.lower()
                if not member.isfile() or name.startswith(".") or not stem or kind not in taken:
                    _count(member, name, tally)
                    continue
                if member.size > LARGEST:
                    raise InputError(f"{shard}: {member.name}: {member.size} bytes are too many for one sample")
                content = archive.extractfile(member)
                assert content is not None  # a regular file
                yield Member(folder + slash, stem, kind, content.read())
            _refuse_cut(shard, archive)
    except InputError:
        raise
    except Exception as error:  # tarfile raises several kinds on a damaged header
        what = content_of(shard)
        why = f"is {what}" if what is not None else f"damaged, cut off or not a plain tar file ({error})"
        raise InputError(f"{shard}: {why}") from None


def _count(member: tarfile.TarInfo, name: str, tally: Tally) -> None:
    """Count a member that is neither a picture nor a caption."""
    if member.isdir():
        return
    if not member.isfile():
        tally.add("members that are links or devices", member.name)
    elif name.startswith("."):
        tally.add("members that are hidden files", member.name)
    else:
        tally.add("members that are neither images nor captions (txt, json)", member.name)


def _refuse_cut(shard: Path, archive: tarfile.TarFile) -> None:
    """A tar ends with zeros. One that ends otherwise is read as whole up to its fault, without a word."""
    with shard.open("rb") as content:
        content.seek(archive.offset)
        if content.read(tarfile.BLOCKSIZE) != b"\0" * tarfile.BLOCKSIZE:
            raise InputError(f"{shard}: damaged or cut off at byte {archive.offset}")


def _split(shard: Path) -> str:
    """What stands before the number of a shard, or before `NUMBER-of-COUNT`."""
    return re.sub(r"([-_.]?\d+[-_.]?of)?[-_.]?\d*$", "", shard.stem) or "train"
