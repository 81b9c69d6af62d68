"""A dear similarity is asked for once, and says what it was told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import KeptSimilarity, RetrievalTruth, evaluate_similarity
from bcls.evaluation.kept_similarity import TILE


class Counting:
    """Fills blocks of a matrix and counts how often each pair is asked for."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix
        self.asked = np.zeros(matrix.shape, dtype=int)

    def __call__(self, images: np.ndarray, captions: np.ndarray) -> np.ndarray:
        self.asked[np.ix_(images, captions)] += 1
        return self.matrix[np.ix_(images, captions)]


def matrix(images: int, captions: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(images, captions)).astype(np.float32)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_rows_in_any_order_are_those_of_the_matrix(data):
    source = Counting(matrix(2 * TILE[0] + 3, TILE[1] + 5))
    kept = KeptSimilarity(source, *source.matrix.shape)
    for _ in range(3):
        rows = [
            np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=6)))
            for size in source.matrix.shape
        ]
        np.testing.assert_array_equal(kept(*rows), source.matrix[np.ix_(*rows)])
        count = min(map(len, rows))
        np.testing.assert_array_equal(
            kept.pairs(rows[0][:count], rows[1][:count]), source.matrix[rows[0][:count], rows[1][:count]]
        )
    assert source.asked.max() == 1


@pytest.mark.parametrize("relevance", [None, np.random.default_rng(1).uniform(size=(260, 1300))])
def test_an_evaluation_asks_for_each_pair_once_and_judges_as_from_the_matrix(relevance):
    source = Counting(matrix(260, 1300))
    truth = RetrievalTruth.from_counts([5] * 260)
    kept = KeptSimilarity(source, 260, 1300)
    judged = evaluate_similarity(kept, truth, relevance=relevance, block=100)
    assert judged == evaluate_similarity(source.matrix, truth, relevance=relevance)
    assert (source.asked == 1).all()


def test_only_what_is_asked_for_is_computed():
    source = Counting(matrix(3 * TILE[0], 2 * TILE[1]))
    KeptSimilarity(source, *source.matrix.shape)(np.array([TILE[0]]), np.array([3]))
    assert source.asked.sum() == TILE[0] * TILE[1]
    assert (source.asked[TILE[0] : 2 * TILE[0], : TILE[1]] == 1).all()


def test_a_block_of_another_shape_is_refused():
    kept = KeptSimilarity(lambda images, captions: np.zeros((1, 1)), 2, 3)
    with pytest.raises(InputError, match=r"2 images and 3 captions came in shape \(1, 1\)"):
        kept(np.array([0]), np.array([0]))
