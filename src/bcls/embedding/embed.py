"""A model and a data set into shards of embeddings."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from bcls.data import RetrievalDataset
from bcls.embedding.collection import open_collection
from bcls.embedding.images import BLOCK, ImageReader, image_reader
from bcls.embedding.records import caption_rows, image_row, storable_text
from bcls.embedding.shards import Broken, Embeddings, EmbeddingsInfo, Shard
from bcls.errors import InputError
from bcls.files import hash_of
from bcls.models import RetrievalModel, fingerprint
from bcls.progress import progress
from bcls.search.blocks import blocks

logger = logging.getLogger("bcls")

BLOCK_CAPTIONS = 256


@dataclass(frozen=True)
class EmbedResult:
    """What embedding came to.

    Attributes:
        embeddings: all of them.
        made: how many shards were made now.
        kept: how many were there already.
        broken: images that could not be embedded, of all shards of this part.
    """

    embeddings: Embeddings
    made: int
    kept: int
    broken: list[Broken]


def embed(
    model_path: str | Path,
    data: str | Path,
    output: Path,
    *,
    split: str | None = None,
    features: str | None = None,
    workers: int = 4,
    shard_images: int = 1024,
    part: tuple[int, int] = (1, 1),
    device: torch.device | str = "cpu",
) -> EmbedResult:
    """Embed all images and captions of a data set into the shards of a folder.

    A shard is written when it is done, so that a run cut short goes on behind the last one; a damaged shard, and one
    with broken files of which one can be read now, is made anew.

    Args:
        model_path: a saved model's folder, or a hub id.
        data: a data set, or a folder of pictures.
        output: the folder of the shards.
        split: only this split, or several joined by `+`; None = everything.
        features: name of the features that the model's image tower takes; None = pictures.
        workers: threads that decode pictures.
        shard_images: images in a shard, their captions with them.
        part: (i, n): only every n-th shard, from the i-th: so that n processes or machines share the work.
        device: where the model runs.

    Raises:
        InputError: model, data, split or features do not fit, or the folder was begun with others.
    """
    if not 1 <= part[0] <= part[1]:
        raise InputError(f"part is {part[0]} of {part[1]}; parts of n are numbered 1 to n")
    if workers < 1 or shard_images < 1:
        raise InputError(f"workers is {workers}, shard_images {shard_images}; both are at least 1")
    model = RetrievalModel.from_pretrained(model_path, device=device)
    model.require_vectors()
    dataset = open_collection(data)
    if split is not None:
        dataset = dataset.split(split)
    _warn_of_changed(dataset)
    info = EmbeddingsInfo(
        model=fingerprint(model_path),
        model_path=_absolute(model_path),
        data=_absolute(data),
        data_hash=_data_hash(dataset, features),
        features=features,
        dim=model.image_tower.dim,
        images=len(dataset.images),
        shard_images=shard_images,
    )
    reader = image_reader(dataset, features, model, workers)
    return _Embedder(model, dataset, reader, Embeddings.claim(output, info)).run(part)


def _data_hash(dataset: RetrievalDataset, features: str | None) -> str:
    """Of what is embedded: ids, texts, file names, and the features where they stand for the images."""
    parts = [dataset.content_hash(), *(image.file or "" for image in dataset.images)]
    if features is not None and features in dataset.features:
        parts.append(dataset.features[features].fingerprint())
    return hash_of(parts)


def _warn_of_changed(dataset: RetrievalDataset) -> None:
    """Say which captions are not embedded and stored as they are."""
    captions = (caption for image in dataset.images for caption in image.captions)
    changed = [caption.id for caption in captions if storable_text(caption.text) != caption.text]
    if changed:
        logger.warning(
            "%d captions are embedded and stored changed, e.g. %s: U+0000 becomes U+FFFD, and what is beyond 65,535 "
            "bytes is cut off, because no index stores it",
            len(changed),
            changed[0],
        )


def _absolute(path: str | Path) -> str:
    return str(Path(path).resolve()) if Path(path).exists() else str(path)


@dataclass(frozen=True)
class _Embedder:
    model: RetrievalModel
    dataset: RetrievalDataset
    reader: ImageReader
    embeddings: Embeddings

    def run(self, part: tuple[int, int]) -> EmbedResult:
        numbers = range(part[0] - 1, self.embeddings.info.shards, part[1])
        kept = {number: broken for number in numbers if (broken := self._finished(number)) is not None}
        todo = [number for number in numbers if number not in kept]
        found = [one for of_shard in kept.values() for one in of_shard]
        start, images = time.monotonic(), 0
        for done, number in enumerate(todo, start=1):
            shard = self._shard(number, f"shard {done} of {len(todo)}")
            self.embeddings.write(number, shard)
            found += shard.broken
            images += len(self._rows(number))
            _tell(done, len(todo), images, time.monotonic() - start)
        return EmbedResult(self.embeddings, len(todo), len(kept), found)

    def _rows(self, number: int) -> range:
        size = self.embeddings.info.shard_images
        return range(number * size, min((number + 1) * size, len(self.dataset.images)))

    def _finished(self, number: int) -> list[Broken] | None:
        """The broken files of a shard that is there, whole, and as good as it can be now."""
        if not self.embeddings.file(number).exists():
            return None
        try:
            broken = self.embeddings.read(number).broken
        except InputError as error:
            logger.warning("%s", error)
            return None
        ids = {one.id for one in broken}
        again = [row for row in self._rows(number) if self.dataset.images[row].id in ids and self.reader.readable(row)]
        return None if again else broken

    def _shard(self, number: int, description: str) -> Shard:
        rows = self._rows(number)
        total = -(-len(rows) // BLOCK)
        readable: list[int] = []
        broken: list[Broken] = []
        vectors = [torch.zeros(0, self.embeddings.info.dim)]
        with torch.inference_mode():
            for block in progress(self.reader.blocks(rows), description, total=total, unit=f" x {BLOCK} images"):
                readable += block.rows
                broken += block.broken
                if block.rows:
                    vectors.append(self.model.encode_image(block.images).float().cpu())
            images = [self.dataset.images[row] for row in readable]
            captions = [row for image in images for row in caption_rows(image)]
            for part in blocks(captions, BLOCK_CAPTIONS):
                vectors.append(self.model.encode_text([fields["text"] for _, fields in part]).float().cpu())  # noqa: PERF401
        return Shard([*map(image_row, images), *captions], torch.cat(vectors).numpy(), broken)


def _tell(done: int, shards: int, images: int, seconds: float) -> None:
    left = seconds / done * (shards - done)
    logger.info("shard %d of %d: %.0f images/s, %.0f s left", done, shards, images / max(seconds, 1e-9), left)
