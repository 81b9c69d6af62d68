"""Images as a model takes them, read ahead by several workers; what cannot be read is told, never fatal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from PIL import Image

from bcls.data import RetrievalDataset
from bcls.embedding.shards import Broken
from bcls.errors import InputError
from bcls.models import RetrievalModel
from bcls.pictures import open_picture
from bcls.search.blocks import blocks

BLOCK = 64
Prepare: TypeAlias = Callable[[Sequence[Image.Image]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class ImageBlock:
    """A few images.

    Attributes:
        rows: those that could be read.
        images: they, as the image tower takes them.
        broken: those that could not.
    """

    rows: list[int]
    images: torch.Tensor
    broken: list[Broken]


class ImageReader(Protocol):
    """Gives images in blocks."""

    def blocks(self, rows: Sequence[int]) -> Iterator[ImageBlock]:
        """The images at `rows`, `BLOCK` at a time, in order."""
        ...

    def readable(self, row: int) -> bool:
        """Whether an image can be read now."""
        ...


def image_reader(dataset: RetrievalDataset, features: str | None, model: RetrievalModel, workers: int) -> ImageReader:
    """The images of a data set for a model.

    Raises:
        InputError: the tower takes pictures and features were named, or the other way round.
    """
    prepare = getattr(model.image_tower, "prepare", None)
    if features is None and prepare is None:
        known = ", ".join(sorted(dataset.features)) or "none"
        raise InputError(
            f"{type(model.image_tower).__name__} takes features, not pictures: name them with --features ({known} are "
            f"in {dataset.name})"
        )
    if features is not None and not model.image_tower.takes_features:
        raise InputError(f"{type(model.image_tower).__name__} takes pictures: leave --features out")
    if features is not None:
        reader = FeatureReader(dataset, features)
        model.image_tower.require_features(dataset.features[features].about)
        return reader
    assert prepare is not None
    return PictureReader(dataset, prepare, workers)


class PictureReader:
    """Picture files, decoded on several threads while the model works.

    Args:
        dataset: whose pictures.
        prepare: the image tower's own: opened pictures into one tensor, first axis = pictures.
        workers: how many threads.
    """

    def __init__(self, dataset: RetrievalDataset, prepare: Prepare, workers: int) -> None:
        self._dataset = dataset
        self._prepare = prepare
        self._pool = ThreadPoolExecutor(workers)

    def blocks(self, rows: Sequence[int]) -> Iterator[ImageBlock]:
        """All files are handed to the workers at once; blocks come in order as they are done."""
        reading = deque(self._pool.submit(self._read, row) for row in rows)
        try:
            for block in blocks(rows, BLOCK):
                read = {row: reading.popleft().result() for row in block}
                good = {row: picture for row, picture in read.items() if not isinstance(picture, Broken)}
                pictures = torch.stack(list(good.values())) if good else torch.zeros(0)
                yield ImageBlock(list(good), pictures, [one for one in read.values() if isinstance(one, Broken)])
        finally:  # whoever interrupts does not wait for the files that are left
            for one in reading:
                one.cancel()

    def readable(self, row: int) -> bool:
        """Whether the file is a picture now."""
        return self.broken(row) is None

    def broken(self, row: int) -> Broken | None:
        """What is wrong with a file; None = nothing."""
        read = self._read(row)
        return read if isinstance(read, Broken) else None

    def _read(self, row: int) -> torch.Tensor | Broken:
        try:
            return self._prepare([open_picture(self._dataset.image_path(row))])[0]
        except Exception as error:  # whatever a decoder stumbles over, the other files go on
            image = self._dataset.images[row]
            why = str(error).split("; run `bcls data check DATA`")[0]
            return Broken(image.id, image.file or "", why or type(error).__name__)


class FeatureReader:
    """Precomputed features.

    Args:
        dataset: whose features.
        name: of the features.

    Raises:
        InputError: there are no features of that name.
    """

    def __init__(self, dataset: RetrievalDataset, name: str) -> None:
        if name not in dataset.features:
            known = ", ".join(sorted(dataset.features)) or "none"
            raise InputError(f"{dataset.name}: no features {name!r}; there are: {known}")
        self._dataset, self._name, self._store = dataset, name, dataset.features[name]

    def blocks(self, rows: Sequence[int]) -> Iterator[ImageBlock]:
        """Blocks in order; an image without finite features is told."""
        for block in blocks(rows, BLOCK):
            ids = [self._dataset.images[row].id for row in block]
            missing = set(self._store.missing(ids))
            there = [row for row, name in zip(block, ids, strict=True) if name not in missing]
            found = self._store.gather(self._store.rows([self._dataset.images[row].id for row in there]))
            finite = np.isfinite(found).all(axis=tuple(range(1, found.ndim)))
            good = [row for row, fine in zip(there, finite, strict=True) if fine]
            broken = [self._broken(row, row in there) for row in block if row not in good]
            yield ImageBlock(good, torch.from_numpy(np.ascontiguousarray(found[finite])), broken)

    def readable(self, row: int) -> bool:
        """Whether the image has finite features now."""
        return bool(next(self.blocks([row])).rows)

    def _broken(self, row: int, there: bool) -> Broken:
        image = self._dataset.images[row]
        why = "not finite" if there else "no row"
        return Broken(image.id, image.file or "", f"{why} in the features {self._name}")
