"""What SGRAF's two models share: a pair of sets becomes vectors that say how the parts, and the whole, are alike."""

from __future__ import annotations

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bcls.models.cross_attention import attention
from bcls.models.set_similarity import BLOCK, SetSimilarity, Side
from bcls.models.similarity import real_members
from bcls.models.towers import require_share, require_sizes

SMOOTHING = 9.0


class AlignmentSimilarity(SetSimilarity):
    """Base of `GraphReasoning` and `AttentionFiltration`.

    How two vectors are alike is a vector, not a number: s(x, y; W) = W (x - y)^2, brought to length 1. A pair of an
    image and a caption has one for the whole, s(v, t; W_g) with summaries v and t of both sides, and one for each word
    e_j, s(a_j, e_j; W_l), where a_j is what the word finds in the image by the attention of `CrossAttention`
    (smoothing 9), at length 1. A subclass makes one vector of these, and a linear map and a sigmoid make the
    similarity, in [0, 1].

    Args:
        dim: size of the towers' vectors.
        similarity_dim: size of the vectors of alikeness.
        dropout: share zeroed inside the summaries in training.
        block: numbers that an intermediate tensor may hold, see `SetSimilarity`.
    """

    dim: int

    def __init__(self, *, dim: int, similarity_dim: int, dropout: float, block: int = BLOCK) -> None:
        super().__init__(block=block)
        require_sizes(dim=dim, similarity_dim=similarity_dim)
        require_share("dropout", dropout)
        self.dim = dim
        self.similarity_dim = similarity_dim
        self.dropout = dropout
        self.image_summary = Summary(dim, dropout)
        self.caption_summary = Summary(dim, dropout)
        self.parts = nn.Linear(dim, similarity_dim)
        self.whole = nn.Linear(dim, similarity_dim)
        self.score = nn.Linear(similarity_dim, 1)

    @abstractmethod
    def gathered(self, alike: Tensor, real: Tensor) -> Tensor:
        """One vector a pair.

        Args:
            alike: (images, captions, 1 + words, similarity dim), the whole first.
            real: (captions, 1 + words) bool, False for padding.

        Returns:
            (images, captions, similarity dim).
        """

    def numbers(self, regions: int, words: int) -> int:
        """For every word, its products with the regions, or what it finds in them."""
        return words * max(regions, self.dim)

    def image_side(self, images: Tensor) -> Side:
        """Images and their summaries."""
        return images, self.image_summary(images)

    def caption_side(self, captions: Tensor) -> Side:
        """Captions and their summaries."""
        return captions, self.caption_summary(captions)

    def compare(self, images: Side, captions: Side) -> Tensor:
        """The (images, captions) similarities of one block."""
        (regions, whole_images), (words, whole_captions) = images, captions
        _, weights = attention(regions, words, SMOOTHING)
        found = F.normalize(weights.flatten(2).mT @ regions, dim=2).view(len(regions), *words.shape)
        parts = F.normalize(self.parts((found - words).square()), dim=3)
        whole = F.normalize(self.whole((whole_images[:, None] - whole_captions).square()), dim=2)
        real = F.pad(real_members(words), (1, 0), value=True)
        gathered = self.gathered(torch.cat([whole[:, :, None], parts], dim=2), real)
        similarity: Tensor = self.score(gathered)[..., 0].sigmoid()
        return similarity


class Summary(nn.Module):
    """One vector of length 1 for a set: its members weighted by how they fit their mean.

    The weight of member x_i is softmax_i(w tanh(A x_i) * tanh(B mean(x))). The published code also has batch
    normalisation in it for images, which ties a model to one number of regions; it is left out.

    Args:
        dim: size of the vectors.
        dropout: share of either tanh zeroed in training.
    """

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.member = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Dropout(dropout))
        self.mean = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Dropout(dropout))
        self.weight = nn.Linear(dim, 1)

    def forward(self, sets: Tensor) -> Tensor:
        """(sets, longest, dim) with zero padding -> (sets, dim)."""
        real = real_members(sets)
        mean = sets.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp_min(1)
        scores = self.weight(self.member(sets) * self.mean(mean)[:, None])[..., 0]
        weights = scores.masked_fill(~real, torch.finfo(scores.dtype).min).softmax(dim=1)
        return F.normalize((weights[..., None] * sets).sum(dim=1), dim=1)
