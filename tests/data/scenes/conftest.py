"""Scenes to test on."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from bcls.data.scenes import Group, Scene
from bcls.data.scenes.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES


@pytest.fixture(scope="session")
def scenes():
    """A strategy of scenes."""
    groups = st.builds(
        Group, st.sampled_from(SHAPES), st.sampled_from(COLOURS), st.sampled_from(SIZES), st.integers(1, MOST)
    )
    return st.builds(
        Scene,
        st.lists(groups, min_size=1, max_size=3).map(tuple),
        st.sampled_from(["left of", "above"]),
        st.sampled_from(BACKGROUNDS),
    )
