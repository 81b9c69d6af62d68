"""Scenes and claims survive JSON."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data.scenes import Claim, Claims, Scene


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_scene_comes_back_from_json(scenes, data):
    scene = data.draw(scenes)
    assert Scene.from_json(json.loads(json.dumps(scene.to_json()))) == scene


words = st.none() | st.text(max_size=3)


@given(
    st.builds(
        Claims,
        st.lists(st.builds(Claim, words, words, words, st.none() | st.integers(1, 4)), max_size=3).map(tuple),
        words,
        words,
    )
)
@settings(deadline=None, max_examples=30)
def test_claims_come_back_from_json(claims):
    assert Claims.from_json(json.loads(json.dumps(claims.to_json()))) == claims
