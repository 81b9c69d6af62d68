"""Two stages against a sort with two keys, query by query."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import (
    PROTOCOLS,
    RetrievalProtocol,
    RetrievalTruth,
    evaluate_similarity,
    per_query_reranked,
    per_query_similarity,
    summarise,
)
from bcls.evaluation.reranking import reranked


def matrices(images: int, captions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    # Tied scores in the first stage, and a second one of another scale.
    return random.integers(0, 9, (images, captions)) / 9, 100 * random.normal(size=(images, captions))


def blocks_of(matrix: np.ndarray):
    return lambda images, captions: matrix[np.ix_(images, captions)]


def order_by_loop(first: np.ndarray, second: np.ndarray, top: int) -> list[int]:
    """Candidates of one query: the first `top` (of equals the lower row) by the second stage, then the others."""
    ranked = sorted(range(len(first)), key=lambda row: (-first[row], row))
    return sorted(ranked[:top], key=lambda row: -second[row]) + ranked[top:]


@given(seed=st.integers(0, 999), images=st.integers(1, 6), captions=st.integers(1, 8), top=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_orders_are_those_of_the_loop(seed, images, captions, top):
    first, second = matrices(images, captions, seed)
    truth = RetrievalTruth(np.zeros(captions, dtype=np.int64), images)
    for direction, left, right in (("image_to_text", first, second), ("text_to_image", first.T, second.T)):
        found = reranked(first, blocks_of(second), truth, direction, top=top)
        for row, scores in enumerate(found if direction == "image_to_text" else found.T):
            expected = order_by_loop(left[row], right[row], top)
            assert np.argsort(-scores, kind="stable").tolist() == expected


def test_all_of_the_candidates_make_the_second_stage_alone():
    first, second = matrices(5, 10, 0)
    truth = RetrievalTruth.from_counts([2] * 5)
    relevance = np.random.default_rng(1).uniform(size=(5, 10))
    found = per_query_reranked(first, blocks_of(second), truth, top=100, relevance=relevance)
    assert summarise(found, truth) == evaluate_similarity(second, truth, relevance=relevance)


def test_a_second_stage_that_agrees_changes_nothing():
    first = np.random.default_rng(0).normal(size=(5, 10))
    truth = RetrievalTruth.from_counts([2] * 5)
    found = per_query_reranked(first, blocks_of(first), truth, top=3, relevance=np.eye(5).repeat(2, axis=1))
    expected = per_query_similarity(first, truth, relevance=np.eye(5).repeat(2, axis=1))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_the_second_stage_sees_no_more_than_the_first_candidates():
    first, second = matrices(20, 40, 0)
    asked = []

    def ask(images, captions):
        asked.append(len(images) * len(captions))
        return second[np.ix_(images, captions)]

    per_query_reranked(first, ask, RetrievalTruth.from_counts([2] * 20), top=4)
    assert asked == [4] * 60


def test_folds_have_their_own_first_candidates(monkeypatch):
    monkeypatch.setitem(PROTOCOLS, "halves", RetrievalProtocol("two halves", (6,), 3))
    first, second = matrices(6, 12, 0)
    truth = RetrievalTruth.from_counts([2] * 6)
    found = reranked(first, blocks_of(second), truth, "text_to_image", top=2, protocol="halves")
    for half, columns in ((slice(0, 3), slice(0, 6)), (slice(3, 6), slice(6, 12))):
        assert not np.delete(found[:, columns], np.r_[half], axis=0).any()
        for column in range(columns.start, columns.stop):
            expected = order_by_loop(first[half, column], second[half, column], 2)
            assert np.argsort(-found[half, column], kind="stable").tolist() == expected


def test_no_candidates_are_refused():
    with pytest.raises(InputError, match="top=0"):
        per_query_reranked(np.eye(2), blocks_of(np.eye(2)), RetrievalTruth.from_counts([1, 1]), top=0)


def test_a_second_stage_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match=r"the similarity of .* is nan"):
        per_query_reranked(np.eye(2), blocks_of(np.full((2, 2), np.nan)), RetrievalTruth.from_counts([1, 1]))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_no_score_is_too_small_or_too_large_to_count(scale):
    first, second = np.array([[3.0, 2.0, 1.0, 0.0]]) * scale, np.array([[0.0, 1.0, 2.0, 3.0]])
    found = reranked(first, blocks_of(1e20 * second), RetrievalTruth.from_counts([4]), "image_to_text", top=2)
    assert np.argsort(-found[0], kind="stable").tolist() == [1, 0, 2, 3]
    assert np.unique(found).size == 4
