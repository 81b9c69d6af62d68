"""Images and captions of a data set as records of an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from bcls.data import ImageRecord
from bcls.ids import CAPTION_PREFIX, MAX_TEXT_BYTES
from bcls.search import FieldType

Row: TypeAlias = tuple[str, dict[str, str]]
"""A record's id and fields."""

FIELDS: dict[str, FieldType] = {"kind": "str", "image": "str", "file": "str", "split": "str", "text": "str"}
CAPTION = CAPTION_PREFIX


def image_row(image: ImageRecord) -> Row:
    """An image: its id is the record's; its text is its captions, one a line, as many as fit."""
    return image.id, _fields("image", image, _lines_that_fit([caption.text for caption in image.captions]))


def caption_rows(image: ImageRecord) -> Iterator[Row]:
    """An image's captions, empty ones left out: a record's id is `caption:` and the caption's."""
    for caption in image.captions:
        if caption.text.strip():
            yield CAPTION + caption.id, _fields("caption", image, _lines_that_fit([caption.text]))


def storable_text(text: str) -> str:
    r"""A text as an index can keep it: U+0000 becomes U+FFFD, and what is beyond 65,535 bytes of UTF-8 is cut off.

    Example:
        >>> storable_text("dog\0house")
        'dog\ufffdhouse'
    """
    text = text.replace("\0", "\ufffd")
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= MAX_TEXT_BYTES else encoded[:MAX_TEXT_BYTES].decode("utf-8", "ignore")


def _fields(kind: str, image: ImageRecord, text: str) -> dict[str, str]:
    return {"kind": kind, "image": image.id, "file": image.file or "", "split": image.split, "text": text}


def _lines_that_fit(lines: list[str]) -> str:
    kept, size = [], -1  # no line break stands before the first
    for line in map(storable_text, lines):
        size += len(line.encode("utf-8", "replace")) + 1
        if size > MAX_TEXT_BYTES:
            break
        kept.append(line)
    return "\n".join(kept)
