"""Many sets of vectors without their padding."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from bcls.models.similarity import real_members


class PackedSets:
    """Sets of vectors end to end in one tensor, so that a long set costs the others nothing.

    Args:
        blocks: sets as an embedding has them, (sets, longest, dim) with zero padding; the longest may differ.

    Example:
        >>> packed = PackedSets([torch.ones(2, 3, 4), torch.ones(1, 5, 4)])
        >>> len(packed), packed.take(torch.tensor([0, 2])).shape, packed.take(torch.tensor([1])).shape
        (3, torch.Size([2, 5, 4]), torch.Size([1, 3, 4]))
    """

    def __init__(self, blocks: Iterable[Tensor]) -> None:
        members, lengths = [], []
        for block in blocks:
            real = real_members(block)
            members.append(block[real])
            lengths.append(real.sum(dim=1))
        self._members = torch.cat(members)
        self._lengths = torch.cat(lengths)
        self._starts = self._lengths.cumsum(0) - self._lengths

    def __len__(self) -> int:
        return len(self._lengths)

    def take(self, rows: Tensor) -> Tensor:
        """The sets at `rows`, padded with zeros to the longest of them: (rows, longest, dim)."""
        rows = rows.to(self._lengths.device)
        lengths = self._lengths[rows]
        longest = max(1, int(lengths.max())) if len(rows) else 1
        position = torch.arange(longest, device=lengths.device)
        real = position < lengths[:, None]
        taken = self._members.new_zeros(len(rows), longest, self._members.shape[1])
        taken[real] = self._members[(self._starts[rows, None] + position)[real]]
        return taken
