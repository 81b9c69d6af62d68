"""This package's own format: a folder with `dataset.json`, `images.jsonl`, and perhaps `images/` and `features/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bcls.data.dataset import RetrievalDataset
from bcls.data.left_out import Tally
from bcls.data.readers.feature_folder import features_beside
from bcls.data.readers.lines import id_field, json_line, lines_of, text_field
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError
from bcls.files import read_json, write_json, write_text
from bcls.ids import text_fault

VERSION = 1


def read_folder(folder: str | Path) -> RetrievalDataset:
    """Read a dataset folder.

    Raises:
        InputError: a file is missing or malformed (file and line are named), or the records are not those that
            `dataset.json` was written for.
    """
    folder = Path(folder)
    about = read_json(folder / "dataset.json")
    if not isinstance(about, dict) or about.get("version") != VERSION or "name" not in about:
        raise InputError(f"{folder / 'dataset.json'}: must hold a name and version {VERSION}")
    images = list(_records(folder / "images.jsonl"))
    pictures, tally = folder / "images", Tally()
    features = features_beside(folder, tally)
    dataset = RetrievalDataset(
        str(about["name"]), images, pictures if pictures.is_dir() else None, features, tally.kinds()
    )
    if about.get("content_hash") not in (None, dataset.content_hash()):
        raise InputError(
            f"{folder}: images.jsonl has changed since dataset.json was written; if that is meant, remove content_hash "
            "from dataset.json"
        )
    return dataset


def write_dataset(folder: str | Path, dataset: RetrievalDataset) -> None:
    """Write `images.jsonl` and `dataset.json`; pictures and features are put there by whoever has them."""
    folder = Path(folder)
    lines = [
        _json(
            {
                "id": image.id,
                "file": image.file,
                "split": image.split,
                "captions": [{"id": caption.id, "text": caption.text} for caption in image.captions],
            }
        )
        for image in dataset.images
    ]
    write_text(folder / "images.jsonl", "\n".join(lines) + "\n")
    write_json(
        folder / "dataset.json",
        {
            "name": dataset.name,
            "version": VERSION,
            "splits": dataset.splits,
            "images": len(dataset.images),
            "captions": len(dataset.caption_ids),
            "content_hash": dataset.content_hash(),
        },
    )


def _json(record: dict[str, Any]) -> str:
    """A line of JSON; half a surrogate pair, which UTF-8 cannot hold, stays an escape for `check_dataset` to name."""
    line = json.dumps(record, ensure_ascii=False)
    return json.dumps(record) if text_fault(line) else line


def _records(file: Path) -> Iterator[ImageRecord]:
    for number, line in enumerate(lines_of(file), start=1):
        if line.strip():
            yield _record(line, f"{file}: line {number}")


def _record(line: str, place: str) -> ImageRecord:
    value = json_line(line, place)
    try:
        captions = tuple(Caption(id_field(part, "id"), text_field(part, "text")) for part in value["captions"])
        file = None if value.get("file") is None else text_field(value, "file")
        return ImageRecord(id_field(value, "id"), file, text_field(value, "split"), captions)
    except (KeyError, TypeError) as error:
        raise InputError(f"{place}: needs id, split and captions with id and text ({error})") from None
