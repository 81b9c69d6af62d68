"""The two towers as functions of plain tensors, which is all that an ONNX file knows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.pretrained import PretrainedCaptionTower
from bcls.models.towers import CaptionTower, ImageTower


class ImageFunction(nn.Module):
    """Images as the tower takes them -> (images, dim) of length 1.

    Args:
        tower: the image tower.
    """

    def __init__(self, tower: ImageTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, images: Tensor) -> Tensor:
        """The embeddings."""
        return F.normalize(self.tower.project(images).float(), dim=1)


class CaptionFunction(nn.Module):
    """Token ids and mask, both (captions, tokens) -> (captions, dim) of length 1.

    Args:
        tower: a caption tower that `caption_inputs` knows.
    """

    def __init__(self, tower: CaptionTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The embeddings."""
        if isinstance(self.tower, PretrainedCaptionTower):
            return F.normalize(self.tower.project_tokens(ids, mask).float(), dim=1)
        assert isinstance(self.tower, BagOfWordsTower)
        weights = F.softplus(self.tower.weights)[ids] * mask
        return F.normalize((F.embedding(ids, self.tower.vectors.weight) * weights[..., None]).sum(dim=1), dim=1)


def caption_inputs(tower: CaptionTower, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Ids and mask of captions, (captions, tokens) int64 each; 0 in the mask is padding.

    Raises:
        InputError: a caption tower of a kind that cannot be exported.
    """
    if isinstance(tower, PretrainedCaptionTower):
        tower.require_fitted()
        return tower.tokenizer(captions)
    if isinstance(tower, BagOfWordsTower):
        bags = tower.tokenize(captions)
        rows = [bags.words[start : start + length] for start, length in zip(bags.starts, bags.lengths, strict=True)]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return ids, (torch.arange(ids.shape[1]) < bags.lengths[:, None]).long()
    raise InputError(
        f"{type(tower).__name__} cannot be exported; caption towers that can: BagOfWordsTower, PretrainedCaptionTower"
    )
