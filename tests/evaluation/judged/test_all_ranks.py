"""The ranks of all judged positives, against a sort of every query."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import RetrievalTruth, compiled
from bcls.evaluation import similarity as similarity_module
from bcls.evaluation.judged.all_ranks import all_ranks
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import similarity_blocks

IMAGES, CAPTIONS = 7, 20
TRUTH = RetrievalTruth(np.arange(CAPTIONS) % IMAGES, IMAGES)
WHOLE = Fold(np.arange(IMAGES), np.arange(CAPTIONS))
DIRECTIONS = pytest.mark.parametrize("direction", ["image_to_text", "text_to_image"])


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def way(request, monkeypatch):
    if request.param == "compiled":
        pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "COMPILED_FROM", 0 if request.param == "compiled" else 10**12)


def naive(table, judged):
    """Sort each query's candidates, positives behind equals: the ranks of its positives, then of those beyond."""
    queries, ranks = [], []
    for place, query in enumerate(judged.asked):
        own = set(judged.candidate[judged.query == query].tolist())
        order = sorted(range(table.shape[1]), key=lambda column: (-table[query, column], column in own))
        found = [1 + rank for rank, column in enumerate(order) if column in own]
        found += [np.inf] * int((judged.beyond == query).sum())
        queries += [place] * len(found)
        ranks += found
    return queries, ranks


def draw(seed, rows, columns):
    random = np.random.default_rng(seed)
    query, candidate = np.nonzero(random.random((rows, columns)) < 0.2)
    beyond = np.sort(random.integers(0, rows, random.integers(0, 4)))
    return JudgedPositives(query, candidate, rows, beyond)


def assert_ranks(scores, fold, direction, judged):
    found = all_ranks(similarity_blocks(scores, TRUTH), fold, direction, judged)
    part = scores[np.ix_(fold.images, fold.captions)]
    queries, ranks = naive(part if direction == "image_to_text" else part.T, judged)
    assert found.query.tolist() == queries
    assert found.rank.tolist() == ranks
    assert found.queries == judged.asked.size


@DIRECTIONS
@pytest.mark.parametrize("levels", [1, 3, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_they_are_those_of_a_sort(direction, levels, dtype):
    size = (IMAGES, CAPTIONS) if direction == "image_to_text" else (CAPTIONS, IMAGES)
    for seed in range(6):
        scores = (np.random.default_rng(seed).integers(0, levels, (IMAGES, CAPTIONS)) / 8).astype(dtype)
        assert_ranks(scores, WHOLE, direction, draw(seed, *size))


@DIRECTIONS
@pytest.mark.parametrize("most", [1, 25, 60])
def test_the_size_of_a_block_changes_nothing(monkeypatch, direction, most):
    monkeypatch.setattr(similarity_module, "BLOCK_SCORES", most)
    size = (IMAGES, CAPTIONS) if direction == "image_to_text" else (CAPTIONS, IMAGES)
    scores = np.random.default_rng(1).integers(0, 5, (IMAGES, CAPTIONS)) / 4
    for seed in range(4):
        assert_ranks(scores, WHOLE, direction, draw(seed, *size))


@DIRECTIONS
def test_a_gallery_has_its_own_candidates(direction):
    fold = Fold(np.array([1, 2, 5]), np.array([19, 0, 7, 8]))
    size = (3, 4) if direction == "image_to_text" else (4, 3)
    scores = np.random.default_rng(2).random((IMAGES, CAPTIONS))
    for seed in range(6):
        assert_ranks(scores, fold, direction, draw(seed, *size))


def test_only_queries_with_a_positive_are_asked_for():
    asked = []

    def ask(images, captions):
        asked.extend(images.tolist())
        return np.zeros((images.size, captions.size))

    judged = JudgedPositives(np.array([2, 5]), np.array([0, 1]), IMAGES)
    found = all_ranks(similarity_blocks(ask, TRUTH), WHOLE, "image_to_text", judged)
    assert asked == [2, 5]
    assert found.rank.tolist() == [CAPTIONS, CAPTIONS]


def test_nothing_judged_has_no_ranks():
    none = np.zeros(0, dtype=np.int64)
    found = all_ranks(
        similarity_blocks(np.zeros((IMAGES, CAPTIONS)), TRUTH),
        WHOLE,
        "image_to_text",
        JudgedPositives(none, none, IMAGES),
    )
    assert (found.query.size, found.rank.size, found.queries) == (0, 0, 0)


def test_what_is_beyond_comes_behind_what_is_found():
    scores = np.zeros((IMAGES, CAPTIONS))
    scores[3, 4] = 1
    judged = JudgedPositives(np.array([3, 6]), np.array([4, 0]), IMAGES, np.array([0, 3, 3]))
    found = all_ranks(similarity_blocks(scores, TRUTH), WHOLE, "image_to_text", judged)
    assert found.query.tolist() == [0, 1, 1, 1, 2]
    assert found.rank.tolist() == [np.inf, 1, np.inf, np.inf, CAPTIONS]


@DIRECTIONS
def test_a_bad_score_of_a_query_that_asks_is_named(direction):
    scores = np.zeros((IMAGES, CAPTIONS))
    scores[4, 9] = np.nan
    blocks = similarity_blocks(scores, TRUTH)
    judged = JudgedPositives(np.array([4 if direction == "image_to_text" else 9]), np.array([0]), CAPTIONS)
    with pytest.raises(InputError, match="the similarity of image row 4 and caption row 9 is nan"):
        all_ranks(blocks, WHOLE, direction, judged)
    other = JudgedPositives(np.array([0]), np.array([0]), CAPTIONS)
    assert all_ranks(blocks, WHOLE, direction, other).rank.size == 1
