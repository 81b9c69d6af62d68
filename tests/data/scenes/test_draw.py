"""Pictures show what the scene says, seen by counting blobs of colour."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from bcls.data.scenes import Group, Scene
from bcls.data.scenes.draw import BACKDROP, PALETTE, draw_scene
from bcls.data.scenes.scene import BACKGROUNDS, COLOURS, SHAPES

SIZE = 192


def drawn(*groups, relation="left of", background="white", seed=0, size=SIZE):
    picture = draw_scene(Scene(groups, relation, background), size, np.random.default_rng(seed))
    return np.asarray(picture).astype(int)


def blobs(pixels, colour):
    """Row and column boxes of the connected regions of a colour."""
    near = np.abs(pixels - np.array(PALETTE[colour])).sum(axis=2) < 40
    labels, _ = ndimage.label(near)
    boxes = ndimage.find_objects(labels)
    return [box for number, box in enumerate(boxes, start=1) if (labels[box] == number).sum() > 30]


def area(pixels, colour):
    return int((np.abs(pixels - np.array(PALETTE[colour])).sum(axis=2) < 40).sum())


@pytest.mark.parametrize("size", [16, 64, 100])
def test_the_picture_is_square_and_rgb(size):
    picture = draw_scene(Scene((Group("star", "red", "small", 1),), "above", "grey"), size, np.random.default_rng(0))
    assert (picture.mode, picture.size) == ("RGB", (size, size))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("size", ["small", "large"])
def test_there_are_as_many_objects_as_the_scene_says(shape, count, size):
    pixels = drawn(Group(shape, "red", size, count), seed=count)
    assert len(blobs(pixels, "red")) == count


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_colour_and_background_are_those_of_the_scene(colour, background):
    pixels = drawn(Group("square", colour, "large", 2), background=background)
    assert len(blobs(pixels, colour)) == 2
    others = sum(area(pixels, other) for other in COLOURS if other != colour)  # an orange edge on black is brown
    assert area(pixels, colour) > 20 * others
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_array_equal(corners, [BACKDROP[background]] * 4)


@pytest.mark.parametrize("seed", range(5))
def test_large_objects_are_larger(seed):
    large, small = (drawn(Group("heart", "blue", size, 3), seed=seed) for size in ("large", "small"))
    assert area(large, "blue") > 1.6 * area(small, "blue")


@pytest.mark.parametrize(("relation", "axis"), [("left of", 1), ("above", 0)])
@pytest.mark.parametrize("seed", range(3))
def test_groups_stand_in_the_relation_of_the_scene(relation, axis, seed):
    groups = [Group("circle", colour, "large", 1 + seed) for colour in ("red", "green", "blue")]
    pixels = drawn(*groups, relation=relation, seed=seed)
    spans = [[(box[axis].start, box[axis].stop) for box in blobs(pixels, group.colour)] for group in groups]
    for first, second in pairwise(spans):
        assert max(stop for _, stop in first) <= min(start for start, _ in second)


def test_every_shape_looks_different():
    masks = {shape: drawn(Group(shape, "brown", "large", 1))[:, :, 0] < 190 for shape in SHAPES}
    for shape, mask in masks.items():
        for other, another in masks.items():
            overlap = (mask & another).sum() / (mask | another).sum()
            assert (overlap == 1) == (shape == other)
            assert shape == other or overlap < 0.92


def test_shapes_have_the_outline_of_their_name():
    def fill(shape):
        pixels = drawn(Group(shape, "purple", "large", 1))
        (box,) = blobs(pixels, "purple")
        return area(pixels, "purple") / ((box[0].stop - box[0].start) * (box[1].stop - box[1].start))

    assert fill("square") == pytest.approx(1, abs=0.02)
    assert fill("circle") == pytest.approx(np.pi / 4, abs=0.03)
    assert fill("triangle") == pytest.approx(0.5, abs=0.03)
    assert fill("diamond") == pytest.approx(0.5, abs=0.03)
    assert fill("ring") == pytest.approx(np.pi / 4 * (1 - 0.62**2), abs=0.04)


def test_a_ring_is_hollow():
    pixels = drawn(Group("ring", "red", "large", 1))
    (box,) = blobs(pixels, "red")
    middle = [(side.start + side.stop) // 2 for side in box]
    np.testing.assert_array_equal(pixels[tuple(middle)], BACKDROP["white"])


def test_the_same_randomness_gives_the_same_picture():
    group = Group("star", "red", "small", 3)
    np.testing.assert_array_equal(drawn(group, seed=4), drawn(group, seed=4))
    assert (drawn(group, seed=4) != drawn(group, seed=5)).any()
