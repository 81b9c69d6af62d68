"""Queries into the space of an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image

from bcls.embedding.fill import require_model
from bcls.errors import InputError
from bcls.models import RetrievalModel, fingerprint
from bcls.search import Index
from bcls.search.records import Vectors


class QueryEncoder:
    """The model of an index, for words and pictures.

    Args:
        model: in evaluation mode.
        model_hash: its fingerprint.

    Example:
        >>> from bcls.models import BagOfWordsTower, ConvTower
        >>> towers = ConvTower(dim=8, channels=(8,), image_size=16), BagOfWordsTower(dim=8, minimum_count=1)
        >>> towers[0].fit([Image.new("RGB", (9, 9))])
        >>> towers[1].fit(["a dog"])
        >>> encoder = QueryEncoder(RetrievalModel(*towers).eval(), "hash")
        >>> encoder.texts(["a dog"]).shape, encoder.pictures([Image.new("RGB", (9, 9))]).shape
        ((1, 8), (1, 8))
    """

    def __init__(self, model: RetrievalModel, model_hash: str) -> None:
        model.require_vectors()
        self.model = model
        self.hash = model_hash

    @classmethod
    def for_index(
        cls, index: Index, model_path: str | Path | None = None, *, device: torch.device | str = "cpu"
    ) -> QueryEncoder:
        """The model that made an index.

        Args:
            index: the index.
            model_path: where the model is; None = where it was when the index was made.
            device: where it runs.

        Raises:
            InputError: it is not there, or another model is.
        """
        path = model_path or index.info().about.get("model_path")
        if not path:
            raise InputError("the index does not tell where its model is: name it with --model")
        if model_path is None and not Path(path).exists() and Path(path).is_absolute():  # a hub id is not
            raise InputError(f"{path}: the model that made the index is not there any more: name it with --model")
        encoder = cls(RetrievalModel.from_pretrained(path, device=device), fingerprint(path))
        require_model(index, encoder.hash, encoder.model.image_tower.dim, str(path))
        return encoder

    @property
    def takes_pictures(self) -> bool:
        """Whether the image tower takes pictures; else it takes features that somebody else has computed."""
        return hasattr(self.model.image_tower, "prepare")

    def texts(self, texts: Sequence[str]) -> Vectors:
        """(texts, dim) of length 1."""
        with torch.inference_mode():
            return _array(self.model.encode_text(texts))

    def pictures(self, pictures: Sequence[Image.Image]) -> Vectors:
        """(pictures, dim) of length 1.

        Raises:
            InputError: the model takes features, not pictures.
        """
        with torch.inference_mode():
            return _array(self.model.encode_image(pictures))


def _array(vectors: torch.Tensor) -> Vectors:
    return cast(Vectors, np.asarray(vectors.float().cpu().numpy(), dtype=np.float32))
