"""Pooling of a set of vectors into one: mean, max, and the generalized pooling operator."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from bcls.errors import InputError

Pooling = Literal["mean", "max", "gpo"]


class MeanPooling(nn.Module):
    """The mean of each dimension over a set's members."""

    def forward(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """(sets, members, dim), (sets,) numbers of real members -> (sets, dim)."""
        padding = ~_real(vectors, lengths)[..., None]
        return vectors.masked_fill(padding, 0.0).sum(dim=1) / lengths[:, None].to(vectors)


class MaxPooling(nn.Module):
    """The maximum of each dimension over a set's members."""

    def forward(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """(sets, members, dim), (sets,) numbers of real members -> (sets, dim)."""
        return vectors.masked_fill(~_real(vectors, lengths)[..., None], -torch.inf).amax(dim=1)


class GeneralizedPooling(nn.Module):
    """Sorts each dimension over the set and sums with learnt weights of the ranks.

    Mean pooling (equal weights) and max pooling (all weight on the first) are special cases. The weights come from
    sine-cosine encodings of the ranks through a small bidirectional GRU, so that they fit sets of any size.

    Args:
        encoding_dim: size of the rank encoding, even.
        hidden_dim: size of the GRU's state.

    Source: generalized pooling operator of VSE-infinity, arXiv 2011.04305, section 3.2.

    Example:
        >>> GeneralizedPooling()(torch.randn(2, 5, 8), torch.tensor([5, 3])).shape
        torch.Size([2, 8])
    """

    def __init__(self, encoding_dim: int = 32, hidden_dim: int = 32) -> None:
        super().__init__()
        self.encoding_dim = encoding_dim
        self.gru = nn.GRU(encoding_dim, hidden_dim, batch_first=True, bidirectional=True)
        self.score = nn.Linear(hidden_dim, 1, bias=False)

    def weights(self, lengths: Tensor, longest: int) -> Tensor:
        """(sets, longest) weights of the ranks, a softmax over each set's real members.

        They depend on a set's size alone, so the GRU runs once for each size that occurs.
        """
        sizes, which = torch.unique(lengths, return_inverse=True)
        encoding = rank_encoding(longest, self.encoding_dim, lengths.device).expand(len(sizes), -1, -1)
        packed = nn.utils.rnn.pack_padded_sequence(encoding, sizes.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=longest)
        forward, backward = states.chunk(2, dim=2)
        return self.spread(self.score((forward + backward) / 2)[..., 0], sizes)[which]

    @staticmethod
    def spread(scores: Tensor, lengths: Tensor) -> Tensor:
        """(sets, longest) scores of the ranks -> weights, a softmax over each set's real members."""
        real = torch.arange(scores.shape[1], device=lengths.device) < lengths[:, None]
        return (scores / 0.1).masked_fill(~real, -torch.inf).softmax(dim=1)

    def forward(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """(sets, members, dim), (sets,) numbers of real members -> (sets, dim)."""
        real = _real(vectors, lengths)[..., None]
        ordered = vectors.masked_fill(~real, -torch.inf).sort(dim=1, descending=True).values.masked_fill(~real, 0.0)
        return (ordered * self.weights(lengths, vectors.shape[1])[..., None]).sum(dim=1)


def make_pooling(name: Pooling) -> nn.Module:
    """The pooling of that name.

    Raises:
        InputError: no such pooling.
    """
    kinds: dict[str, type[nn.Module]] = {"mean": MeanPooling, "max": MaxPooling, "gpo": GeneralizedPooling}
    if name not in kinds:
        raise InputError(f"pooling is {name!r}; it must be one of {', '.join(kinds)}")
    return kinds[name]()


def rank_encoding(length: int, dim: int, device: torch.device) -> Tensor:
    """(length, dim) sines and cosines of the ranks, as in the transformer's position encoding."""
    rank = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, dim, 2, device=device, dtype=torch.float32) * (-math.log(10000.0) / dim))
    return torch.stack([torch.sin(rank * rate), torch.cos(rank * rate)], dim=2).flatten(1)


def _real(vectors: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(vectors.shape[1], device=vectors.device) < lengths[:, None]
