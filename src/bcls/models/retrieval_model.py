"""The model: an image tower and a caption tower that meet in one space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.storage import find_model, load_model, save_model
from bcls.models.towers import CaptionBatch, CaptionTower, ImageTower, Tower

Images = Tensor | np.ndarray[Any, Any] | Sequence[Image.Image]


class RetrievalModel(nn.Module):
    """Embeds images and captions in one space and compares them by cosine.

    Args:
        image_tower: turns images into vectors.
        caption_tower: turns captions into vectors of the same size.

    Raises:
        InputError: the towers' sizes differ.

    Example:
        >>> from bcls.models import BagOfWordsTower, PooledFeatureTower
        >>> model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
        >>> model.image_tower.fit(np.random.default_rng(0).normal(size=(10, 6)))
        >>> model.caption_tower.fit(["a dog", "a cat"])
        >>> model(torch.randn(3, 6), ["a dog", "a cat"]).shape
        torch.Size([3, 2])
    """

    def __init__(self, image_tower: ImageTower, caption_tower: CaptionTower) -> None:
        super().__init__()
        if image_tower.dim != caption_tower.dim:
            raise InputError(
                f"the image tower's dim is {image_tower.dim}, the caption tower's {caption_tower.dim}: they must agree"
            )
        self.image_tower = image_tower
        self.caption_tower = caption_tower

    def encode_image(self, images: Images) -> Tensor:
        """Images -> (images, dim), each of length 1.

        Args:
            images: what the image tower takes: features as a tensor or array, prepared pictures as a tensor, or opened
                pictures.
        """
        self.image_tower.require_fitted()
        if not len(images):
            return _no_vectors(self.image_tower)
        return F.normalize(self.image_tower(self._prepare(images)).float(), dim=1)

    def encode_text(self, captions: Sequence[str] | CaptionBatch) -> Tensor:
        """Captions, as strings or tokenized -> (captions, dim), each of length 1."""
        self.caption_tower.require_fitted()
        if not len(captions):
            return _no_vectors(self.caption_tower)
        batch = self._tokenized(captions)
        return F.normalize(self.caption_tower(batch.to(_device(self.caption_tower))).float(), dim=1)

    def similarity(self, image_embeddings: Tensor, caption_embeddings: Tensor) -> Tensor:
        """(images, dim), (captions, dim) -> (images, captions) cosines."""
        return image_embeddings @ caption_embeddings.T

    def forward(self, images: Images, captions: Sequence[str] | CaptionBatch) -> Tensor:
        """The (images, captions) similarity matrix."""
        return self.similarity(self.encode_image(images), self.encode_text(captions))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder; a model that stands there is replaced whole.

        Raises:
            InputError: a tower is unfitted or not one of this package, or something other than a model is there.
        """
        save_model(self, Path(folder))

    @classmethod
    def from_pretrained(cls, path_or_hub_id: str | Path, *, device: torch.device | str = "cpu") -> Self:
        """A saved model, in evaluation mode.

        Args:
            path_or_hub_id: a folder of `save_pretrained`, or a hub id (`owner/name`), which is downloaded.
            device: where the model goes.

        Raises:
            InputError: no such folder, or its files are damaged, foreign, or of another shape; the message says which.
        """
        image_tower, caption_tower, state = load_model(find_model(path_or_hub_id))
        model = cls(image_tower, caption_tower)
        problems = model.load_state_dict(state, strict=False)
        if problems.missing_keys or problems.unexpected_keys:
            raise InputError(
                f"{path_or_hub_id}: model.safetensors does not fit config.json: missing {problems.missing_keys[:3]}, "
                f"unexpected {problems.unexpected_keys[:3]}"
            )
        return model.to(device).eval()

    def push_to_hub(self, repo_id: str, *, private: bool = False) -> str:
        """Upload the model to the hub and return its address; needs huggingface_hub and a login."""
        from bcls.models.storage import upload_model  # noqa: PLC0415

        return upload_model(self, repo_id, private=private)

    def _tokenized(self, captions: Sequence[str] | CaptionBatch) -> CaptionBatch:
        if hasattr(captions, "select"):
            return cast(CaptionBatch, captions)
        return self.caption_tower.tokenize(_strings(captions))

    def _prepare(self, images: Images) -> Tensor:
        if isinstance(images, np.ndarray):
            images = torch.from_numpy(images)
        elif not isinstance(images, Tensor):
            prepare = getattr(self.image_tower, "prepare", None)
            if prepare is None:
                raise InputError(f"{type(self.image_tower).__name__} takes features, not pictures")
            images = prepare(images)
        assert isinstance(images, Tensor)
        return images.to(_device(self.image_tower))


def _device(tower: Tower) -> torch.device:
    return next(tower.parameters()).device


def _no_vectors(tower: Tower) -> Tensor:
    return torch.zeros(0, tower.dim, device=_device(tower))


def _strings(captions: object) -> list[str]:
    if isinstance(captions, str):
        raise InputError("encode_text takes a list of captions, not one string: put it in a list")
    assert isinstance(captions, Sequence)
    return list(captions)
