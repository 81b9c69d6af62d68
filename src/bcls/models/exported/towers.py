"""A model's towers as run by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from bcls.errors import InputError, MissingExtraError
from bcls.models.exported.export import CAPTION, IMAGE, quantized
from bcls.models.exported.inputs import CaptionFunction, ImageFunction, caption_inputs

if TYPE_CHECKING:
    from bcls.models.retrieval_model import RetrievalModel
    from bcls.models.towers import CaptionTower


class OnnxTowers:
    """Both towers of an exported model.

    Args:
        folder: of `export_towers`.
        caption_tower: the model's, which turns captions into ids.
        int8: run the quantized files.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        InputError: a file is missing or damaged.
    """

    def __init__(self, folder: Path, caption_tower: CaptionTower, *, int8: bool = False) -> None:
        try:
            import onnxruntime  # noqa: PLC0415
        except ImportError:
            raise MissingExtraError("running ONNX files", "onnx") from None
        files = [quantized(folder / name) if int8 else folder / name for name in (IMAGE, CAPTION)]
        self._caption_tower = caption_tower
        try:
            self._image, self._caption = (
                onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]) for file in files
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise InputError(f"{folder}: not a readable exported model ({str(error)[:200]})") from None

    def encode_image(self, images: Tensor) -> Tensor:
        """Images as the image tower takes them -> (images, dim) of length 1."""
        wanted = np.uint8 if images.dtype == torch.uint8 else np.float32
        return torch.from_numpy(self._image.run(None, {"images": images.numpy().astype(wanted)})[0])

    def encode_text(self, captions: Sequence[str]) -> Tensor:
        """Captions -> (captions, dim) of length 1."""
        ids, mask = caption_inputs(self._caption_tower, captions)
        known = {one.name for one in self._caption.get_inputs()}
        given = {"ids": ids.numpy(), "mask": mask.numpy()}
        return torch.from_numpy(self._caption.run(None, {name: given[name] for name in given if name in known})[0])

    def difference(self, model: RetrievalModel, images: Tensor, captions: Sequence[str]) -> dict[str, float]:
        """The largest difference of an embedding's component from torch's, of each tower.

        Args:
            model: that was exported.
            images: as its image tower takes them.
            captions: any.

        Returns:
            `{"image": ..., "caption": ...}`.
        """
        with torch.inference_mode():
            theirs = ImageFunction(model.image_tower)(images)
            ids, mask = caption_inputs(model.caption_tower, captions)
            words = CaptionFunction(model.caption_tower)(ids, mask)
        return {
            "image": float((self.encode_image(images) - theirs).abs().max()),
            "caption": float((self.encode_text(captions) - words).abs().max()),
        }
