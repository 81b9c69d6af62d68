"""The two towers as functions of plain tensors, which is all that an ONNX file knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bcls.errors import InputError
from bcls.models.bag_of_words import BagOfWordsTower
from bcls.models.bigru import BiGRUTower
from bcls.models.exported.unpacked import EqualPooling, UnpackedGRU, UnpackedPooling, with_poolings
from bcls.models.pretrained import PretrainedCaptionTower
from bcls.models.sentence_encoder import SentenceEncoderTower
from bcls.models.sum_of_towers import SumCaptionTower
from bcls.models.towers import CaptionTower, ImageTower
from bcls.text import composed

if TYPE_CHECKING:
    from bcls.models.words import WordBags


class ImageFunction(nn.Module):
    """Images as the tower takes them -> (images, dim) of length 1.

    Args:
        tower: the image tower.
    """

    def __init__(self, tower: ImageTower) -> None:
        super().__init__()
        self.tower = with_poolings(tower, EqualPooling)

    def forward(self, images: Tensor) -> Tensor:
        """The embeddings."""
        return F.normalize(self.tower.project(images).float(), dim=1)


class CaptionFunction(nn.Module):
    """Tensors as `caption_inputs` makes them, in their order -> (captions, dim) of length 1.

    Args:
        tower: the caption tower.

    Raises:
        InputError: a caption tower of a kind that cannot be exported.
    """

    def __init__(self, tower: CaptionTower) -> None:
        super().__init__()
        self.projection = _projection(tower)

    def forward(self, *tokens: Tensor) -> Tensor:
        """The embeddings."""
        return F.normalize(self.projection(*tokens).float(), dim=1)


def caption_inputs(tower: CaptionTower, captions: Sequence[str]) -> dict[str, Tensor]:
    """What the exported caption tower takes, by name, (captions, tokens) int64 each; 0 in a mask is padding.

    Returns:
        `ids` and `mask`; of a sum of towers `ids_0`, `mask_0`, `ids_1` and so on.

    Raises:
        InputError: a caption tower of a kind that cannot be exported.
    """
    if isinstance(tower, SumCaptionTower):
        parts = [caption_inputs(part, captions) for part in tower.towers]
        return {f"{name}_{place}": one for place, part in enumerate(parts) for name, one in part.items()}
    if isinstance(tower, PretrainedCaptionTower):
        tower.require_fitted()
        ids, mask = tower.tokenizer(captions)
    elif isinstance(tower, SentenceEncoderTower):
        texts = [composed(caption) for caption in captions]
        tokens = tower.sentence_encoder.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        ids, mask = tokens["input_ids"], tokens["attention_mask"]
    elif isinstance(tower, BagOfWordsTower | BiGRUTower):
        bags: WordBags = tower.tokenize(captions)
        ids = bags.padded()
        mask = (torch.arange(ids.shape[1]) < bags.lengths[:, None]).long()
    else:
        raise _refusal(tower)
    return {"ids": ids, "mask": mask}


def _refusal(tower: CaptionTower) -> InputError:
    return InputError(
        f"{type(tower).__name__} cannot be exported; caption towers that can: BagOfWordsTower, BiGRUTower, "
        "SentenceEncoderTower, PretrainedCaptionTower, and sums of these"
    )


def _projection(tower: CaptionTower) -> nn.Module:
    """What makes vectors, not yet of length 1, of one tower's tensors."""
    if isinstance(tower, SumCaptionTower):
        return _Sum(tower)
    if isinstance(tower, PretrainedCaptionTower):
        return _Pretrained(tower)
    if isinstance(tower, SentenceEncoderTower):
        return _Sentence(tower)
    if isinstance(tower, BiGRUTower):
        return _BiGRU(tower)
    if isinstance(tower, BagOfWordsTower):
        return _BagOfWords(tower)
    raise _refusal(tower)


class _BagOfWords(nn.Module):
    def __init__(self, tower: BagOfWordsTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        weights = F.softplus(self.tower.weights)[ids] * mask
        return (F.embedding(ids, self.tower.vectors.weight) * weights[..., None]).sum(dim=1)


class _BiGRU(nn.Module):
    def __init__(self, tower: BiGRUTower) -> None:
        super().__init__()
        self.vectors = tower.vectors
        self.gru = UnpackedGRU(tower.gru)
        self.pool = with_poolings(nn.Sequential(tower.pool), UnpackedPooling)[0]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1)
        return torch.as_tensor(self.pool(self.gru(self.vectors(ids), lengths), lengths))


class _Pretrained(nn.Module):
    def __init__(self, tower: PretrainedCaptionTower) -> None:
        super().__init__()
        self.tower = with_poolings(tower, UnpackedPooling)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.tower.project_tokens(ids, mask)


class _Sentence(nn.Module):
    def __init__(self, tower: SentenceEncoderTower) -> None:
        super().__init__()
        self.encoder = tower.sentence_encoder
        self.projection = tower.projection
        self.scale = tower.scale
        self.unit = not tower.trained  # a frozen encoder's vectors have length 1

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        vectors = self.encoder({"input_ids": ids, "attention_mask": mask})["sentence_embedding"]
        vectors = F.normalize(vectors, dim=1) if self.unit else vectors
        return torch.as_tensor(self.projection(vectors * self.scale))


class _Sum(nn.Module):
    def __init__(self, tower: SumCaptionTower) -> None:
        super().__init__()
        self.parts = nn.ModuleList(_projection(part) for part in tower.towers)

    def forward(self, *tokens: Tensor) -> Tensor:
        """Ids and mask of each part in turn."""
        pairs = zip(self.parts, tokens[::2], tokens[1::2], strict=True)
        return torch.stack([part(ids, mask) for part, ids, mask in pairs]).sum(dim=0)
