"""What is forgotten is what was not asked for longest, whatever was done before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bcls.server.recent import Recent


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(1, 5)), max_size=40), st.integers(1, 12))
def test_like_a_list_kept_by_hand(steps, room):
    recent: Recent[int, int] = Recent(room, lambda size: size)
    kept: list[tuple[int, int]] = []
    for puts, key, size in steps:
        old = dict(kept).get(key)
        if puts:
            recent.put(key, size)
            kept = [pair for pair in kept if pair[0] != key] + ([(key, size)] if size <= room else [])
            while sum(size for _, size in kept) > room:
                kept.pop(0)
        else:
            assert recent.get(key) == old
            if old is not None:
                kept = [pair for pair in kept if pair[0] != key] + [(key, old)]
    assert len(recent) == len(kept)
