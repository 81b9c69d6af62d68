"""What a pretrained encoder makes of pictures, computed once and kept as features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from bcls.data import RetrievalDataset
from bcls.data.feature_writer import FeatureWriter
from bcls.data.features import FeatureStore
from bcls.embedding.images import BLOCK, PictureReader
from bcls.embedding.shards import Broken
from bcls.errors import InputError
from bcls.files import hash_of
from bcls.models import PretrainedImageTower
from bcls.models.device import to_device
from bcls.models.pretrained.pictures import blank
from bcls.progress import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger("bcls")

Kind = Literal["pooled", "mean", "patches"]
POOLING: dict[Kind, Literal["own", "mean", "gpo"]] = {"pooled": "own", "mean": "mean", "patches": "gpo"}


@dataclass(frozen=True)
class FeatureResult:
    """What computing features came to.

    Attributes:
        store: the features.
        made: how many shards were made now.
        kept: how many were there already.
        broken: images whose picture cannot be read; they have no features.
    """

    store: FeatureStore
    made: int
    kept: int
    broken: list[Broken]


def compute_features(
    dataset: RetrievalDataset,
    model: str,
    folder: Path,
    *,
    kind: Kind = "pooled",
    workers: int = 4,
    shard_images: int = 1024,
    device: torch.device | str = "cpu",
) -> FeatureResult:
    """Encode all pictures of a data set into a feature store, by shards that survive an interruption.

    Args:
        dataset: has pictures.
        model: a pretrained model in a local folder, or a hub id.
        folder: where the features go.
        kind: the model's own vector of a picture (`pooled`), the `mean` of its patches, or all `patches`.
        workers: threads that read and prepare pictures.
        shard_images: images in a shard.
        device: where the model runs.

    Raises:
        InputError: no such model, no pictures, or features that are there or were begun from something else.
    """
    if kind not in POOLING:
        raise InputError(f"kind is {kind!r}; it must be one of {', '.join(POOLING)}")
    if workers < 1 or shard_images < 1:
        raise InputError(f"workers is {workers}, shard_images {shard_images}; both are at least 1")
    if dataset.image_folder is None or not dataset.images:
        raise InputError(f"{dataset.name}: has no pictures to compute features of")
    tower = PretrainedImageTower(model=model, dim=1, pooling=POOLING[kind], trained="nothing")
    tower.fit([blank()])
    files = [f"{image.id}\n{image.file}" for image in dataset.images]
    about = {
        **tower.about_features(),
        "model": Path(model).name,
        "images": hash_of(files),
        "shard_images": shard_images,
    }
    writer = FeatureWriter(folder, about)
    reader = PictureReader(dataset, tower.prepare, workers)
    encoder = _Encoder(to_device(tower, device).eval(), dataset, reader, torch.device(device))
    return _run(encoder, writer, shard_images)


@dataclass(frozen=True)
class _Encoder:
    tower: PretrainedImageTower
    dataset: RetrievalDataset
    reader: PictureReader
    device: torch.device

    def __call__(self, rows: Sequence[int], description: str) -> tuple[list[str], NDArray[np.float16], list[Broken]]:
        """Ids and features of the pictures that can be read, and those that cannot."""
        ids: list[str] = []
        broken: list[Broken] = []
        features: list[NDArray[np.float16]] = []
        total = -(-len(rows) // BLOCK)
        with torch.inference_mode():
            for block in progress(self.reader.blocks(rows), description, total=total, unit=f" x {BLOCK} pictures"):
                broken += block.broken
                ids += [self.dataset.images[row].id for row in block.rows]
                if block.rows:
                    features.append(self.tower.encode(block.images.to(self.device)).half().cpu().numpy())
        return ids, np.concatenate(features) if features else np.zeros((0, 1), np.float16), broken


def _run(encoder: _Encoder, writer: FeatureWriter, size: int) -> FeatureResult:
    images = encoder.dataset.images
    blocks = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
    broken: list[Broken] = []
    made = 0
    for number, rows in enumerate(blocks):
        there = writer.ids(number)
        unread = [row for row in rows if there is not None and images[row].id not in set(there)]
        if there is not None and not any(encoder.reader.readable(row) for row in unread):
            broken += [found for found in map(encoder.reader.broken, unread) if found is not None]
            continue
        ids, features, faults = encoder(rows, f"shard {number + 1} of {len(blocks)}")
        writer.write(number, ids, features)
        broken += faults
        made += 1
        logger.info("shard %d of %d: %d pictures, %d broken", number + 1, len(blocks), len(ids), len(faults))
    return FeatureResult(writer.finish(len(blocks)), made, len(blocks) - made, broken)
