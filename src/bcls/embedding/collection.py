"""What there is to embed: a data set of any known format, or any folder of pictures."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from shlex import quote

from bcls.data import ImageRecord, RetrievalDataset, read_dataset
from bcls.data.image_files import images_below
from bcls.data.left_out import Tally, warn_of
from bcls.data.record_checks import refuse_unusable
from bcls.errors import InputError

_TABLES = ("*.json", "*.jsonl", "*.csv", "*_caps.txt")


def open_collection(path: str | Path) -> RetrievalDataset:
    """A data set, or a folder of pictures without captions: every picture file in it and below is an image.

    Raises:
        InputError: neither, a data set with an error in its records, or an id that occurs twice.
    """
    folder = Path(path)
    if not folder.is_dir() or any(any(folder.glob(table)) for table in _TABLES):
        dataset = read_dataset(path)
    else:
        dataset = _pictures(folder)
    for kind, ids in (("image", dataset.image_ids), ("caption", dataset.caption_ids)):
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            raise InputError(
                f"{path}: {len(twice)} {kind} ids occur twice, e.g. {twice[0]}; see "
                f"`bcls data check {quote(str(path))}`"
            )
    refuse_unusable(dataset, str(path))
    return dataset


def _pictures(folder: Path) -> RetrievalDataset:
    tally = Tally()
    files = images_below(folder, tally)
    warn_of(tally.kinds(), folder)
    unnamed = [file for file in files if not _is_text(file)]
    if unnamed:
        shown = os.fsencode(unnamed[0]).decode("utf-8", "backslashreplace")
        raise InputError(
            f"{folder}: {len(unnamed)} names of pictures are not UTF-8, so that no id can be made of them, "
            f"e.g. {shown}: rename them"
        )
    if not files:
        raise InputError(f"{folder}: neither a data set nor an image is there ({_counted(tally)})")
    images = [ImageRecord(file, file, "all", ()) for file in files]
    return RetrievalDataset(folder.name, images, folder, left_out=tally.kinds())


def _counted(tally: Tally) -> str:
    return "; ".join(map(str, tally.kinds())) or "the folder is empty"


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
