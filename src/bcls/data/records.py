"""What a data set is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and its id."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image: its id, its file below the image folder (None = features alone), its split, its captions."""

    id: str
    file: str | None
    split: str
    captions: tuple[Caption, ...]
