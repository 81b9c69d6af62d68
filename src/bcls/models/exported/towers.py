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
from bcls.models.exported.inputs import caption_inputs

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
        if not len(captions):
            return torch.zeros(0, self._caption_tower.dim)
        given = caption_inputs(self._caption_tower, captions)
        known = {one.name for one in self._caption.get_inputs()}  # one that the graph never reads is none of its inputs
        tensors = {name: one.numpy() for name, one in given.items() if name in known}
        return torch.from_numpy(self._caption.run(None, tensors)[0])

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
            theirs = model.encode_image(images).cpu(), model.encode_text(captions).cpu()
        ours = self.encode_image(images), self.encode_text(captions)
        return {
            side: float((one - other).abs().max())
            for side, one, other in zip(("image", "caption"), ours, theirs, strict=True)
        }
