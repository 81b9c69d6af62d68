"""Strangers that reach each positive of a block, against a loop over its scores."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation.kernels.counting import PIECE, count_block


def draw(seed, shape, dtype, share=0.3):
    """Scores with ties, some captions given to an image each, and thresholds of two levels."""
    random = np.random.default_rng(seed)
    block = (random.integers(-4, 5, shape) / 2).astype(dtype)
    image_of = np.where(random.random(shape[1]) < share, random.integers(0, shape[0], shape[1]), -1)
    captions = np.argsort(image_of, kind="stable")[(image_of < 0).sum() :]
    starts = np.searchsorted(image_of[captions], np.arange(shape[0] + 1))
    rows = (random.integers(-4, 5, (2, captions.size)) / 2).astype(dtype)
    columns = (random.integers(-4, 5, (2, shape[1])) / 2).astype(dtype)
    columns[:, image_of < 0] = np.inf
    return block, starts, captions, rows, columns, image_of


def count(block, starts, captions, rows, columns, *_):
    counts = np.zeros(rows.shape, np.int64), np.zeros(columns.shape, np.int32)
    wrong = count_block(block, starts, captions, rows, columns, *counts, np.finfo(block.dtype).max)
    return *counts, wrong


def naive(block, starts, captions, rows, columns, image_of):
    by_row, by_column = np.zeros(rows.shape, int), np.zeros(columns.shape, int)
    for level in range(len(rows)):
        for row in range(len(block)):
            for column in range(block.shape[1]):
                if image_of[column] != row:
                    by_column[level, column] += block[row, column] >= columns[level, column]
                    for positive in range(starts[row], starts[row + 1]):
                        by_row[level, positive] += block[row, column] >= rows[level, positive]
    return by_row, by_column


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (5, 30)])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_counts_are_those_of_a_loop(dtype, shape, share):
    for seed in range(8):
        given = draw(seed, shape, dtype, share)
        *counts, wrong = count(*given)
        for found, expected in zip(counts, naive(*given), strict=True):
            np.testing.assert_array_equal(found, expected)
        assert wrong == 0


@pytest.mark.parametrize("width", [PIECE, PIECE + 1, 2 * PIECE + 5])
def test_rows_longer_than_a_piece_are_counted_whole(width):
    given = draw(width, (2, width), np.float64, 0.01)
    for found, expected in zip(count(*given)[:2], naive(*given), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_counts_are_added_to_those_that_are_there():
    block, starts, captions, rows, columns, _ = draw(3, (4, 9), np.float64)
    once = count(block, starts, captions, rows, columns)
    counts = np.full(rows.shape, 10), np.full(columns.shape, 20, np.int32)
    count_block(block, starts, captions, rows, columns, *counts, np.finfo(np.float64).max)
    np.testing.assert_array_equal(counts[0], once[0] + 10)
    np.testing.assert_array_equal(counts[1], once[1] + 20)


def test_a_positive_takes_its_own_score_and_its_siblings_out():
    block = np.array([[0.5, 0.9, 0.5, 0.7]])
    own = np.array([[0.9, 0.5]])
    columns = np.array([[0.5, 0.9, np.inf, np.inf]])
    by_row, by_column, _ = count(block, np.array([0, 2]), np.array([1, 0]), own, columns)
    assert by_row.tolist() == [[0, 2]]
    assert by_column.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_score_that_is_not_finite_is_reported_and_the_largest_is_fine(dtype):
    block, starts, captions, rows, columns, _ = draw(1, (3, PIECE + 2), dtype, 0.002)
    block[0, :3] = [np.nan, np.inf, -np.inf]
    block[2, -1] = np.nan
    block[1, :2] = np.finfo(dtype).max, -np.finfo(dtype).max
    assert count(block, starts, captions, rows, columns)[2] == 4
