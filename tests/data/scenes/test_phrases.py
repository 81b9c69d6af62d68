"""Captions say what they claim, and claim what is true."""

from __future__ import annotations

import re
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data.scenes import Group, Scene
from bcls.data.scenes.phrases import COLOUR_WORDS, PLURALS, SHAPE_WORDS, SIZE_WORDS, describe
from bcls.data.scenes.scene import COLOURS, SHAPES, SIZES

NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "a pair of": 2, "three": 3, "four": 4, "some": None}
RELATIONS = {
    "to the left of": "left of", "left of": "left of", "to the right of": "right of", "right of": "right of",
    "above": "above", "over": "above", "below": "below", "under": "below",
}  # fmt: skip


def one_of(words):
    return "|".join(sorted(words, key=len, reverse=True))


def meanings(words):
    return {word: meaning for meaning, said in words.items() for word in said}


SHAPE, COLOUR, SIZE = meanings(SHAPE_WORDS), meanings(COLOUR_WORDS), meanings(SIZE_WORDS)
SINGULARS = {"shape": None} | SHAPE
NOUNS = SINGULARS | {PLURALS.get(word, f"{word}s"): shape for word, shape in SINGULARS.items()}
GROUP = re.compile(
    rf"(?P<count>{one_of(NUMBERS)}) (?:(?P<size>{one_of(SIZE)}) )?"
    rf"(?:(?P<colour>{one_of(COLOUR)}) )?(?P<noun>{one_of(NOUNS)})"
)


def understood(text):
    """A caption's groups, relation and background, from its words alone."""
    text = re.sub("^(a picture of|an image with|we see) ", "", text)
    background = re.search(r" on a (\w+) background$", text)
    text = re.sub(r" on a \w+ background$", "", text)
    groups = [
        (NOUNS[found["noun"]], COLOUR.get(found["colour"]), SIZE.get(found["size"]), NUMBERS[found["count"]])
        for found in GROUP.finditer(text)
    ]
    for found in GROUP.finditer(text):
        assert (found["noun"] in SINGULARS) == (NUMBERS[found["count"]] == 1), text
    between = GROUP.sub("#", text)
    relation = re.fullmatch(f"# ({one_of(RELATIONS)}) #", between)
    assert relation or between == "#" or re.fullmatch("#(, #)* and #", between), text
    return groups, relation and RELATIONS[relation[1]], background and background[1]


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_the_words_say_just_what_is_claimed(scenes, data):
    scene = data.draw(scenes)
    seed = data.draw(st.integers(0, 10**6))
    text, claims = describe(scene, np.random.default_rng(seed))
    groups = [(claim.shape, claim.colour, claim.size, claim.count) for claim in claims.groups]
    assert understood(text) == (groups, claims.relation, claims.background)


def true_of(claims, scene, places):
    """Whether the claims hold if the claimed groups are those at `places`."""
    for claim, place in zip(claims.groups, places, strict=True):
        group = scene.groups[place]
        for name in ("shape", "colour", "size", "count"):
            if getattr(claim, name) not in (None, getattr(group, name)):
                return False
    reverse = {"left of": "right of", "above": "below"}[scene.relation]
    holds = claims.relation in (None, scene.relation if places[0] < places[-1] else reverse)
    return holds and claims.background in (None, scene.background)


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_every_claim_is_true_of_the_scene(scenes, data):
    scene = data.draw(scenes)
    seed = data.draw(st.integers(0, 10**6))
    _, claims = describe(scene, np.random.default_rng(seed))
    assert 1 <= len(claims.groups) <= len(scene.groups)
    assert claims.relation is None or len(claims.groups) == 2
    orders = permutations(range(len(scene.groups)), len(claims.groups))
    assert any(true_of(claims, scene, places) for places in orders)


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_every_claimed_group_has_a_shape_or_a_colour(scenes, data):
    scene = data.draw(scenes)
    seed = data.draw(st.integers(0, 10**6))
    for claim in describe(scene, np.random.default_rng(seed))[1].groups:
        assert claim.shape or claim.colour


@pytest.fixture(scope="module")
def told():
    """Many captions of two scenes."""
    scenes = [
        Scene((Group("cross", "orange", "large", 1), Group("square", "red", "small", 2)), "left of", "black"),
        Scene((Group("diamond", "orange", "small", 4), Group("cross", "blue", "large", 3)), "above", "white"),
    ]
    return [describe(scene, np.random.default_rng(seed)) for scene in scenes for seed in range(400)]


def test_articles_and_plurals_are_english(told):
    text = " ".join(caption for caption, _ in told)
    assert not re.search(r"\ba [aeio]", text.replace("a one", ""))
    assert not re.search(r"\ban [^aeiou]", text)
    for right in ("an orange", "boxes", "crosses", "rhombuses"):
        assert f"{right} " in text
    assert not re.search(r"boxs|crosss|rhombuss", text)


def test_captions_have_all_levels_of_detail(told):
    kinds = {(len(claims.groups), claims.relation, claims.background) for _, claims in told}
    assert {
        (1, None, None),
        (2, "left of", None),
        (2, "right of", None),
        (2, "above", None),
        (2, "below", None),
    } <= kinds
    assert any(background == "black" for _, _, background in kinds)
    lengths = [len(caption.split()) for caption, _ in told]
    assert min(lengths) <= 3
    assert max(lengths) >= 12


def test_the_words_have_names_for_everything():
    assert (set(SHAPE_WORDS), set(COLOUR_WORDS), set(SIZE_WORDS)) == (set(SHAPES), set(COLOURS), set(SIZES))
    for words in (SHAPE_WORDS, COLOUR_WORDS, SIZE_WORDS):
        assert len(meanings(words)) == sum(map(len, words.values()))


def test_the_same_randomness_says_the_same():
    scene = Scene((Group("star", "red", "small", 1), Group("ring", "blue", "large", 2)), "above", "grey")
    assert describe(scene, np.random.default_rng(3)) == describe(scene, np.random.default_rng(3))
