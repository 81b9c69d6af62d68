"""Exact cosines and the order of hits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.search.exact import best_first, exact_cosines, rough_bound
from bcls.search.records import Hit


def test_cosines_are_those_of_a_loop_in_double_precision():
    random = np.random.default_rng(0)
    query, vectors = random.normal(size=9).astype(np.float32), random.normal(size=(20, 9)).astype(np.float32)
    for found, vector in zip(exact_cosines(query, vectors), vectors.tolist(), strict=True):
        dot = math.fsum(a * b for a, b in zip(query.tolist(), vector, strict=True))
        lengths = math.hypot(*query.tolist()) * math.hypot(*vector)
        assert found == np.float32(dot / lengths)


def test_cosines_know_no_length_and_are_single_precision():
    query, vectors = np.float32([3, 4]), np.float32([[6, 8], [-0.3, -0.4], [4, -3], [1e18, 0]])
    found = exact_cosines(query, vectors)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([1.0, -1.0, 0.0, 0.6])


@given(st.integers(1, 40), st.integers(1, 33), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_equal_vectors_score_alike_wherever_they_stand(rows, dim, seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(rows, dim)).astype(np.float32)
    query, twin = random.normal(size=(2, dim)).astype(np.float32)
    places = random.integers(0, rows, 3)
    vectors[places] = twin
    alone = exact_cosines(query, twin[None])[0]
    assert (exact_cosines(query, vectors)[places] == alone).all()


def test_no_vectors_have_no_cosines():
    assert exact_cosines(np.ones(3, np.float32), np.zeros((0, 3), np.float32)).shape == (0,)


def test_the_best_come_first_and_of_equals_the_smaller_id():
    hits = [Hit("b", 0.5, {}), Hit("c", 0.9, {}), Hit("a", 0.5, {}), Hit("d", -0.1, {})]
    assert [hit.id for hit in best_first(hits, 3)] == ["c", "a", "b"]
    assert [hit.id for hit in best_first(iter(hits), 10)] == ["c", "a", "b", "d"]
    assert best_first([], 3) == []
    assert best_first(hits, 0) == []


@pytest.mark.parametrize("dim", [1, 2, 100, 2048])
def test_single_precision_stays_within_the_bound(dim):
    random = np.random.default_rng(dim)
    vectors = random.normal(size=(200, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rough = vectors[:1] @ vectors.T
    worst = np.abs(rough[0] - exact_cosines(vectors[0], vectors).astype(np.float64)).max()
    assert worst <= rough_bound(dim) < 1e-3
