"""Candidates that reach each query's threshold, against a loop over the block."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation.kernels.reaching import PIECE, count_reaching


def count(block, row_least, column_least, few=None):
    """Row and column counts; `few` names the columns looked at one by one, for each judgement, none for all."""
    few = [[]] * len(row_least) if few is None else few
    starts = np.cumsum([0, *map(len, few)])
    columns = np.array([column for one in few for column in one], dtype=np.int64)
    counts = np.zeros(row_least.shape, np.int64), np.zeros(column_least.shape, np.int32)
    wrong = count_reaching(block, row_least, column_least, columns, starts, *counts, np.finfo(block.dtype).max)
    return *counts, wrong


def naive(block, row_least, column_least):
    by_row, by_column = np.zeros(row_least.shape, int), np.zeros(column_least.shape, int)
    for judgement in range(len(row_least)):
        for row in range(len(block)):
            for column in range(block.shape[1]):
                by_row[judgement, row] += block[row, column] >= row_least[judgement, row]
                by_column[judgement, column] += block[row, column] >= column_least[judgement, column]
    return by_row, by_column


def draw(seed, shape, dtype, judgements=3):
    """Scores with ties, and thresholds of which a third are infinite."""
    random = np.random.default_rng(seed)
    block = (random.integers(-4, 5, shape) / 2).astype(dtype)
    sides = [(random.integers(-4, 5, (judgements, size)) / 2).astype(dtype) for size in shape]
    for side in sides:
        side[random.random(side.shape) < 1 / 3] = np.inf
    return block, *sides


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 1), (5, 30)])
def test_counts_are_those_of_a_loop(dtype, shape):
    for seed in range(8):
        given = draw(seed, shape, dtype)
        *counts, wrong = count(*given)
        for found, expected in zip(counts, naive(*given), strict=True):
            np.testing.assert_array_equal(found, expected)
        assert wrong == 0


@pytest.mark.parametrize("width", [PIECE, PIECE + 1, 2 * PIECE + 5])
def test_rows_longer_than_a_piece_are_counted_whole(width):
    given = draw(width, (2, width), np.float64, 2)
    for found, expected in zip(count(*given)[:2], naive(*given), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_looking_at_the_few_that_ask_counts_what_looking_at_all_does():
    block, rows, columns = draw(7, (4, 50), np.float32)
    columns[0], columns[2] = np.inf, np.inf
    columns[0, [3, 41]], columns[2, [0, 49]] = 0.5, [-1, 2]
    few = count(block, rows, columns, [[3, 41], [], [0, 49]])
    for found, expected in zip(few[:2], naive(block, rows, columns), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_column_that_is_not_among_the_few_is_not_looked_at():
    block, rows, columns = np.ones((2, 3)), np.full((1, 2), np.inf), np.zeros((1, 3))
    assert count(block, rows, columns, [[1]])[1].tolist() == [[0, 2, 0]]


def test_a_row_that_asks_nothing_counts_nothing():
    block = np.array([[1.0, np.inf]])
    by_row, _, wrong = count(block, np.array([[np.inf], [1.0]]), np.full((2, 2), np.inf))
    assert by_row[:, 0].tolist() == [0, 2]
    assert wrong == 1


def test_counts_are_added_to_those_that_are_there():
    block, rows, columns = draw(3, (4, 9), np.float64)
    once = count(block, rows, columns)
    counts = np.full(rows.shape, 10), np.full(columns.shape, 20, np.int32)
    none = np.zeros(0, np.int64), np.zeros(4, np.int64)
    count_reaching(block, rows, columns, *none, *counts, np.finfo(np.float64).max)
    np.testing.assert_array_equal(counts[0], once[0] + 10)
    np.testing.assert_array_equal(counts[1], once[1] + 20)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_score_that_is_not_finite_is_reported_once_and_the_largest_is_fine(dtype):
    block, rows, columns = draw(1, (3, PIECE + 2), dtype)
    block[0, :3] = [np.nan, np.inf, -np.inf]
    block[2, -1] = np.nan
    block[1, :2] = np.finfo(dtype).max, -np.finfo(dtype).max
    assert count(block, rows, columns)[2] == 4
