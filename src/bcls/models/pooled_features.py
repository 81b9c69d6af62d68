"""An image tower over one precomputed feature vector per image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from bcls.arrays import to_array
from bcls.errors import InputError
from bcls.models.towers import ImageTower, require_share, require_sizes, residual_projection

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image


class Standardize(nn.Module):
    """Subtracts the training mean and divides by the training deviation, value by value of the last axis.

    Features of different networks differ in scale by orders of magnitude; a linear map learns slowly from that.
    A value that never changed in training is only shifted: divided by next to nothing it would drown all others in
    the first image where it does change.

    Args:
        size: of the last axis.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def fit(self, sample: NDArray[np.floating[Any]]) -> None:
        """Take mean and deviation over all axes but the last."""
        values = np.asarray(sample, dtype=np.float64).reshape(-1, sample.shape[-1])
        deviation = values.std(axis=0)
        self.mean.copy_(torch.from_numpy(values.mean(axis=0)))
        self.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-6, deviation, 1.0)))

    def forward(self, features: Tensor) -> Tensor:
        """The standardised features, in float32."""
        return (features.float() - self.mean) / self.deviation


def check_features(sample: object, axes: int, expected: str) -> NDArray[np.floating[Any]]:
    """A sample of features for `fit`, as an array.

    Raises:
        InputError: pictures instead of features, another number of axes, no features at all, or some that are masked
            or not finite.
    """
    if not isinstance(sample, np.ndarray) or sample.ndim != axes:
        found = f"an array of shape {sample.shape}" if isinstance(sample, np.ndarray) else type(sample).__name__
        raise InputError(f"this image tower takes features of shape {expected}, not {found}")
    if not sample.size:
        raise InputError(f"this image tower cannot be fitted on no features (shape {sample.shape})")
    refuse_masked(sample)
    finite = np.isfinite(to_array(sample, "features")).reshape(len(sample), -1).all(axis=1)
    if not finite.all():
        raise InputError(f"features of image {int(np.argmin(finite))} of the sample are not finite")
    return sample


def refuse_masked(features: NDArray[Any]) -> None:
    """Refuse features of which some are masked: a tower has no use for what lies under the mask.

    Raises:
        InputError: as told; the first such image is named.
    """
    if isinstance(features, np.ma.MaskedArray) and np.ma.is_masked(features):
        row = int(np.argwhere(np.ma.getmaskarray(features))[0, 0])
        raise InputError(f"features of image {row} are masked: fill them in, or leave the image out")


class PooledFeatureTower(ImageTower):
    """Standardised features through a linear map, with an optional perceptron beside it.

    Takes (images, input dim) features in any float format.

    Args:
        dim: size of the embedding.
        hidden: width of a perceptron added to the linear map; null = none.
        dropout: share of input features zeroed in training. With few pictures this is what generalises: 0.5 is no
            mistake.

    Example:
        >>> tower = PooledFeatureTower(dim=4)
        >>> tower.fit(np.random.default_rng(0).normal(size=(10, 6)))
        >>> tower(torch.zeros(2, 6)).shape
        torch.Size([2, 4])
    """

    feature_axes: ClassVar[int | None] = 2

    def __init__(self, *, dim: int = 512, hidden: int | None = None, dropout: float = 0.5) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_sizes(dim=dim, hidden=hidden)
        self.dim = dim
        self.hidden = hidden
        self.dropout = dropout

    def fit(self, sample: NDArray[np.floating[Any]] | Sequence[Image.Image]) -> None:
        """Learn mean and deviation from (images, input dim) training features."""
        features = check_features(sample, 2, "(images, dim)")
        self.restore({"input_dim": features.shape[1]})
        self.standardize.fit(features)

    def fitted(self) -> dict[str, Any] | None:
        """The input's size."""
        return {"input_dim": len(self.standardize.mean)} if hasattr(self, "standardize") else None

    def restore(self, fitted: dict[str, Any]) -> None:
        """Make the layers for the input's size."""
        size = int(fitted["input_dim"])
        self.standardize = Standardize(size)
        self.projection = residual_projection(size, self.dim, self.hidden, self.dropout)

    def project(self, images: Tensor) -> Tensor:
        """(images, input dim) -> (images, dim).

        Raises:
            InputError: features of another shape than those fitted on.
        """
        size = len(self.standardize.mean)
        if images.ndim != 2 or images.shape[1] != size:
            raise InputError(f"images are {tuple(images.shape)}; this tower was fitted on (images, {size}) features")
        projected: Tensor = self.projection(self.standardize(images))
        return projected
