"""An image tower for raw pictures: a small convolutional net."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.dropout import Dropout
from bcls.models.towers import ImageTower, require_share, require_sizes
from bcls.pictures import upright_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUPS = 8


class ConvTower(ImageTower):
    """Strided residual convolutions, then mean and maximum over the last map, then a linear map.

    Takes (images, 3, size, size) uint8 pictures; `prepare` makes them from opened picture files. Small enough to
    train on a CPU; no match for a pretrained network on photographs. In training, pictures are shifted by a few pixels
    (never mirrored: captions may say left and right).

    Args:
        dim: size of the embedding.
        channels: of each stage; a stage halves the map. Multiples of 8.
        image_size: pictures are resized to a square of this many pixels.
        shift: largest shift in training, in pixels.
        dropout: share of pooled channels zeroed in training.

    Example:
        >>> tower = ConvTower(dim=4, channels=(8, 16), image_size=16)
        >>> pictures = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
        >>> tower.fit(pictures)
        >>> tower(tower.prepare(pictures)).shape
        torch.Size([2, 4])
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        dim: int = 512,
        channels: Sequence[int] = (32, 64, 128),
        image_size: int = 64,
        shift: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_sizes(dim=dim, image_size=image_size)
        if not channels or any(count < 1 or count % GROUPS for count in channels):
            raise InputError(f"channels are {list(channels)}; they must be multiples of {GROUPS}")
        if shift < 0:
            raise InputError(f"shift is {shift}; it must be at least 0")
        self.dim = dim
        self.channels = list(channels)
        self.image_size = image_size
        self.shift = shift
        self.dropout = dropout
        widths = [3, *self.channels]
        self.stages = nn.Sequential(*(_Stage(a, b) for a, b in pairwise(widths)))
        self.projection = nn.Sequential(Dropout(dropout), nn.Linear(2 * self.channels[-1], dim))
        self.register_buffer("mean", torch.full((3, 1, 1), 127.5))
        self.register_buffer("deviation", torch.full((3, 1, 1), 64.0))
        self._is_fitted = False

    @property
    def takes_features(self) -> bool:
        """It takes pictures."""
        return False

    def prepare(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Opened images, each as `bcls.pictures.upright_rgb` -> (images, 3, size, size) uint8."""
        size = (self.image_size, self.image_size)
        arrays = [np.asarray(upright_rgb(picture).resize(size, Image.Resampling.BICUBIC)) for picture in pictures]
        return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()

    def fit(self, sample: NDArray[np.floating[Any]] | Sequence[Image.Image]) -> None:
        """Learn mean and deviation of each colour from training pictures."""
        if isinstance(sample, np.ndarray):
            raise InputError("ConvTower takes pictures, not features")
        if not len(sample):
            raise InputError("ConvTower cannot be fitted on no pictures")
        pixels = self.prepare(sample).double()
        self.mean.copy_(pixels.mean(dim=(0, 2, 3))[:, None, None])
        self.deviation.copy_(pixels.std(dim=(0, 2, 3)).clamp(min=1.0)[:, None, None])
        self._is_fitted = True

    def fitted(self) -> dict[str, Any] | None:
        """Nothing but tensors."""
        return {} if self._is_fitted else None

    def restore(self, fitted: dict[str, Any]) -> None:
        """All parameters stand already."""
        self._is_fitted = True

    def project(self, images: Tensor) -> Tensor:
        """(images, 3, size, size) uint8 -> (images, dim).

        Raises:
            InputError: another shape.
        """
        expected = (3, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != expected:
            raise InputError(f"images are {tuple(images.shape)}; this tower takes (images, *{expected}); see prepare")
        pixels = (images.float() - self.mean) / self.deviation
        if self.training and self.shift > 0:
            pixels = _shifted(pixels, self.shift)
        maps = self.stages(pixels.contiguous(memory_format=torch.channels_last))
        projected: Tensor = self.projection(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1))
        return projected


class _Stage(nn.Module):
    """Halves the map, then adds a residual block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.down_norm = nn.GroupNorm(GROUPS, outputs)
        self.block = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.block_norm = nn.GroupNorm(GROUPS, outputs)

    def forward(self, maps: Tensor) -> Tensor:
        maps = F.relu(self.down_norm(self.down(maps)))
        return maps + F.relu(self.block_norm(self.block(maps)))


def _shifted(pixels: Tensor, most: int) -> Tensor:
    """Each batch moved by one random shift, edges repeated."""
    size = pixels.shape[-1]
    down, right = torch.randint(0, 2 * most + 1, (2,)).tolist()
    return F.pad(pixels, (most,) * 4, mode="replicate")[..., down : down + size, right : right + size]
