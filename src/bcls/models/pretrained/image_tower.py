"""An image tower around a pretrained vision encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.models.gpo import make_pooling
from bcls.models.pretrained.encoders import Half, picture_patches, picture_vectors
from bcls.models.pretrained.learning import Trained, Weights
from bcls.models.pretrained.pictures import PictureProcessor, blank
from bcls.models.pretrained.tower import PretrainedTower
from bcls.models.towers import ImageTower

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

PicturePooling = Literal["own", "mean", "max", "gpo"]


class PretrainedImageTower(PretrainedTower, ImageTower):
    """The vision half of CLIP or SigLIP, or any vision encoder of transformers (ViT, DINOv2, Swin, ...).

    Takes (images, 3, height, width) uint8 pictures, as `prepare` gives them. An encoder that learns nothing also takes
    what `bcls features` computed with it: (images, width) vectors, or (images, patches, width) with `max` and `gpo`;
    training then runs at the speed of features, and the saved model still takes pictures. A saved model holds the
    encoder whole: the folder that it came from is needed no more. Needs the extra `hf`. Nothing is downloaded unless
    `model` names a hub id.

    Args:
        model: a local folder, or a hub id, which is downloaded.
        dim: size of a new linear projection on top; null = none, the embedding is the model's own (CLIP, SigLIP).
        pooling: `own` = the model's own vector of a picture; `mean`, `max` or `gpo` (generalized pooling) of its
            patches.
        trained: `all` of the encoder, its `last` layers with what follows them, low-rank adapters (`lora`), or
            `nothing`.
        last_layers: how many layers learn, with `trained: last`.
        lora_rank: of the adapters, with `trained: lora`.
        layer_decay: factor on the learning rate from each layer to the one below it; 1 = all learn alike.
        gradient_checkpointing: less memory for a third more time: activations are computed again in the backward pass.
        weights: number format of weights that do not learn. To compute in bfloat16 while all learn, see
            `optimization.precision`.
        dropout: share of the projection's inputs zeroed in training.
    """

    side: ClassVar[Half] = "vision"
    fit_images: ClassVar[int] = 1

    def __init__(
        self,
        *,
        model: str,
        dim: int | None = None,
        pooling: PicturePooling = "own",
        trained: Trained = "all",
        last_layers: int = 2,
        lora_rank: int = 8,
        layer_decay: float = 1.0,
        gradient_checkpointing: bool = False,
        weights: Weights = "float32",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            model=model,
            dim=dim,
            trained=trained,
            last_layers=last_layers,
            lora_rank=lora_rank,
            layer_decay=layer_decay,
            gradient_checkpointing=gradient_checkpointing,
            weights=weights,
            dropout=dropout,
        )
        if pooling not in ("own", "mean", "max", "gpo"):
            raise InputError(f"pooling is {pooling!r}; it must be one of own, mean, max, gpo")
        self.pooling: PicturePooling = pooling
        if self.pools_after_projection:
            self.pool = make_pooling("max" if pooling == "max" else "gpo")

    @property
    def pools_after_projection(self) -> bool:
        """Whether `encode` gives a set of patches for each image, not one vector."""
        return self.pooling in ("max", "gpo")

    @property
    def takes_features(self) -> bool:
        """Whether its encoder learns nothing, so that what it makes of pictures can be computed once."""
        return self.trained == "nothing"

    def about_features(self) -> dict[str, Any]:
        """What `encode` depends on, JSON-able."""
        self.require_fitted()
        kind = {"own": "pooled", "mean": "mean"}.get(self.pooling, "patches")
        processor = json.loads(json.dumps(self.processor.settings()))
        return {"encoder_hash": self.encoder_hash, "kind": kind, "processor": processor}

    def require_features(self, about: dict[str, Any]) -> None:
        """Refuse features of another encoder, or of another kind; of unknown ones only the shape can be checked.

        Raises:
            InputError: they are not what `encode` gives.
        """
        for name, own in self.about_features().items():
            if about.get(name, own) != own:
                raise InputError(
                    f"the features are of another {name.replace('_hash', '')} than this tower's; compute them with "
                    f"bcls features DATA --model {self.model}"
                )

    def prepare(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Opened pictures -> (pictures, 3, height, width) uint8, resized and cropped by the model's own processor."""
        self.require_fitted()
        return self.processor.prepare(pictures)

    def fit(self, sample: NDArray[np.floating[Any]] | Sequence[Image.Image]) -> None:
        """Load the encoder and its processor, and try it on the first picture; or check the sizes of features."""
        if not len(sample):
            raise InputError("PretrainedImageTower cannot be fitted on no pictures")
        if isinstance(sample, np.ndarray) and self.trained != "nothing":
            raise InputError(f"PretrainedImageTower takes pictures while its encoder learns (trained: {self.trained})")
        self._load()
        self.processor = PictureProcessor.load(self.model)
        try:
            with torch.no_grad():
                width = self.encode(self.processor.prepare([blank()])).shape[-1]
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{self.model} does not take the pictures of its processor ({error})") from None
        self._project_to_dim(width)
        if isinstance(sample, np.ndarray):
            self._check_features(sample.shape)

    def fitted(self) -> dict[str, Any] | None:
        """The encoder's config and hash, the processor's settings and the width."""
        if self._width is None:
            return None
        return {**self._about_encoder(), "processor": self.processor.settings(), "width": self._width}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Build encoder, processor and projection for a saved tower's tensors."""
        self._rebuild(fitted)
        self.processor = PictureProcessor.from_settings(fitted["processor"])
        self._project_to_dim(int(fitted["width"]))

    def encode(self, pictures: Tensor) -> Tensor:
        """(images, 3, height, width) uint8 -> the encoder's output, before any projection.

        Returns:
            (images, width), or (images, patches, width) with the pooling `max` or `gpo`.
        """
        pixels = self._in_format(self.processor.normalize(pictures))
        if self.pooling == "own":
            return picture_vectors(self.encoder, pixels).float()
        patches = picture_patches(self.encoder, pixels).float()
        return patches if self.pools_after_projection else patches.mean(dim=1)

    def project(self, images: Tensor) -> Tensor:
        """Pictures, or features of an encoder that learns nothing -> (images, dim).

        Raises:
            InputError: another shape.
        """
        if images.dtype == torch.uint8:
            if tuple(images.shape[1:]) != self.processor.shape:
                expected = ", ".join(map(str, self.processor.shape))
                raise InputError(
                    f"images are {tuple(images.shape)}; this tower takes (images, {expected}); see prepare"
                )
            encoded = self.encode(images)
        else:
            self._check_features(tuple(images.shape))
            encoded = images.float()
        projected: Tensor = self.projection(encoded)
        if not self.pools_after_projection:
            return projected
        counts = torch.full((len(projected),), projected.shape[1], device=projected.device)
        pooled: Tensor = self.pool(projected, counts)
        return pooled

    def _check_features(self, shape: tuple[int, ...]) -> None:
        axes = 3 if self.pools_after_projection else 2
        if self.trained != "nothing" or len(shape) != axes or shape[-1] != self._width:
            wanted = f"(images, {'patches, ' if axes == 3 else ''}{self._width}) features of bcls features, or "
            wanted = wanted if self.trained == "nothing" else ""
            raise InputError(f"images are {shape}; this tower takes {wanted}uint8 pictures of prepare")
