"""Strangers that beat each positive, against a loop over all candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, positive_ranks
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import similarity_blocks
from bcls.evaluation.strangers import NUMPY_ROWS, Positives, count_strangers

WAYS = pytest.mark.parametrize("fast", [False, True])


def positives_of(scores, truth, fold):
    return Positives.of(truth, fold, lambda images, captions: scores[images, captions])


def count(scores, truth, fold, *, ties="expected", block=100, fast=False):
    positives = positives_of(scores, truth, fold)
    return positives, count_strangers(similarity_blocks(scores, truth), fold, positives, ties, block, fast=fast)


def naive(scores, truth, fold, positives):
    """For each positive look at every candidate that is none of its query: at least as much, more."""
    part, image_of = scores[np.ix_(fold.images, fold.captions)], truth.caption_image[fold.captions]
    counts = {"image_to_text": [], "text_to_image": []}
    for image, caption in zip(positives.image, positives.caption, strict=True):
        own = part[image, caption]
        others = part[image, image_of != fold.images[image]]
        counts["image_to_text"].append([(others >= own).sum(), (others > own).sum()])
        others = np.delete(part[:, caption], image)
        counts["text_to_image"].append([(others >= own).sum(), (others > own).sum()])
    return {direction: np.reshape(found, (-1, 2)).T for direction, found in counts.items()}


def draw(seed, dtype=np.float64):
    """Ties, images with no, one and many captions in any order, distractors, and a part of it as the gallery."""
    random = np.random.default_rng(seed)
    images, captions, levels = random.integers(1, 8), random.integers(1, 16), random.integers(1, 9)
    truth = RetrievalTruth(np.append(random.integers(-1, images, captions), random.integers(images)), int(images))
    scores = (random.integers(-levels, levels + 1, (images, captions + 1)) / 2).astype(dtype)
    rows, columns = (np.flatnonzero(random.random(size) < 0.8) for size in scores.shape)
    return scores, truth, Fold(rows, columns)


def test_positives_are_by_image_and_the_best_scored_first():
    scores = np.array([[0.1, 0.9, 0.5, 0.3], [0.2, 0.4, 0.6, 0.8]])
    positives = positives_of(scores, RetrievalTruth(np.array([1, 0, 1, 0]), 2), Fold(np.arange(2), np.arange(4)))
    assert positives.image.tolist() == [0, 0, 1, 1]
    assert positives.caption.tolist() == [1, 3, 2, 0]
    assert positives.own.tolist() == [0.9, 0.3, 0.6, 0.2]
    assert (positives.images, positives.captions) == (2, 4)


def test_positives_are_positions_in_the_gallery():
    scores = np.arange(20.0).reshape(4, 5)
    truth = RetrievalTruth(np.array([3, 1, 3, 0, -1]), 4)
    positives = positives_of(scores, truth, Fold(np.array([1, 2, 3]), np.array([2, 3, 4, 1])))
    assert positives.image.tolist() == [0, 2]
    assert positives.caption.tolist() == [3, 0]
    assert positives.own.tolist() == [scores[1, 1], scores[3, 2]]


def test_scores_of_pairs_are_asked_for_by_ascending_image():
    asked = []

    def pairs(images, captions):
        asked.append(images.tolist())
        return np.zeros(images.size)

    Positives.of(RetrievalTruth(np.array([2, 0, 1, 0]), 3), Fold(np.arange(3), np.arange(4)), pairs)
    assert asked == [[0, 0, 1, 2]]


def test_starts_leave_images_without_positives_empty():
    positives = positives_of(np.zeros((5, 3)), RetrievalTruth(np.array([3, 1, 3]), 5), Fold(np.arange(5), np.arange(3)))
    assert positives.starts.tolist() == [0, 0, 1, 1, 3, 3]


def test_values_are_laid_out_by_caption():
    positives = Positives(np.array([0, 1]), np.array([3, 1]), np.zeros(2), 2, 4)
    assert positives.by_caption(np.array([7, 8]), -1).tolist() == [-1, 8, -1, 7]
    assert positives.by_caption(np.array([[7, 8], [5, 6]]), 0).tolist() == [[0, 8, 0, 7], [0, 6, 0, 5]]


@WAYS
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 100]), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=25)
def test_counts_are_those_of_a_loop_whatever_the_block(fast, seed, block, dtype):
    scores, truth, fold = draw(seed, dtype)
    if not fold.captions.size:
        fold = Fold(fold.images, np.array([0]))
    positives, counts = count(scores, truth, fold, block=block, fast=fast)
    for direction, expected in naive(scores, truth, fold, positives).items():
        np.testing.assert_array_equal(counts[direction], expected)


@WAYS
@pytest.mark.parametrize("images", [NUMPY_ROWS - 1, NUMPY_ROWS, 2 * NUMPY_ROWS + 1])
def test_counts_are_those_of_a_loop_over_many_rows(fast, images):
    random = np.random.default_rng(images)
    truth = RetrievalTruth(random.integers(-1, images, 3 * images), images)
    scores = random.integers(0, 6, (images, 3 * images)) / 4
    fold = Fold(np.arange(images), np.arange(3 * images))
    positives, counts = count(scores, truth, fold, block=2 * NUMPY_ROWS, fast=fast)
    for direction, expected in naive(scores, truth, fold, positives).items():
        np.testing.assert_array_equal(counts[direction], expected)


@WAYS
def test_the_worst_case_asks_for_one_level_alone(fast):
    scores, truth = np.array([[0.5, 0.5, 0.9]]), RetrievalTruth(np.array([0, -1, -1]), 1)
    fold = Fold(np.arange(1), np.arange(3))
    assert count(scores, truth, fold, ties="worst", fast=fast)[1]["image_to_text"].tolist() == [[2]]
    assert count(scores, truth, fold, ties="expected", fast=fast)[1]["image_to_text"].tolist() == [[2], [1]]


@WAYS
def test_the_next_number_is_more_and_minus_zero_is_zero(fast):
    truth, fold = RetrievalTruth(np.array([0, -1, -1, -1]), 1), Fold(np.arange(1), np.arange(4))
    for own in (0.0, -0.0, 1.0, -3.5, 1e-310, -5e-324):
        scores = np.array([[own, own + 0.0, np.nextafter(own, np.inf), np.nextafter(own, -np.inf)]])
        assert count(scores, truth, fold, fast=fast)[1]["image_to_text"].tolist() == [[2], [1]]


@WAYS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", [1, 2, 100])
def test_a_bad_score_is_named_by_its_rows_of_the_whole(fast, bad, block):
    scores = np.zeros((5, 4))
    scores[3, 2] = bad
    truth = RetrievalTruth(np.array([1, 3, 0, 4]), 5)
    with pytest.raises(InputError, match=rf"similarity of image row 3 and caption row 2 is {bad}, not a finite number"):
        count(scores, truth, Fold(np.array([1, 3, 4]), np.array([3, 2, 0])), block=block, fast=fast)


@WAYS
def test_a_bad_score_outside_the_gallery_is_not_looked_at(fast):
    scores = np.zeros((2, 2))
    scores[1, 1] = np.nan
    fold = Fold(np.array([0]), np.array([0]))
    assert count(scores, RetrievalTruth(np.array([0, 1]), 2), fold, fast=fast)[1]["text_to_image"].tolist() == [
        [0],
        [0],
    ]


@WAYS
def test_a_gallery_without_positives_has_no_counts(fast):
    fold = Fold(np.array([0]), np.array([1]))
    positives, counts = count(np.ones((2, 2)), RetrievalTruth(np.array([0, 1]), 2), fold, fast=fast)
    assert {direction: found.shape for direction, found in counts.items()} == dict.fromkeys(counts, (2, 0))
    assert positives.ranks(counts, "expected")["image_to_text"].rank.size == 0


@pytest.mark.parametrize("ties", ["worst", "expected"])
@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_ranks_from_the_counts_of_a_loop_are_those_of_each_direction(ties, seed):
    scores, truth, fold = draw(seed)
    positives = positives_of(scores, truth, fold)
    counts = naive(scores, truth, fold, positives)
    ranks = positives.ranks(counts if ties == "expected" else {side: one[:1] for side, one in counts.items()}, ties)
    part = scores[np.ix_(fold.images, fold.captions)]
    for direction, table, queries, candidates in (
        ("image_to_text", part, fold.images, fold.captions),
        ("text_to_image", part.T, fold.captions, fold.images),
    ):
        expected = positive_ranks(table, *truth.positives(direction, queries, candidates), ties)
        np.testing.assert_array_equal(ranks[direction].query, expected.query)
        np.testing.assert_array_equal(ranks[direction].rank, expected.rank)
        assert ranks[direction].queries == queries.size
