"""Relevance given as a matrix."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance import MatrixRelevance


def test_a_block_is_that_of_the_matrix_in_any_order(tmp_path):
    matrix = np.random.default_rng(0).random((4, 6)).astype(np.float16)
    matrix[1, 2] = np.nan
    np.save(tmp_path / "m.npy", matrix)
    relevance = MatrixRelevance(np.load(tmp_path / "m.npy", mmap_mode="r"), 4, 6, "m.npy")
    rows, columns = np.array([3, 1, 1]), np.array([2, 0, 5, 5])
    found = relevance.matrix(rows, columns)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, matrix.astype(np.float32)[np.ix_(rows, columns)])


@pytest.mark.parametrize("shape", [(6, 4), (4, 5), (4, 6, 1), (24,)])
def test_another_shape_is_refused(shape):
    with pytest.raises(InputError, match=r"m\.npy: .* 4 images and 6 captions: its rows must be the images"):
        MatrixRelevance(np.zeros(shape), 4, 6, "m.npy")


def test_rows_that_there_are_not_are_refused():
    with pytest.raises(InputError, match="image row -1"):
        MatrixRelevance(np.zeros((1, 1)), 1, 1, "m.npy").matrix(np.array([-1]), np.array([0]))
