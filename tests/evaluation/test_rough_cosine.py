"""Strangers counted from a rough product, against the counts from exact cosines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation import CosineSimilarity, RetrievalTruth, rough_cosine
from bcls.evaluation.kernels import near_ties
from bcls.evaluation.protocols import Fold
from bcls.evaluation.rough_cosine import count_rough_strangers, exact_pairs
from bcls.evaluation.similarity import similarity_blocks
from bcls.evaluation.strangers import Positives, count_strangers

IMAGES, CAPTIONS = 12, 40


def assert_counts(cosine, truth, fold, block=5):
    """The rough way counts what `count_strangers` does; whether anything was counted at all."""
    positives = Positives.of(truth, fold, lambda images, captions: exact_pairs(cosine, images, captions))
    found = count_rough_strangers(cosine, fold, positives, block)
    exact = count_strangers(similarity_blocks(cosine, truth), fold, positives, "expected", block, fast=False)
    assert found is not None
    for direction, counts in exact.items():
        np.testing.assert_array_equal(found[direction], counts)
    return positives, found


def truth_of(random):
    """Images with no, one and many captions, and captions without image."""
    return RetrievalTruth(np.append(random.integers(-1, IMAGES, CAPTIONS - 1), 0), IMAGES)


@pytest.fixture
def all_doubtful(monkeypatch):
    """However many scores are doubtful, they are looked at again."""
    monkeypatch.setattr(rough_cosine, "DOUBTFUL_SHARE", 1000)


@given(st.integers(0, 10_000), st.sampled_from([1, 5, 64]), st.sampled_from([1, 3, 12, 100]))
@settings(deadline=None, max_examples=20)
def test_counts_of_any_embeddings_are_exact(seed, width, block):
    random = np.random.default_rng(seed)
    cosine = CosineSimilarity(random.standard_normal((IMAGES, width)), random.standard_normal((CAPTIONS, width)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rough_cosine, "DOUBTFUL_SHARE", 1000)  # one dimension: every cosine is 1 or -1
        assert_counts(cosine, truth_of(random), Fold(np.arange(IMAGES), np.arange(CAPTIONS)), block)


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5])
def test_near_ties_that_single_precision_cannot_tell_are_told(all_doubtful, noise):
    """All captions of a crowd lie by the same direction, nearer to each other than the rough product is right."""
    for seed in range(4):
        random = np.random.default_rng(seed)
        images = random.standard_normal((IMAGES, 24))
        crowd = images[0] + images[1] + 0.1 * random.standard_normal(24)
        cosine = CosineSimilarity(images, crowd + noise * random.standard_normal((CAPTIONS, 24)))
        assert_counts(cosine, truth_of(random), Fold(np.arange(IMAGES), np.arange(CAPTIONS)))


def test_scores_one_step_of_single_precision_apart_are_in_order(all_doubtful):
    """The rough product alone would put them in another order, or tie them."""
    steps = 0.5 + 2.0**-24 * np.arange(CAPTIONS)
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((48, 48)))[0]
    cosine = CosineSimilarity(turn[:1], np.outer(steps, turn[0]) + np.outer(np.sqrt(1 - steps**2), turn[1]))
    scores = cosine(np.arange(1), np.arange(CAPTIONS))[0]
    assert np.unique(scores).size == CAPTIONS
    assert np.unique(cosine.captions.astype(np.float32) @ cosine.images[0].astype(np.float32)).size < CAPTIONS
    for own in (0, 20, CAPTIONS - 1):
        truth = RetrievalTruth(np.where(np.arange(CAPTIONS) == own, 0, -1), 1)
        _, found = assert_counts(cosine, truth, Fold(np.arange(1), np.arange(CAPTIONS)))
        assert found["image_to_text"].tolist() == [[CAPTIONS - 1 - own]] * 2


def test_twins_of_a_positive_tie_with_it(all_doubtful):
    random = np.random.default_rng(2)
    images, captions = random.standard_normal((4, 31)), random.standard_normal((9, 31))
    captions[1:4] = 3 * captions[0]
    images[1:3] = images[0] / 7
    truth = RetrievalTruth(np.array([0, 1, -1, -1, 2, 2, 3, 3, -1]), 4)
    positives, found = assert_counts(CosineSimilarity(images, captions), truth, Fold(np.arange(4), np.arange(9)))
    tied = {side: (one[0] - one[1])[positives.caption == 0].tolist() for side, one in found.items()}
    assert tied == {"image_to_text": [3], "text_to_image": [2]}


def test_other_positives_of_an_image_are_no_strangers_however_near(all_doubtful):
    random = np.random.default_rng(3)
    captions = random.standard_normal((6, 8))
    captions[1] = captions[0]
    captions[2] = captions[0] * (1 + 1e-9)
    images = np.stack([captions[0], random.standard_normal(8)])
    truth = RetrievalTruth(np.array([0, 0, 0, 1, 1, 1]), 2)
    positives, found = assert_counts(CosineSimilarity(images, captions), truth, Fold(np.arange(2), np.arange(6)))
    assert found["image_to_text"][:, positives.image == 0].tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("block", [1, 4, 100])
def test_a_part_of_the_rows_in_any_order_of_captions_is_a_gallery_of_its_own(all_doubtful, block):
    random = np.random.default_rng(5)
    cosine = CosineSimilarity(random.integers(-2, 3, (IMAGES, 3)) + 0.5, random.integers(-2, 3, (CAPTIONS, 3)) + 0.5)
    fold = Fold(np.array([1, 2, 3, 7, 8, 11]), random.permutation(CAPTIONS)[:25])
    assert_counts(cosine, truth_of(random), fold, block)


def test_more_columns_than_are_looked_at_in_one_piece(all_doubtful):
    random = np.random.default_rng(6)
    columns = 2 * near_ties.PIECE + 3
    cosine = CosineSimilarity(random.integers(-1, 2, (3, 4)) + 0.5, random.integers(-1, 2, (columns, 4)) + 0.5)
    truth = RetrievalTruth(np.append(random.integers(-1, 3, columns - 1), 2), 3)
    assert_counts(cosine, truth, Fold(np.arange(3), np.arange(columns)), 2)


def test_a_gallery_without_positives_has_no_counts():
    fold = Fold(np.array([0]), np.array([1]))
    _, found = assert_counts(CosineSimilarity(np.eye(2), np.eye(2)), RetrievalTruth(np.array([0, 1]), 2), fold)
    assert found["image_to_text"].shape == found["text_to_image"].shape == (2, 0)


def test_where_all_is_alike_it_gives_up():
    truth, fold = RetrievalTruth.from_counts([2] * 20), Fold(np.arange(20), np.arange(40))
    cosine = CosineSimilarity(np.ones((20, 3)), np.ones((40, 3)))
    assert count_rough_strangers(cosine, fold, Positives.of(truth, fold, cosine.pairs), 7) is None


def test_where_only_the_last_block_is_alike_it_gives_up_too():
    random = np.random.default_rng(7)
    images, captions = random.standard_normal((20, 16)), random.standard_normal((40, 16))
    captions[20:] = captions[20]
    captions[20:] += images[19]
    images[15:] = images[19]
    cosine, truth = CosineSimilarity(images, captions), RetrievalTruth.from_counts([2] * 20)
    first, whole = Fold(np.arange(10), np.arange(20)), Fold(np.arange(20), np.arange(40))
    assert count_rough_strangers(cosine, first, Positives.of(truth, first, cosine.pairs), 5) is not None
    assert count_rough_strangers(cosine, whole, Positives.of(truth, whole, cosine.pairs), 5) is None


def test_exact_pairs_are_cosines_of_these_pairs():
    random = np.random.default_rng(8)
    cosine = CosineSimilarity(random.standard_normal((5, 17)), random.standard_normal((6, 17)))
    images, captions = random.integers(0, 5, 30), random.integers(0, 6, 30)
    found = exact_pairs(cosine, images, captions)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, cosine(np.arange(5), np.arange(6))[images, captions])
    assert exact_pairs(cosine, images[:0], captions[:0]).shape == (0,)
