"""The binary truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_positives_are_the_pairs_of_a_caption_and_its_image(caption_image, random):
    if max(caption_image) < 0:
        caption_image[0] = 0
    truth = RetrievalTruth(np.array(caption_image), images=5)
    images = random.sample(range(5), 3)
    captions = random.sample(range(len(caption_image)), random.randint(1, len(caption_image)))
    expected = {(i, t) for i, image in enumerate(images) for t, c in enumerate(captions) if caption_image[c] == image}
    forward = truth.positives("image_to_text", np.array(images), np.array(captions))
    backward = truth.positives("text_to_image", np.array(captions), np.array(images))
    assert set(zip(*map(np.ndarray.tolist, forward), strict=True)) == expected
    assert {(i, t) for t, i in zip(*map(np.ndarray.tolist, backward), strict=True)} == expected
    assert forward[0].size == len(expected) == backward[0].size


def test_distractors_are_no_queries():
    truth = RetrievalTruth(np.array([2, -1, 2, 0]), images=4)
    assert truth.queries("image_to_text").tolist() == [0, 2]
    assert truth.queries("text_to_image").tolist() == [0, 2, 3]
    assert (truth.size("image_to_text"), truth.size("text_to_image")) == (4, 4)


def test_counts_and_ids_say_the_same():
    by_counts = RetrievalTruth.from_counts([1, 0, 2])
    by_ids = RetrievalTruth.from_ids(["a", "b", "c"], ["a", "c", "c"])
    assert by_counts.caption_image.tolist() == by_ids.caption_image.tolist()
    assert by_counts.images == by_ids.images == 3
    assert by_ids.name("image", 1) == "image row 1 (b)"
    assert by_counts.name("caption", 1) == "caption row 1"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RetrievalTruth(np.array([0, 3]), images=3), "caption row 1: image row 3 is not in -1..2"),
        (lambda: RetrievalTruth(np.array([0, -2]), images=3), "caption row 1: image row -2"),
        (lambda: RetrievalTruth(np.array([-1, -1]), images=3), "no caption has an image"),
        (lambda: RetrievalTruth(np.array([], dtype=int), images=3), "no caption has an image"),
        (lambda: RetrievalTruth(np.array([0.0]), images=3), "whole numbers"),
        (lambda: RetrievalTruth(np.array([[0]]), images=3), r"shape \(1, 1\)"),
        (lambda: RetrievalTruth(np.array([0]), images=2, image_ids=["a"]), "image_ids has 1 ids for 2 rows"),
        (lambda: RetrievalTruth(np.array([0]), images=1, caption_ids=[]), "caption_ids has 0 ids for 1 rows"),
        (lambda: RetrievalTruth.from_counts([1, -1]), "none of them negative"),
        (lambda: RetrievalTruth.from_ids(["a", "a"], ["a"]), "image row 1: the id 'a' is already that of row 0"),
        (lambda: RetrievalTruth.from_ids(["a"], ["a", "b"]), "caption row 1: there is no image 'b'"),
    ],
)
def test_a_wrong_truth_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
