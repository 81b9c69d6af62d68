"""Exact scores over an engine whose own are rough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bcls.search.rescored as room
from bcls.search.errors import IndexDamagedError
from bcls.search.exact import exact_cosines
from bcls.search.rescored import EXTRA, Nearest, search_rescored


class RoughEngine:
    """Ranks records by scores that are off by a little, and ties as it likes."""

    def __init__(self, vectors: np.ndarray, query: np.ndarray, seed: int = 0) -> None:
        self.vectors = vectors
        self.ids = [f"r{row:03d}" for row in range(len(vectors))]
        noise = np.random.default_rng(seed).uniform(-1e-7, 1e-7, len(vectors))
        self.order = np.argsort(-(exact_cosines(query, vectors) + noise)) if len(vectors) else np.arange(0)
        self.asked: list[int] = []

    def __call__(self, wanted: int) -> Nearest:
        self.asked.append(wanted)
        rows = self.order[:wanted].tolist()
        return Nearest([self.ids[row] for row in rows], self.vectors[rows], [{"row": row} for row in rows])


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def by_loop(vectors: np.ndarray, query: np.ndarray, k: int) -> list[tuple[str, float]]:
    scores = exact_cosines(query, vectors).tolist() if len(vectors) else []
    return [(f"r{row:03d}", score) for row, score in sorted(enumerate(scores), key=lambda one: (-one[1], one[0]))[:k]]


@given(st.integers(0, 120), st.integers(1, 30), st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_hits_are_those_of_all_records_compared_exactly(rows, k, distinct, seed):
    random = np.random.default_rng(seed)
    vectors = unit(random.normal(size=(distinct, 4)))[random.integers(0, distinct, rows)]  # many ties
    query = unit(random.normal(size=4))
    engine = RoughEngine(vectors, query, seed)
    hits = search_rescored(engine, query, k)
    assert [(hit.id, hit.score) for hit in hits] == by_loop(vectors, query, k)
    assert all(hit.fields == {"row": int(hit.id[1:])} for hit in hits)


def test_a_few_more_than_k_are_asked_for_once_where_nothing_ties():
    angles = np.linspace(0, 1, 200)
    vectors, query = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), np.float32([1, 0])
    engine = RoughEngine(vectors, query)
    assert [hit.id for hit in search_rescored(engine, query, 3)] == ["r000", "r001", "r002"]
    assert engine.asked == [3 + EXTRA]


def test_twice_as_many_are_asked_for_while_the_last_might_tie():
    query = np.float32([1, 0])
    engine = RoughEngine(np.tile(np.float32([0.6, 0.8]), (100, 1)), query, seed=3)
    assert [hit.id for hit in search_rescored(engine, query, 4)] == ["r000", "r001", "r002", "r003"]
    assert engine.asked == [20, 40, 80, 160]


def test_no_more_are_asked_for_than_an_engine_gives_out(monkeypatch):
    monkeypatch.setattr(room, "MOST", 50)
    query = np.float32([1, 0])
    engine = RoughEngine(np.tile(np.float32([0.6, 0.8]), (100, 1)), query)
    assert len(search_rescored(engine, query, 4)) == 4
    assert engine.asked == [20, 40, 50]


def test_an_empty_engine_has_no_hits():
    query = np.float32([1, 0])
    assert search_rescored(RoughEngine(np.zeros((0, 2), np.float32), query), query, 5) == []


@pytest.mark.parametrize("damaged", [[0, 0], [0.6, 0.81], [np.nan, 1], [np.inf, 0]])
def test_a_vector_that_lost_its_length_is_named(damaged):
    query = np.float32([1, 0])
    engine = RoughEngine(np.float32([[1, 0], [0.6, 0.8]]), query)
    engine.vectors = np.float32([[1, 0], damaged])
    with pytest.raises(IndexDamagedError, match="record 'r001': its vector is damaged; make the index again"):
        search_rescored(engine, query, 2)
