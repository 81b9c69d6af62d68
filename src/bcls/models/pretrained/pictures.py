"""How a pretrained encoder wants its pictures: its own Pillow processor, in two steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bcls.errors import InputError
from bcls.models.pretrained.loading import loading, transformers
from bcls.pictures import upright_rgb

PROBE = (40, 28)


class PictureProcessor:
    """A model's image processor, split so that prepared pictures are bytes.

    `prepare` resizes and crops as the processor does; `normalize` rescales and normalises, on whatever device the
    encoder is. Together they equal the processor, and a prepared picture takes a quarter of the memory.

    Args:
        processor: of transformers, on Pillow.

    Attributes:
        shape: (3, height, width) of a prepared picture.

    Raises:
        InputError: the processor does more than resize, crop, rescale and normalise, or its pictures differ in size.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        settings = processor.to_dict()
        self._scale = float(settings.get("rescale_factor") or 1.0) if settings.get("do_rescale") else 1.0
        normal = bool(settings.get("do_normalize"))
        self._mean = torch.tensor(settings["image_mean"] if normal else [0.0] * 3).float()[:, None, None]
        self._deviation = torch.tensor(settings["image_std"] if normal else [1.0] * 3).float()[:, None, None]
        self.shape = tuple(self.prepare([blank()]).shape[1:])
        self._check()

    @classmethod
    def load(cls, model: str) -> PictureProcessor:
        """The processor of a local folder or a hub id.

        Raises:
            InputError: there is none, or it cannot be split.
        """
        with loading(f"the image processor of {model!r}"):
            processor = transformers().AutoImageProcessor.from_pretrained(model, backend="pil", trust_remote_code=False)
        return cls(processor)

    @classmethod
    def from_settings(cls, settings: Any) -> PictureProcessor:
        """The processor that `settings` describes.

        Raises:
            InputError: it describes none.
        """
        name = settings.get("image_processor_type") if isinstance(settings, dict) else None
        kind = getattr(transformers(), f"{name}Pil", None) if str(name).endswith("ImageProcessor") else None
        if not isinstance(kind, type):
            raise InputError(f"no Pillow image processor {name!r}")
        with loading(f"the image processor {name}"):
            return cls(kind(**{key: value for key, value in settings.items() if key != "image_processor_type"}))

    def settings(self) -> dict[str, Any]:
        """What `from_settings` takes, JSON-able."""
        return dict(sorted(self._processor.to_dict().items()))

    def prepare(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Opened images, each as `bcls.pictures.upright_rgb` -> (images, 3, height, width) uint8."""
        opened = [upright_rgb(picture) for picture in pictures]
        done = self._processor(opened, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"]
        return torch.from_numpy(np.ascontiguousarray(done)).to(torch.uint8)

    def normalize(self, pictures: Tensor) -> Tensor:
        """(pictures, 3, height, width) uint8 -> float32, as the processor would."""
        mean, deviation = self._mean.to(pictures.device), self._deviation.to(pictures.device)
        return (pictures.float() * self._scale - mean) / deviation

    def _check(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (*PROBE, 3), dtype=np.uint8)
        probe = [Image.fromarray(pixels)]
        whole = torch.from_numpy(np.asarray(self._processor(probe, return_tensors="np")["pixel_values"]))
        prepared = self.prepare(probe)
        if prepared.shape[1:] != self.shape:
            raise InputError(
                f"{type(self._processor).__name__} makes pictures of several sizes, here {self.shape} and "
                f"{tuple(prepared.shape[1:])}; one size is needed: let it crop, or resize to a height and a width"
            )
        ours = self.normalize(prepared)
        if ours.shape != whole.shape or not torch.allclose(ours, whole.float(), atol=1e-4):
            raise InputError(
                f"{type(self._processor).__name__} does more than resize, crop, rescale and normalise; "
                "such an image processor is not supported"
            )


def blank() -> Image.Image:
    """A picture of one colour, to try an encoder on."""
    return Image.new("RGB", (64, 64))
