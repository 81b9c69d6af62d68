"""Passes over the images."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.data.passes import caption_passes

caption_images = st.lists(st.integers(0, 8), max_size=40).map(lambda rows: np.array(rows, dtype=np.int64))


@given(caption_images, st.none() | st.integers(0, 5))
@settings(deadline=None)
def test_every_caption_is_in_one_pass(caption_image, seed):
    passes = caption_passes(caption_image, None if seed is None else np.random.default_rng(seed))
    assert sorted(caption for one in passes for caption in one.tolist()) == list(range(len(caption_image)))


@given(caption_images, st.none() | st.integers(0, 5))
@settings(deadline=None)
def test_pass_k_holds_once_every_image_with_so_many_captions(caption_image, seed):
    passes = caption_passes(caption_image, None if seed is None else np.random.default_rng(seed))
    counts = Counter(caption_image.tolist())
    assert len(passes) == max(counts.values(), default=0)
    for number, one in enumerate(passes):
        expected = sorted(image for image, count in counts.items() if count > number)
        assert sorted(caption_image[one].tolist()) == expected


def test_without_randomness_the_order_is_that_of_the_data():
    passes = caption_passes(np.array([2, 0, 2, 1, 0, 2]), None)
    assert [one.tolist() for one in passes] == [[1, 3, 0], [4, 2], [5]]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_caption_of_an_image_may_come_in_each_pass(number):
    caption_image = np.array([0, 0, 0])
    seen = {int(caption_passes(caption_image, np.random.default_rng(seed))[number][0]) for seed in range(40)}
    assert seen == {0, 1, 2}


def test_images_are_shuffled_within_a_pass():
    orders = {tuple(caption_passes(np.arange(3), np.random.default_rng(seed))[0].tolist()) for seed in range(60)}
    assert len(orders) == 6
