"""Recurrent layers over padded sequences without packing them, which an ONNX file cannot say."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from bcls.models.gpo import GeneralizedPooling, rank_encoding

Module = TypeVar("Module", bound=nn.Module)


class UnpackedGRU(nn.Module):
    """A bidirectional GRU that reads each padded sequence as if it stood alone, the two directions averaged.

    Padding stands at the end: what reads forward has seen none of it at a real member, and what reads backward gets
    each sequence turned round in its place.

    Args:
        gru: whose weights are copied; bidirectional, batch first.

    Example:
        >>> unpacked = UnpackedGRU(nn.GRU(3, 4, batch_first=True, bidirectional=True))
        >>> unpacked(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
        torch.Size([2, 5, 4])
    """

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.forwards, self.backwards = (
            nn.ModuleList(_one_direction(gru, layer, suffix) for layer in range(gru.num_layers))
            for suffix in ("", "_reverse")
        )

    def forward(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """(sequences, longest, inputs), (sequences,) -> (sequences, longest, hidden); padding means nothing."""
        place = torch.arange(vectors.shape[1], device=vectors.device).expand(vectors.shape[0], -1)
        turned = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)[..., None]
        states = vectors
        forward = backward = vectors
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            forward = ahead(states)[0]
            reverse = back(states.gather(1, turned.expand(-1, -1, states.shape[2])))[0]
            backward = reverse.gather(1, turned.expand(-1, -1, reverse.shape[2]))
            states = torch.cat([forward, backward], dim=2)
        return torch.as_tensor((forward + backward) / 2)


class UnpackedPooling(GeneralizedPooling):
    """Generalized pooling with the weights of every set's ranks made one by one.

    Args:
        pooling: whose layers are copied.
    """

    def __init__(self, pooling: GeneralizedPooling) -> None:
        nn.Module.__init__(self)  # its layers are copies
        self.encoding_dim = pooling.encoding_dim
        self.unpacked = UnpackedGRU(pooling.gru)
        self.score = deepcopy(pooling.score)

    def weights(self, lengths: Tensor, longest: int) -> Tensor:
        """(sets, longest) weights of the ranks."""
        encoding = rank_encoding(longest, self.encoding_dim, lengths.device).expand(lengths.shape[0], -1, -1)
        return self.spread(self.score(self.unpacked(encoding, lengths))[..., 0], lengths)


class EqualPooling(UnpackedPooling):
    """Generalized pooling of sets that all have the same number of members: their weights are made once for all."""

    def weights(self, lengths: Tensor, longest: int) -> Tensor:
        """(1, longest): the same for every set."""
        return super().weights(torch.full((1,), longest, device=lengths.device), longest)


def with_poolings(module: Module, replacement: Callable[[GeneralizedPooling], nn.Module]) -> Module:
    """A copy with a replacement of each of its generalized poolings."""
    copy = deepcopy(module)
    for part in copy.modules():
        for name, child in part.named_children():
            if isinstance(child, GeneralizedPooling):
                setattr(part, name, replacement(child))
    return copy


def _one_direction(gru: nn.GRU, layer: int, suffix: str) -> nn.GRU:
    inputs = gru.input_size if layer == 0 else 2 * gru.hidden_size
    one = nn.GRU(inputs, gru.hidden_size, bias=gru.bias, batch_first=True)
    names = [name for name, _ in one.named_parameters()]
    one.load_state_dict({name: getattr(gru, f"{name.removesuffix('_l0')}_l{layer}{suffix}") for name in names})
    return one
