"""Hugging Face `datasets` with columns image, caption, score: to and from a dataset folder. Needs `datasets`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from bcls.data import ImageRecord, RetrievalDataset, write_dataset
from bcls.data.readers.picture_rows import PictureRows
from bcls.errors import InputError, MissingExtraError
from bcls.files import replacing

try:
    import datasets
except ImportError:
    raise MissingExtraError("the exchange with Hugging Face datasets", "datasets") from None


def from_datasets(
    data: Any, folder: str | Path, *, image: str = "image", caption: str = "caption", score: str | None = None
) -> RetrievalDataset:
    """Write columns of a Hugging Face data set into a dataset folder, and its scores beside it.

    Pictures go to `images/`, as the bytes that they are; the same bytes are one image of a split. A row holds one
    caption or a list of them. Without `score` every caption belongs to its row's image. With `score` a row rates an
    image and a caption: the same text is the same caption then, and belongs to the image that it is rated highest with;
    all ratings go to `ratings-SPLIT.csv`, which `RelevanceTable(path, lowest=, highest=)` and `labels.table` read.

    Args:
        data: a `Dataset`, an `IterableDataset` (nothing is held but ids and captions), or a `DatasetDict` of splits.
        folder: the new dataset folder.
        image: the column of pictures (the type `Image`, or the bytes of picture files), or of file names below
            `folder/images`.
        caption: the column of a text, or a list of texts, a row.
        score: the column of a number, or as many numbers as captions, a row; None = there are no ratings.

    Returns:
        The data set; images are named `SPLIT-NUMBER`, and captions `SPLIT-NUMBER#K`, in order of appearance.

    Raises:
        InputError: something else than such data, a missing column, an empty picture or what is none, a caption that is
            no text, a score that is no number (the split and row are named), or a folder that holds a data set already.

    Example:
        >>> import tempfile
        >>> columns = {"image": ["a.jpg", "b.jpg", "b.jpg"], "caption": ["a dog", "a dog", "a cat"], "score": [1, 3, 5]}
        >>> folder = tempfile.mkdtemp()
        >>> read = from_datasets(datasets.Dataset.from_dict(columns), folder, score="score")
        >>> read.caption_texts, read.caption_image
        (['a dog', 'a cat'], array([1, 1]))
    """
    folder = Path(folder)
    if (folder / "dataset.json").exists():
        raise InputError(f"{folder}: holds a data set already; choose another folder")
    if not isinstance(data, Mapping | datasets.Dataset | datasets.IterableDataset):
        raise InputError(f"a Dataset, an IterableDataset or a DatasetDict is expected, not {type(data).__name__}")
    splits = data if isinstance(data, Mapping) else {str(data.split or "train"): data}
    images: list[ImageRecord] = []
    for split, part in splits.items():
        rows = PictureRows(str(split), folder / "images")
        for number, row in enumerate(_plain_rows(part, image, (caption, score), str(split))):
            place = f"{split}: row {number}"
            scores = None if score is None else _required(place, _cell(place, row, score))
            rows.add(place, _picture(place, _cell(place, row, image)), _cell(place, row, caption), scores)
        images += rows.records()
        if score is not None:
            _write_ratings(folder / f"ratings-{split}.csv", rows)
    dataset = RetrievalDataset(folder.name, images, folder / "images")
    write_dataset(folder, dataset)
    return dataset


def to_datasets(part: RetrievalDataset) -> Any:
    """A split as columns `image`, `caption` and `label`, one caption a row, for trainers that take such.

    `label` is the row of the caption in `part`, by which a relevance source knows it.

    Args:
        part: a split with pictures.

    Returns:
        A `datasets.Dataset`; pictures are opened when they are asked for.

    Raises:
        InputError: the split has no pictures.
    """
    paths = [str(part.image_path(row)) for row in part.caption_image.tolist()]
    columns = {"image": paths, "caption": part.caption_texts, "label": list(range(len(paths)))}
    return datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image())


def _write_ratings(file: Path, rows: PictureRows) -> None:
    with replacing(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([("image_id", "caption_id", "score"), *rows.ratings()])


def _plain_rows(part: Any, image: str, others: tuple[str | None, ...], split: str) -> Any:
    """The rows with pictures as bytes, not opened."""
    known = part.column_names
    if known is None:  # of a stream that does not know its columns before it is read
        known = list(next(iter(part), {}))
    missing = [name for name in (image, *others) if name is not None and name not in known]
    if missing:
        raise InputError(f"{split}: no column {', '.join(map(repr, missing))}; there are {', '.join(known) or 'none'}")
    if isinstance((part.features or {}).get(image), datasets.Image):
        return part.cast_column(image, datasets.Image(decode=False))
    return part


def _picture(place: str, value: Any) -> bytes | str:
    """The bytes of a picture, or its file name; a picture that a data set knows by its path alone is read."""
    if isinstance(value, Image.Image):
        value = datasets.Image().encode_example(value)
    if value is None or isinstance(value, (str, bytes)):
        return value or b""
    if not isinstance(value, dict) or not {"bytes", "path"} <= value.keys():
        raise InputError(f"{place}: a picture, its bytes or a file name is expected, not {type(value).__name__}")
    if value["bytes"] is None and value["path"]:
        try:
            return Path(value["path"]).read_bytes()
        except OSError as error:
            raise InputError(f"{place}: {value['path']} cannot be read ({error.strerror})") from None
    return bytes(value["bytes"] or b"")


def _cell(place: str, row: Mapping[str, Any], column: str) -> Any:
    """A row's own value: a stream may have rows without a column that its first one has."""
    if column not in row:
        raise InputError(f"{place}: there is no {column!r} in this row")
    return row[column]


def _required(place: str, score: Any) -> Any:
    if score is None:
        raise InputError(f"{place}: there is no score")
    return score
