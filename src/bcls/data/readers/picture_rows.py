"""Rows of a picture, its captions and perhaps their scores, as other people's containers hold them, into records."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from bcls.data.records import Caption, ImageRecord
from bcls.errors import InputError
from bcls.files import replacing
from bcls.ids import require_name


class PictureRows:
    """The images, captions and ratings of one split, taken in row by row; pictures go to files as they come.

    Without scores a caption belongs to its row's image. A score rates an image and a caption: the same text is the same
    caption then, and belongs to the image that it is rated highest with, the first of equals; of several ratings of a
    pair the mean counts. Images are named `SPLIT-NUMBER` and captions `SPLIT-NUMBER#K`, in order of appearance.

    Args:
        split: the split's name; it becomes a part of file names.
        folder: where pictures are written.

    Raises:
        InputError: a split whose name would lead to another folder.

    Example:
        >>> rows = PictureRows("train", Path("images"))
        >>> rows.add("row 0", "a.jpg", ["a dog", "a cat"], [1.0, 5.0])
        >>> rows.add("row 1", "b.jpg", "a dog", 3.0)
        >>> [(image.id, image.captions[0].text) for image in rows.records()]
        [('train-0', 'a cat'), ('train-1', 'a dog')]
    """

    def __init__(self, split: str, folder: Path) -> None:
        self._split = require_name(split, "the split")
        self._folder = folder
        self._files: list[str] = []
        self._row_of: dict[bytes | str, int] = {}
        self._captions: list[list[Caption]] = []
        self._scores: dict[str, dict[int, list[float]]] = {}

    def add(self, place: str, picture: bytes | str, captions: Any, scores: Any = None) -> None:
        """Take in a row.

        Args:
            place: of the row, for messages.
            picture: the bytes of a picture file (the same bytes are the same image), or a file name below the folder.
            captions: a text, or a list of texts; an empty one leaves an image without caption to the check.
            scores: a number, or as many as there are captions; None = the captions are the image's own.

        Raises:
            InputError: no picture, a caption that is no text, or a score that is no number.
        """
        if not picture:
            raise InputError(f"{place}: there is no picture")
        row = self._image(picture)
        texts = captions if isinstance(captions, list) else [captions]
        numbers = scores if isinstance(scores, list) else [scores] * len(texts)
        if len(numbers) != len(texts) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"{place}: needs a caption, or a list of captions with a score each, not {captions!r}")
        for text, number in zip(texts, numbers, strict=True):
            if scores is None:
                self._own(row, text)
            else:
                self._rate(place, row, text, number)

    def records(self) -> list[ImageRecord]:
        """The images with their captions, after the last row."""
        for text, scores in self._scores.items():
            self._own(max(scores, key=lambda row: sum(scores[row]) / len(scores[row])), text)
        return [
            ImageRecord(self._name(row), file, self._split, tuple(captions))
            for row, (file, captions) in enumerate(zip(self._files, self._captions, strict=True))
        ]

    def ratings(self) -> Iterator[tuple[str, str, float]]:
        """Image id, caption id and score of each rating, after `records`; a pair may have several."""
        ids = {caption.text: caption.id for captions in self._captions for caption in captions}
        for text, scores in self._scores.items():
            yield from ((self._name(row), ids[text], score) for row, given in scores.items() for score in given)

    def _image(self, picture: bytes | str) -> int:
        key = hashlib.sha256(picture).digest() if isinstance(picture, bytes) else picture
        if key not in self._row_of:
            self._row_of[key] = len(self._files)
            self._files.append(self._store(picture) if isinstance(picture, bytes) else picture)
            self._captions.append([])
        return self._row_of[key]

    def _store(self, content: bytes) -> str:
        file = f"{self._name(len(self._files))}.{_format(content)}"
        with replacing(self._folder / file) as temporary:
            temporary.write_bytes(content)
        return file

    def _own(self, row: int, text: str) -> None:
        self._captions[row].append(Caption(f"{self._name(row)}#{len(self._captions[row])}", text))

    def _rate(self, place: str, row: int, text: str, number: Any) -> None:
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise InputError(f"{place}: the score is {number!r}, not a number")
        self._scores.setdefault(text, {}).setdefault(row, []).append(number)

    def _name(self, row: int) -> str:
        return f"{self._split}-{row}"


def _format(content: bytes) -> str:
    """The suffix of a picture's format; a broken one is kept for `bcls data check` to name."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return str(picture.format).lower()
    except Exception:  # a decoder raises nearly every kind
        return "broken"
