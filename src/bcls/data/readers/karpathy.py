"""Karpathy's split files: `dataset_flickr8k.json`, `dataset_flickr30k.json`, `dataset_coco.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcls.data.dataset import RetrievalDataset
from bcls.data.left_out import Tally
from bcls.data.readers.feature_folder import features_beside
from bcls.data.readers.lines import id_field, text_field
from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError
from bcls.files import read_json

COCO = (
    "it is an annotation file of COCO (lists 'images' and 'annotations'), which says nothing of splits: use Karpathy's "
    "dataset_coco.json, or make a table of it as docs/data.md shows"
)


def read_karpathy(path: str | Path) -> RetrievalDataset:
    """Read a Karpathy split file; pictures in `images/` and features in `features/` beside it are found.

    An image's id is its file name. A caption's id is `FILE#K` with K its place in the image's list, as Flickr8k's human
    ratings name captions; for COCO (images with a `cocoid`) it is the `sentid`. COCO's `restval` stays a split of its
    own: name both, `train+restval`, to train on it.

    Raises:
        InputError: not such a file; the entry is named.
    """
    path = Path(path)
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise InputError(f"{path}: not a Karpathy split file: {_other_kind(content)}")
    if isinstance(content.get("annotations"), list):
        raise InputError(f"{path}: not a Karpathy split file: {COCO}")
    pictures, tally = path.parent / "images", Tally()
    images = [_record(entry, f"{path}: images[{number}]", tally) for number, entry in enumerate(content["images"])]
    features = features_beside(path.parent, tally)
    return RetrievalDataset(
        str(content.get("dataset") or path.stem.removeprefix("dataset_")),
        images,
        pictures if pictures.is_dir() else None,
        features,
        tally.kinds(),
    )


def _record(entry: Any, place: str, tally: Tally) -> ImageRecord:
    try:
        name = text_field(entry, "filename")
        folder = entry.get("filepath")
        file = name if folder is None or folder == "" else str(Path(text_field(entry, "filepath")) / name)
        captions = tuple(
            Caption(
                id_field(sentence, "sentid") if "cocoid" in entry else f"{name}#{number}", text_field(sentence, "raw")
            )
            for number, sentence in enumerate(entry["sentences"])
        )
        listed = entry.get("sentids")
        if isinstance(listed, list) and len(listed) != len(captions):
            tally.add("images whose `sentids` name other captions than their `sentences` hold", name)
        return ImageRecord(name, file, text_field(entry, "split"), captions)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{place}: needs filename, split and sentences with raw ({error})") from None


def _other_kind(content: Any) -> str:
    """What a JSON file is that is no split file, as far as other projects' files are known."""
    if isinstance(content, list) and content and isinstance(content[0], dict) and "caption" in content[0]:
        return (
            "it is a list of objects with a caption, as ALBEF, BLIP and LAVIS use: make a table of it as docs/data.md "
            "shows"
        )
    return "an object with a list 'images' is expected"
