"""Embeddings on disk: `embeddings.json` tells of what, `shards/N.safetensors` hold vectors and records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from bcls.embedding.records import Row
from bcls.errors import InputError
from bcls.files import read_json, replacing, write_json
from bcls.search.records import Vectors

FORMAT = 1
NAME = "embeddings.json"


@dataclass(frozen=True)
class Broken:
    """An image that could not be embedded, and why; its captions are left out with it."""

    id: str
    file: str
    why: str


@dataclass(frozen=True, eq=False)
class Shard:
    """The embeddings of a run of images and their captions.

    Attributes:
        rows: ids and fields.
        vectors: (rows, dim) of length 1.
        broken: what could not be embedded.
    """

    rows: list[Row]
    vectors: Vectors
    broken: list[Broken]


@dataclass(frozen=True)
class EmbeddingsInfo:
    """What a folder of embeddings was made of; all shards agree on it.

    Attributes:
        model: fingerprint of the model.
        model_path: where it was.
        data: path of the data set.
        data_hash: of its records and the names of their files.
        features: name of the features that the image tower took; None = pictures.
        dim: of the vectors.
        images: how many there are to embed.
        shard_images: how many of them a shard takes.
    """

    model: str
    model_path: str
    data: str
    data_hash: str
    features: str | None
    dim: int
    images: int
    shard_images: int

    @property
    def shards(self) -> int:
        """How many shards make the whole."""
        return -(-self.images // self.shard_images)


class Embeddings:
    """A folder of embeddings.

    Args:
        folder: where.
        info: what of.
    """

    def __init__(self, folder: Path, info: EmbeddingsInfo) -> None:
        self.folder = folder
        self.info = info

    @classmethod
    def open(cls, folder: str | Path) -> Embeddings:
        """Embeddings that are there.

        Raises:
            InputError: none are, or their description is damaged.
        """
        file = Path(folder) / NAME
        if not file.is_file():
            raise InputError(f"{folder}: no embeddings are there (no {NAME}); `bcls embed` makes them")
        content = read_json(file)
        try:
            if content.pop("format") != FORMAT:
                raise ValueError(f"format {FORMAT} expected")
            info = EmbeddingsInfo(**content)
            if info.shard_images < 1 or info.dim < 1 or info.images < 0:
                raise ValueError("sizes below 1")
            return cls(Path(folder), info)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{file}: not a description of embeddings ({error})") from None

    @classmethod
    def claim(cls, folder: Path, info: EmbeddingsInfo) -> Embeddings:
        """The folder for these embeddings, new or begun before.

        Raises:
            InputError: it was begun with another model, data or setting.
        """
        if not (folder / NAME).exists():
            write_json(folder / NAME, {"format": FORMAT, **asdict(info)})
            return cls(folder, info)
        begun = cls.open(folder)
        for name, value in asdict(info).items():
            known = getattr(begun.info, name)
            if known != value and not name.endswith("path"):
                raise InputError(f"{folder}: was begun with {name} {known}, not {value}: choose another folder")
        return begun

    def file(self, number: int) -> Path:
        """A shard's file."""
        return self.folder / "shards" / f"{number:06d}.safetensors"

    def write(self, number: int, shard: Shard) -> None:
        """Write a shard, whole or not at all."""
        text = json.dumps({"rows": shard.rows, "broken": [asdict(one) for one in shard.broken]}, ensure_ascii=False)
        about = {"shard": text, "sha256": _digest(text, shard.vectors)}
        with replacing(self.file(number)) as temporary:
            save_file({"vectors": np.ascontiguousarray(shard.vectors)}, temporary, about)

    def read(self, number: int) -> Shard:
        """Read a shard.

        Raises:
            InputError: it is missing, or not what was written; the message says what to do.
        """
        file = self.file(number)
        try:
            with safe_open(file, "np") as opened:
                about, vectors = opened.metadata(), opened.get_tensor("vectors")
            if _digest(about["shard"], vectors) != about["sha256"]:
                raise ValueError("its content has changed")
            told: dict[str, Any] = json.loads(about["shard"])
            rows = [(name, fields) for name, fields in told["rows"]]
            return Shard(rows, vectors, [Broken(**one) for one in told["broken"]])
        except FileNotFoundError:
            raise InputError(f"{file}: is missing: `bcls embed` was not finished; run it again") from None
        except Exception as error:  # safetensors and json raise several kinds without a common base
            raise InputError(f"{file}: damaged ({error}); run `bcls embed` again, which makes it anew") from None

    def read_all(self) -> Iterator[Shard]:
        """Every shard in order.

        Raises:
            InputError: one is missing or damaged.
        """
        for number in range(self.info.shards):
            yield self.read(number)


def _digest(text: str, vectors: Vectors) -> str:
    digest = hashlib.sha256(text.encode("utf-8"))
    digest.update(np.ascontiguousarray(vectors).tobytes())
    return digest.hexdigest()
