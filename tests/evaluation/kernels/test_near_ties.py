"""Counts from rough scores with the doubtful looked at again, against a loop over exact scores."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation.cosine import GRID, CosineSimilarity
from bcls.evaluation.kernels.near_ties import (
    PIECE,
    BlockRows,
    Thresholds,
    count_rough_block,
    exact_cosine,
    exact_cosines,
    exact_score,
    on_grid,
)

EVERYTHING = 10**9


def draw(seed, images, captions, share=0.3):
    """Cosines with ties, as exact scores and as rough ones that err within the band, and who owns which caption."""
    random = np.random.default_rng(seed)
    sides = random.integers(-1, 2, (images, 4)) + 0.5, random.integers(-1, 2, (captions, 4)) + 0.5
    cosine = CosineSimilarity(*sides)
    exact = cosine(np.arange(images), np.arange(captions))
    band = np.float32(random.choice([0.3, 0.01, 1e-6]))
    rough = exact + np.float32(0.6) * band * random.choice([-1, 0, 1], exact.shape).astype(np.float32)
    owners = np.where(random.random(captions) < share, random.integers(0, images, captions), -1)
    return cosine, exact, rough, band, owners


def thresholds_of(exact, owners):
    columns = np.argsort(owners, kind="stable")[(owners < 0).sum() :]
    starts = np.searchsorted(owners[columns], np.arange(len(exact) + 1))
    own = exact[owners[columns], columns]
    column_own = np.full(owners.size, np.inf, np.float32)
    column_own[columns] = own
    return Thresholds(starts, columns, own, column_own, owners)


def rows_of(cosine, shape):
    return BlockRows(cosine.images, cosine.captions, np.arange(shape[0]), np.arange(shape[1]))


def count(rough, band, rows, thresholds, limit=EVERYTHING):
    counts = np.zeros((2, thresholds.columns.size), np.int64), np.zeros((2, rough.shape[1]), np.int32)
    doubtful = count_rough_block(rough, band, rows, thresholds, *counts, limit)
    return *counts, doubtful


def naive(exact, thresholds):
    """At level 0 those that score at least as much, at level 1 those that tie; the query's own are no strangers."""
    by_row, by_column = np.zeros((2, thresholds.columns.size), int), np.zeros((2, exact.shape[1]), int)
    for row in range(len(exact)):
        for column in range(exact.shape[1]):
            score, owner = exact[row, column], thresholds.owners[column]
            if owner == row:
                continue
            by_column[:, column] += (score >= thresholds.column_own[column], score == thresholds.column_own[column])
            for positive in range(thresholds.starts[row], thresholds.starts[row + 1]):
                by_row[:, positive] += (score >= thresholds.own[positive], score == thresholds.own[positive])
    return by_row, by_column


def and_more(counts):
    return np.stack([counts[0], counts[0] - counts[1]])


@pytest.mark.parametrize(("images", "captions"), [(1, 1), (1, 9), (6, 1), (5, 30), (1, PIECE), (2, 2 * PIECE + 3)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_counts_are_those_of_exact_scores_however_rough_the_block(images, captions, share):
    for seed in range(5 if captions < PIECE else 1):
        cosine, exact, rough, band, owners = draw(seed, images, captions, share)
        thresholds = thresholds_of(exact, owners)
        *counts, _ = count(rough, band, rows_of(cosine, rough.shape), thresholds)
        for found, expected in zip(counts, naive(exact, thresholds), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_rows_and_columns_of_the_block_may_be_any_rows():
    random = np.random.default_rng(1)
    cosine, exact, *_ = draw(1, 9, 20)
    images, captions = random.permutation(9)[:4], random.permutation(20)[:11]
    exact = exact[np.ix_(images, captions)]
    thresholds = thresholds_of(exact, random.integers(-1, 4, 11))
    rows = BlockRows(cosine.images, cosine.captions, images, captions)
    for found, expected in zip(
        count(exact, np.float32(0.5), rows, thresholds)[:2], naive(exact, thresholds), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_caption_of_another_block_is_a_stranger_to_every_row():
    cosine, exact, *_ = draw(2, 6, 15)
    owners = np.random.default_rng(3).integers(0, 6, 15)
    whole, upper = thresholds_of(exact, owners), exact[3:]
    first = whole.starts[3]
    part = Thresholds(
        whole.starts[3:] - first, whole.columns[first:], whole.own[first:], whole.column_own, whole.owners - 3
    )
    rows = BlockRows(cosine.images, cosine.captions, np.arange(3, 6), np.arange(15))
    for found, expected in zip(count(upper, np.float32(0.1), rows, part)[:2], naive(upper, part), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_counts_are_added_to_those_that_are_there():
    cosine, exact, rough, band, owners = draw(4, 5, 12)
    thresholds = thresholds_of(exact, owners)
    once = count(rough, band, rows_of(cosine, rough.shape), thresholds)
    counts = np.full(once[0].shape, 10), np.full(once[1].shape, 20, np.int32)
    count_rough_block(rough, band, rows_of(cosine, rough.shape), thresholds, *counts, EVERYTHING)
    np.testing.assert_array_equal(counts[0], once[0] + 10)
    np.testing.assert_array_equal(counts[1], once[1] + 20)


def test_only_what_lies_within_the_band_is_looked_at_again():
    """Exact scores are all 1, rough ones tell another story: what is far from the positive is believed."""
    ones = np.ones((1, 1))
    rows = BlockRows(ones, ones, np.zeros(1, np.int64), np.zeros(7, np.int64))
    own = np.array([0.5], np.float32)
    column_own = np.array([0.5, *[np.inf] * 6], np.float32)
    thresholds = Thresholds(np.array([0, 1]), np.array([0]), own, column_own, np.array([0, *[-1] * 6]))
    rough = np.array([[0.5, 0.75, 0.6, 0.4, 0.375, 0.25, 0.625]], np.float32)
    by_row, _, doubtful = count(rough, np.float32(0.125), rows, thresholds)
    assert doubtful == 3  # 0.6, 0.4 and 0.375; 0.625 is beyond the band, 0.5 is the positive itself
    assert by_row.tolist() == [[2 + 3], [0]]


def test_it_stops_when_more_are_doubtful_than_allowed():
    cosine = CosineSimilarity(np.ones((3, 2)), np.ones((PIECE + 4, 2)))
    exact = cosine(np.arange(3), np.arange(PIECE + 4))
    thresholds = thresholds_of(exact, np.where(np.arange(PIECE + 4) == 0, 0, -1))
    rows, band = rows_of(cosine, exact.shape), np.float32(1e-6)
    everything = PIECE + 3 + 2  # of the image, and of the caption
    assert count(exact, band, rows, thresholds)[2] == everything
    assert count(exact, band, rows, thresholds, everything)[2] == everything
    assert count(exact, band, rows, thresholds, 10)[2] == PIECE - 1


def test_exact_cosines_are_products_in_double_on_the_grid():
    random = np.random.default_rng(5)
    cosine = CosineSimilarity(random.standard_normal((4, 33)), random.standard_normal((5, 33)))
    images, captions = random.integers(0, 4, 12), random.integers(0, 5, 12)
    found = np.empty(12, np.float32)
    exact_cosines(cosine.images, cosine.captions, images, captions, found)
    for score, image, caption in zip(found, images, captions, strict=True):
        total = sum(float(a) * float(b) for a, b in zip(cosine.images[image], cosine.captions[caption], strict=True))
        assert score == np.float32(total + GRID - GRID)
        assert score == exact_cosine(cosine.images[image], cosine.captions[caption])


def test_the_exact_score_is_that_of_the_rows_behind_the_block():
    images, captions = np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([[0.0, 1.0], [1.0, 0.0], [0.8, 0.6]])
    rows = BlockRows(images, captions, np.array([1, 0]), np.array([2, 0]))
    found = [[exact_score(rows, row, column) for column in range(2)] for row in range(2)]
    np.testing.assert_allclose(found, [[0.96, 0.8], [0.8, 0.0]], rtol=1e-7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0**-39, 2.0**-39),
        (2.0**-41, 0.0),
        (-(2.0**-41), 0.0),
        (1e-17, 0.0),
        (2.0**-39 * 5.4, 2.0**-39 * 5),
        (1.0, 1.0),
    ],
)
def test_a_cosine_is_brought_to_the_grid(value, expected):
    assert on_grid(value) == expected
