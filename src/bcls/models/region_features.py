"""An image tower over a set of region (or grid) features per image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from bcls.errors import InputError
from bcls.models.gpo import Pooling, make_pooling
from bcls.models.pooled_features import Standardize, check_features
from bcls.models.towers import ImageTower, require_share, require_sizes, residual_projection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class RegionFeatureTower(ImageTower):
    """Each region through a projection, then pooled into one vector; or all of them, for a similarity of sets.

    Takes (images, regions, input dim) features in any float format.

    Args:
        dim: size of the embedding.
        pooling: `mean`, `max`, or `gpo` (generalized pooling of VSE-infinity).
        hidden: width of a perceptron added to the linear map; null = none.
        dropout: share of input features zeroed in training.
        dropped_regions: share of regions left out in training (VSE-infinity's size augmentation has 0.2); every image
            keeps at least one.

    Example:
        >>> import numpy as np
        >>> tower = RegionFeatureTower(dim=4, pooling="max")
        >>> tower.fit(np.random.default_rng(0).normal(size=(10, 3, 6)))
        >>> tower(torch.zeros(2, 3, 6)).shape
        torch.Size([2, 4])
    """

    feature_axes: ClassVar[int | None] = 3

    gives_sets: ClassVar[bool] = True

    def __init__(
        self,
        *,
        dim: int = 512,
        pooling: Pooling = "gpo",
        hidden: int | None = None,
        dropout: float = 0.2,
        dropped_regions: float = 0.0,
    ) -> None:
        super().__init__()
        require_share("dropout", dropout)
        require_share("dropped_regions", dropped_regions)
        require_sizes(dim=dim, hidden=hidden)
        self.dim = dim
        self.hidden = hidden
        self.dropout = dropout
        self.dropped_regions = dropped_regions
        self.pooling: Pooling = pooling
        self.pool = make_pooling(pooling)

    def fit(self, sample: NDArray[np.floating[Any]] | Sequence[Image.Image]) -> None:
        """Learn mean and deviation from (images, regions, input dim) training features."""
        features = check_features(sample, 3, "(images, regions, dim)")
        self.restore({"input_dim": features.shape[2]})
        self.standardize.fit(features)

    def fitted(self) -> dict[str, Any] | None:
        """The input's size."""
        return {"input_dim": len(self.standardize.mean)} if hasattr(self, "standardize") else None

    def restore(self, fitted: dict[str, Any]) -> None:
        """Make the layers for the input's size."""
        size = int(fitted["input_dim"])
        self.standardize = Standardize(size)
        self.projection = residual_projection(size, self.dim, self.hidden, self.dropout)

    def members(self, inputs: Tensor) -> Tensor:
        """(images, regions, input dim) -> (images, regions, dim); in training fewer regions, padded with zeros.

        Raises:
            InputError: features of another shape than those fitted on.
        """
        return self._projected(inputs)[0]

    def project(self, images: Tensor) -> Tensor:
        """(images, regions, input dim) -> (images, dim).

        Raises:
            InputError: features of another shape than those fitted on.
        """
        pooled: Tensor = self.pool(*self._projected(images))
        return pooled

    def _projected(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(images, regions, dim) and how many regions of each image are real: the first ones."""
        size = len(self.standardize.mean)
        if images.ndim != 3 or images.shape[2] != size:
            raise InputError(
                f"images are {tuple(images.shape)}; this tower was fitted on (images, regions, {size}) features"
            )
        if not self.training or self.dropped_regions == 0:
            regions = torch.full((len(images),), images.shape[1], device=images.device)
            return self.projection(self.standardize(images)), regions
        images, regions = _thinned(images, self.dropped_regions)
        padding = torch.arange(images.shape[1], device=images.device) >= regions[:, None]
        return self.projection(self.standardize(images)).masked_fill(padding[..., None], 0.0), regions


def _thinned(images: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Images without this share of their regions, the kept ones first in their order, and how many were kept."""
    drawn = torch.rand(images.shape[:2], device=images.device)
    kept = drawn >= share
    kept[torch.arange(len(images)), drawn.argmax(dim=1)] = True
    regions = kept.sum(dim=1)
    order = torch.argsort(~kept, dim=1, stable=True)[:, : int(regions.max())]
    return torch.take_along_dim(images, order[..., None], dim=1), regions
