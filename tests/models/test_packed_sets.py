"""Sets without padding are the sets that went in."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.models.packed_sets import PackedSets
from bcls.models.similarity import real_members


def padded(lengths: list[int], longest: int) -> torch.Tensor:
    sets = torch.zeros(len(lengths), longest, 3)
    for row, length in enumerate(lengths):
        sets[row, :length] = torch.randn(length, 3)
    return sets


@given(
    blocks=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3), min_size=1, max_size=3),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_any_rows_come_back_padded_to_their_longest(blocks, data):
    torch.manual_seed(0)
    sets = [padded(lengths, max(lengths) + extra) for extra, lengths in enumerate(blocks)]
    packed = PackedSets(sets)
    lengths = [length for block in blocks for length in block]
    assert len(packed) == len(lengths)
    rows = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=5))
    taken = packed.take(torch.tensor(rows))
    assert taken.shape == (len(rows), max(lengths[row] for row in rows), 3)
    each = [one for block in sets for one in block]
    for found, row in zip(taken, rows, strict=True):
        assert torch.equal(found[: lengths[row]], each[row][: lengths[row]])
        assert not real_members(found[None])[0, lengths[row] :].any()
