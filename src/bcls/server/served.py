"""What a server is told to serve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bcls.server.embedder import Embedder


@dataclass(frozen=True)
class Served:
    """A model and an index to serve.

    Attributes:
        name: as requests and the page call them together.
        embedder: the model.
        model: its hash, as the index keeps it.
        index: its place, as `open_index` takes it.
        pictures: the folder that the index's `file` fields are relative to; None = no pictures are shown.
        uploads: where images that are added are kept; None = none can be added.
        uploads_chosen: whether a person named that folder; one that follows from the index's place was not.
    """

    name: str
    embedder: Embedder
    model: str
    index: str
    pictures: Path | None = None
    uploads: Path | None = None
    uploads_chosen: bool = False
