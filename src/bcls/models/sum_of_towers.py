"""A caption tower that adds up others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.towers import CaptionBatch, CaptionTower


@dataclass(frozen=True)
class ManyBatches:
    """The same captions, as each of several towers takes them."""

    batches: tuple[CaptionBatch, ...]

    def __len__(self) -> int:
        return len(self.batches[0])

    def select(self, rows: Tensor) -> ManyBatches:
        """The captions at `rows`, in that order."""
        return ManyBatches(tuple(batch.select(rows) for batch in self.batches))

    def to(self, device: torch.device | str) -> ManyBatches:
        """The same captions on another device."""
        return ManyBatches(tuple(batch.to(device) for batch in self.batches))


class SumCaptionTower(CaptionTower):
    """The sum of several caption towers' vectors, e.g. a bag of words and a frozen sentence encoder.

    Each tower sees what the other misses; the sum is normalised only after it.

    Args:
        towers: two or more towers of one dim.

    Raises:
        InputError: no towers, towers of several dims, or one that is no caption tower.

    Example:
        >>> from bcls.models import BagOfWordsTower, BiGRUTower
        >>> tower = SumCaptionTower(towers=[BagOfWordsTower(dim=4), BiGRUTower(dim=4)])
        >>> tower.fit(["a dog"] * 3)
        >>> tower(tower.tokenize(["a dog", "a cat"])).shape
        torch.Size([2, 4])
    """

    def __init__(self, *, towers: list[CaptionTower]) -> None:
        super().__init__()
        for tower in towers:
            if not isinstance(tower, CaptionTower):
                raise InputError(f"{type(tower).__name__} is no caption tower; only those can be summed")
        dims = {tower.dim for tower in towers}
        if len(dims) != 1:
            raise InputError(f"towers that are summed must agree on dim; they have {sorted(dims)}")
        self.dim = dims.pop()
        self.parts = nn.ModuleList(towers)

    @property
    def towers(self) -> list[CaptionTower]:
        """The towers."""
        return [part for part in self.parts if isinstance(part, CaptionTower)]

    def fit(self, captions: Sequence[str]) -> None:
        """Fit each tower."""
        for tower in self.towers:
            tower.fit(captions)

    def fitted(self) -> dict[str, Any] | None:
        """What each tower learnt."""
        each = [tower.fitted() for tower in self.towers]
        return None if any(part is None for part in each) else {"towers": each}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Restore each tower."""
        for tower, part in zip(self.towers, fitted["towers"], strict=True):
            tower.restore(part)

    def pretrained_parameters(self) -> list[nn.Parameter]:
        """Those of each tower."""
        return [parameter for tower in self.towers for parameter in tower.pretrained_parameters()]

    def rate_scales(self) -> dict[nn.Parameter, float]:
        """Those of each tower."""
        return {parameter: scale for tower in self.towers for parameter, scale in tower.rate_scales().items()}

    def tokenize(self, captions: Sequence[str]) -> ManyBatches:
        """The captions for each tower."""
        return ManyBatches(tuple(tower.tokenize(captions) for tower in self.towers))

    def project(self, captions: ManyBatches) -> Tensor:
        """The sum of the towers' vectors, (captions, dim)."""
        vectors = [tower(batch) for tower, batch in zip(self.towers, captions.batches, strict=True)]
        return torch.stack(vectors).sum(dim=0)
