"""True relevance of scenes and claims, by hand and against a plain loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data.scenes import Claim, Claims, Group, Scene, SceneRelevance
from bcls.data.scenes import truth as truth_module
from bcls.data.scenes.phrases import describe
from bcls.data.scenes.scene import BACKGROUNDS, COLOURS, MOST, SHAPES, SIZES

RED_DISCS = Group("circle", "red", "small", 2)
BLUE_STAR = Group("star", "blue", "large", 1)
SCENE = Scene((RED_DISCS, BLUE_STAR), "left of", "white")


def relevance(scene, claims):
    return float(SceneRelevance([scene], [claims]).matrix(np.array([0]), np.array([0]))[0, 0])


def all_of(group):
    return Claim(group.shape, group.colour, group.size, group.count)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        # weights: shape 0.4, colour 0.35, count 0.15, size 0.1; relation 0.3, background 0.2
        (Claims((Claim(shape="circle"),)), 1),
        (Claims((Claim(shape="heart"),)), 0),
        (Claims((Claim("circle", "blue"),)), 0.4 / 0.75),
        (Claims((Claim("heart", "red"),)), 0.35 / 0.75),
        (Claims((Claim("circle", "red", "large"),)), 0.75 / 0.85),
        (Claims((Claim("circle", count=3),)), (0.4 + 0.15 * 2 / 3) / 0.55),  # two or one are there: one off
        (Claims((Claim("circle", count=4),)), (0.4 + 0.15 * 1 / 3) / 0.55),
        (Claims((Claim("circle", "red"), Claim("circle", "red"))), 0.5),  # one group cannot be two
        (Claims((Claim("circle"), Claim("star"), Claim("heart"))), 2 / 3),
        (Claims((Claim("star"), Claim("circle"))), 1),  # the order in which groups are told does not matter
        (Claims((Claim("circle"), Claim("star")), "left of"), 1),
        (Claims((Claim("star"), Claim("circle")), "right of"), 1),
        (Claims((Claim("star"), Claim("circle")), "left of"), 0.8 / 1.1),
        (Claims((Claim("circle"), Claim("star")), "above"), 0.8 / 1.1),
        (Claims((Claim("star"),), background="white"), 1),
        (Claims((Claim("star"),), background="black"), 0.4 / 0.6),
        (Claims((Claim("heart"),), background="white"), 0.2 / 0.6),
    ],
)
def test_worked_by_hand(claims, expected):
    assert relevance(SCENE, claims) == pytest.approx(expected, abs=1e-6)


def test_a_wrong_match_may_be_better_than_a_wrong_relation():
    twins = Scene((RED_DISCS, replace(RED_DISCS, colour="green")), "left of", "white")
    claims = Claims((Claim(colour="green", count=2), Claim(count=2)), "left of")
    # as told: 0.35 + 0.15 + 0.15 and no relation; swapped: the counts and the relation
    assert relevance(twins, claims) == pytest.approx(0.65 / 0.95, abs=1e-6)


def test_a_relation_needs_two_groups():
    alone = Scene((RED_DISCS,), "left of", "white")
    assert relevance(alone, Claims((Claim("circle"), Claim("star")), "left of")) == pytest.approx(0.4 / 1.1, abs=1e-6)


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_every_caption_is_fully_true_of_its_own_picture(scenes, data):
    scene = data.draw(scenes)
    seed = data.draw(st.integers(0, 10**6))
    assert relevance(scene, describe(scene, np.random.default_rng(seed))[1]) == pytest.approx(1, abs=1e-6)


def test_fewer_shared_attributes_are_less_relevant():
    claims = Claims((all_of(RED_DISCS), all_of(BLUE_STAR)), "left of", "white")
    far = Scene((replace(RED_DISCS, colour="green"), BLUE_STAR), "left of", "white")
    farther = replace(far, groups=(replace(far.groups[0], shape="heart"), BLUE_STAR))
    steps = [
        SCENE,
        replace(SCENE, groups=(replace(RED_DISCS, size="large"), BLUE_STAR)),
        far,
        farther,
        replace(farther, relation="above"),
        replace(farther, relation="above", background="black"),
        Scene((replace(farther.groups[0], count=4),), "above", "black"),
    ]
    values = [relevance(scene, claims) for scene in steps]
    assert values[0] == 1
    assert all(nearer > farther for nearer, farther in pairwise(values))


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_changing_one_attribute_of_a_picture_never_helps_its_full_caption(scenes, data):
    scene = data.draw(scenes)
    claims = Claims(tuple(map(all_of, scene.groups)), scene.relation if len(scene.groups) == 2 else None)
    place = data.draw(st.integers(0, len(scene.groups) - 1))
    name, values = data.draw(
        st.sampled_from([("shape", SHAPES), ("colour", COLOURS), ("size", SIZES), ("count", range(1, MOST + 1))])
    )
    changed = replace(scene.groups[place], **{name: data.draw(st.sampled_from(values))})
    other = replace(scene, groups=(*scene.groups[:place], changed, *scene.groups[place + 1 :]))
    assert relevance(other, claims) <= relevance(scene, claims) + 1e-6


def by_loops(scene, claims):
    """The definition, one attribute at a time."""
    weights = {"shape": 0.4, "colour": 0.35, "size": 0.1}
    total = 0.3 * (claims.relation is not None) + 0.2 * (claims.background is not None)
    for claim in claims.groups:
        total += sum(weight for name, weight in weights.items() if getattr(claim, name) is not None)
        total += 0.15 * (claim.count is not None)
    best = 0.0
    for places in permutations(range(3), len(claims.groups)):
        fulfilled = 0.0
        for claim, place in zip(claims.groups, places, strict=True):
            if place >= len(scene.groups):
                continue
            group = scene.groups[place]
            fulfilled += sum(weight for name, weight in weights.items() if getattr(claim, name) == getattr(group, name))
            if claim.count is not None:
                fulfilled += 0.15 * (1 - abs(claim.count - group.count) / 3)
        if claims.relation is not None and max(places[:2]) < len(scene.groups):
            reverse = {"left of": "right of", "above": "below"}[scene.relation]
            fulfilled += 0.3 * (claims.relation == (scene.relation if places[0] < places[1] else reverse))
        best = max(best, fulfilled)
    return (best + 0.2 * (claims.background == scene.background)) / total


a_claim = st.builds(
    Claim,
    st.none() | st.sampled_from(SHAPES[:3]),
    st.none() | st.sampled_from(COLOURS[:3]),
    st.none() | st.sampled_from(SIZES),
    st.none() | st.integers(1, MOST),
).filter(lambda claim: claim != Claim())


@st.composite
def any_claims(draw):
    groups = tuple(draw(st.lists(a_claim, min_size=1, max_size=3)))
    relation = draw(st.sampled_from([None, "left of", "right of", "above", "below"])) if len(groups) == 2 else None
    return Claims(groups, relation, draw(st.none() | st.sampled_from(BACKGROUNDS)))


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_it_is_the_plain_loops_result_in_0_to_1(scenes, data):
    pictures = data.draw(st.lists(scenes, min_size=1, max_size=4))
    captions = data.draw(st.lists(any_claims(), min_size=1, max_size=4))
    matrix = SceneRelevance(pictures, captions).matrix(np.arange(len(pictures)), np.arange(len(captions)))
    assert matrix.dtype == np.float32
    assert matrix.min() >= 0
    assert matrix.max() <= 1
    expected = [[by_loops(scene, claims) for claims in captions] for scene in pictures]
    np.testing.assert_allclose(matrix, expected, atol=1e-5)


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(0)
    shapes = [random.choice(SHAPES[:4], size=2) for _ in range(30)]
    pictures = [Scene((Group(a, "red", "small", 1), Group(b, "blue", "large", 2)), "above", "grey") for a, b in shapes]
    return SceneRelevance(pictures, [describe(scene, random)[1] for scene in pictures])


def test_rows_and_columns_are_those_asked_for(many):
    images, captions = np.array([7, 2, 7, 29]), np.array([5, 0, 28])
    np.testing.assert_array_equal(
        many.matrix(images, captions), many.matrix(np.arange(30), np.arange(30))[np.ix_(images, captions)]
    )


def test_blocks_do_not_matter(many, monkeypatch):
    whole = many.matrix(np.arange(30), np.arange(30))
    monkeypatch.setattr(truth_module, "BLOCK_ELEMENTS", 4 * 30 * 9)
    np.testing.assert_array_equal(many.matrix(np.arange(30), np.arange(30)), whole)


def test_nothing_asked_for_is_nothing(many):
    nothing = np.zeros(0, dtype=np.int64)
    assert many.matrix(nothing, np.arange(3)).shape == (0, 3)
    assert many.matrix(np.arange(3), nothing).shape == (3, 0)
