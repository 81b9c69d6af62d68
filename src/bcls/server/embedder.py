"""What the server asks of a model: vectors of texts and of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bcls.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from bcls.models import RetrievalModel


class Embedder:
    """A model that answers in arrays.

    Args:
        model: a trained one, in evaluation mode.
    """

    def __init__(self, model: RetrievalModel) -> None:
        self.model = model.eval()
        self.dim = model.image_tower.dim
        self.takes_pictures = hasattr(model.image_tower, "prepare")

    def texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One vector (dim,) a text, of length 1."""
        with torch.inference_mode():
            return _rows(self.model.encode_text(list(texts)))

    def prepared(self, picture: Image.Image) -> torch.Tensor:
        """One picture as the image tower takes it; much smaller than the picture.

        Raises:
            InputError: the image tower takes features, not pictures.
        """
        if not self.takes_pictures:
            raise InputError(
                "this model takes features, not pictures: search by words, or by a picture that is in the index"
            )
        prepare: Any = self.model.image_tower.prepare
        prepared: torch.Tensor = prepare([picture])[0]
        return prepared

    def pictures(self, prepared: Sequence[torch.Tensor]) -> list[NDArray[np.float32]]:
        """One vector (dim,) a prepared picture, of length 1."""
        with torch.inference_mode():
            return _rows(self.model.encode_image(torch.stack(list(prepared))))


def _rows(vectors: torch.Tensor) -> list[NDArray[np.float32]]:
    return list(vectors.float().cpu().numpy())
