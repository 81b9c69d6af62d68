"""Items in blocks, taken no earlier than they are needed."""

from __future__ import annotations

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.search.blocks import blocks


@given(st.lists(st.integers(), max_size=30), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_the_blocks_are_the_items_in_order_all_full_but_the_last(items, size):
    found = list(blocks(items, size))
    assert [item for block in found for item in block] == items
    assert all(len(block) == size for block in found[:-1])
    assert all(1 <= len(block) <= size for block in found[-1:])


def test_an_endless_source_is_read_a_block_at_a_time():
    source = count()
    found = blocks(source, 3)
    assert next(found) == [0, 1, 2]
    assert next(source) == 3
    assert next(found) == [4, 5, 6]
