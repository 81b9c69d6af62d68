"""The model: an image tower and a caption tower that meet in one space, and what compares them there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.device import to_device
from bcls.models.pooled_features import refuse_masked
from bcls.models.similarity import Cosine, Similarity
from bcls.models.storage import find_model, load_model, save_model
from bcls.models.towers import CaptionBatch, CaptionTower, ImageTower, Tower
from bcls.precision import unit_rows
from bcls.text import to_texts

if TYPE_CHECKING:
    from bcls.models.card import ModelCard

Images = Tensor | np.ndarray[Any, Any] | Sequence[Image.Image]


class RetrievalModel(nn.Module):
    """Embeds images and captions in one space and compares them there.

    With the cosine an embedding is one vector. A similarity of sets, such as cross attention, compares the regions of
    an image with the words of a caption: then an embedding is all of these, see `Similarity`.

    Args:
        image_tower: turns images into vectors.
        caption_tower: turns captions into vectors of the same size.
        similarity: compares the embeddings, `model.similarity(images, captions)`; None = their cosine.

    Raises:
        InputError: sizes differ, or a tower has no sets for a similarity that needs them.

    Example:
        >>> from bcls.models import BagOfWordsTower, PooledFeatureTower
        >>> model = RetrievalModel(PooledFeatureTower(dim=8), BagOfWordsTower(dim=8, minimum_count=1))
        >>> model.image_tower.fit(np.random.default_rng(0).normal(size=(10, 6)))
        >>> model.caption_tower.fit(["a dog", "a cat"])
        >>> model(torch.randn(3, 6), ["a dog", "a cat"]).shape
        torch.Size([3, 2])
    """

    def __init__(
        self, image_tower: ImageTower, caption_tower: CaptionTower, similarity: Similarity | None = None
    ) -> None:
        super().__init__()
        if image_tower.dim != caption_tower.dim:
            raise InputError(
                f"the image tower's dim is {image_tower.dim}, the caption tower's {caption_tower.dim}: they must agree"
            )
        self.image_tower = image_tower
        self.caption_tower = caption_tower
        self.similarity = Cosine() if similarity is None else similarity
        self._check_similarity()

    def encode_image(self, images: Images) -> Tensor:
        """Images -> (images, dim), each of length 1; (images, regions, dim) for a similarity of sets.

        Args:
            images: what the image tower takes: features as a tensor or array, prepared pictures as a tensor, or opened
                pictures.

        Raises:
            InputError: an unfitted tower, something else than that, or another shape than the tower takes.
        """
        self.image_tower.require_fitted()
        if isinstance(images, (str, Path, Image.Image)):
            raise InputError("encode_image takes a list of opened pictures, not a single one: put it in a list")
        if not len(images):
            return self._no_embeddings(self.image_tower)
        return self._embed(self.image_tower, self._prepare(images))

    def encode_text(self, captions: Sequence[str] | CaptionBatch) -> Tensor:
        """Captions, as strings or tokenized -> (captions, dim), each of length 1; (captions, words, dim) for sets.

        Raises:
            InputError: an unfitted tower, or captions that are no strings.
        """
        self.caption_tower.require_fitted()
        if not len(captions):
            return self._no_embeddings(self.caption_tower)
        return self._embed(self.caption_tower, self._tokenized(captions).to(_device(self.caption_tower)))

    def forward(self, images: Images, captions: Sequence[str] | CaptionBatch) -> Tensor:
        """The (images, captions) similarity matrix."""
        return torch.as_tensor(self.similarity(self.encode_image(images), self.encode_text(captions)))

    def require_vectors(self) -> None:
        """Raise `InputError` where an embedding is a set of vectors: an index of vectors cannot hold it."""
        if self.similarity.takes_sets:
            raise InputError(
                f"{type(self.similarity).__name__} compares sets of vectors, so that this model has no one vector for "
                "an image: take a model of the cosine, and let this one re-rank what that finds"
            )

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
                Or no such device.
        """
        folder = find_model(path_or_hub_id)
        image_tower, caption_tower, similarity, state = load_model(folder)
        try:
            model = cls(image_tower, caption_tower, similarity)
        except InputError as error:
            raise InputError(f"{folder / 'config.json'}: {error}") from None
        problems = model.load_state_dict(state, strict=False)
        if problems.missing_keys or problems.unexpected_keys:
            raise InputError(
                f"{path_or_hub_id}: model.safetensors does not fit config.json: missing {problems.missing_keys[:3]}, "
                f"unexpected {problems.unexpected_keys[:3]}"
            )
        return to_device(model, device).eval()

    def push_to_hub(self, repo_id: str, *, card: ModelCard | None = None, private: bool = False) -> str:
        """Upload the model with its card to the hub and return its address; needs huggingface_hub and a login.

        Args:
            repo_id: `owner/name`.
            card: what strangers must know, e.g. `card_of_run(folder)`; None = a card that says how little is stated.
            private: whether only the owner may see it.
        """
        from bcls.models.card import ModelCard  # noqa: PLC0415
        from bcls.models.storage import upload_model  # noqa: PLC0415

        return upload_model(self, repo_id, (card or ModelCard()).text(self, repo_id), private=private)

    def _check_similarity(self) -> None:
        name, dim = type(self.similarity).__name__, self.similarity.dim
        if dim not in {None, self.image_tower.dim}:
            raise InputError(f"the similarity's dim is {dim}, the towers' {self.image_tower.dim}: they must agree")
        for tower in (self.image_tower, self.caption_tower):
            if self.similarity.takes_sets and not tower.gives_sets:
                raise InputError(f"{name} compares sets of vectors, but {type(tower).__name__} gives one vector each")

    def _embed(self, tower: Tower, inputs: Any) -> Tensor:
        vectors: Tensor = tower.members(inputs) if self.similarity.takes_sets else tower(inputs)
        return unit_rows(vectors.float())

    def _no_embeddings(self, tower: Tower) -> Tensor:
        shape = (0, 1, tower.dim) if self.similarity.takes_sets else (0, tower.dim)
        return torch.zeros(shape, device=_device(tower))

    def _tokenized(self, captions: Sequence[str] | CaptionBatch) -> CaptionBatch:
        if hasattr(captions, "select"):
            return cast(CaptionBatch, captions)
        return self.caption_tower.tokenize(to_texts(captions, "captions of encode_text"))

    def _prepare(self, images: Images) -> Tensor:
        if isinstance(images, np.ndarray):
            if images.dtype.kind not in "fiu":
                raise InputError(f"encode_image takes features of numbers, not an array of {images.dtype}")
            images = torch.from_numpy(_for_torch(images))
        elif not isinstance(images, Tensor):
            prepare = getattr(self.image_tower, "prepare", None)
            if prepare is None:
                raise InputError(f"{type(self.image_tower).__name__} takes features, not pictures")
            for picture in images:
                if not isinstance(picture, Image.Image):
                    raise InputError(
                        f"encode_image takes opened pictures, not {type(picture).__name__}: open a file by "
                        "bcls.pictures.open_picture"
                    )
            images = prepare(images)
        assert isinstance(images, Tensor)
        return images.to(_device(self.image_tower))


def _for_torch(features: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Features as torch takes them: of this machine's byte order, no wider than double, writable, forward strides."""
    refuse_masked(features)
    if features.dtype.itemsize > 8 or not features.dtype.isnative:
        features = features.astype(f"{features.dtype.kind}{min(features.dtype.itemsize, 8)}")
    return features if features.flags.writeable and min(features.strides, default=0) >= 0 else features.copy()


def _device(tower: Tower) -> torch.device:
    return next(tower.parameters()).device
