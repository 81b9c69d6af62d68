"""Ranks in one pass over the scores, against the ranks of each direction by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.evaluation import (
    CosineSimilarity,
    RetrievalTruth,
    compiled,
    per_query_similarity,
    positive_ranks,
    rough_cosine,
)
from bcls.evaluation.both_directions import both_directions
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import similarity_blocks
from bcls.evaluation.strangers import Positives


@pytest.fixture(params=["compiled", "numpy"])
def way(request, monkeypatch):
    if request.param == "compiled":
        pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "COMPILED_FROM", 0 if request.param == "compiled" else 10**12)
    return request.param


def assert_ranks(similarity, truth, fold, ties, block=None, scores=None):
    """`both_directions` of `similarity` is what `positive_ranks` makes of `scores`, the same as a matrix."""
    scores = similarity if scores is None else scores
    found = both_directions(
        similarity_blocks(similarity, truth), fold, ties, block, fast=compiled.compiled_pays(scores.size)
    )
    part = scores[np.ix_(fold.images, fold.captions)]
    for direction, block_scores, queries, candidates in (
        ("image_to_text", part, fold.images, fold.captions),
        ("text_to_image", part.T, fold.captions, fold.images),
    ):
        expected = positive_ranks(block_scores, *truth.positives(direction, queries, candidates), ties)
        np.testing.assert_array_equal(found[direction].query, expected.query)
        np.testing.assert_array_equal(found[direction].rank, expected.rank)
        assert found[direction].queries == expected.queries


def draw(seed, levels=4, dtype=np.float64):
    """Many ties, images with no, one and many captions in any order, distractors, and a part of it as the gallery."""
    random = np.random.default_rng(seed)
    images, captions = random.integers(1, 9), random.integers(1, 25)
    caption_image = np.append(random.integers(-1, images, captions), random.integers(images))
    scores = (random.integers(-levels, levels + 1, (images, captions + 1)) / 2).astype(dtype)
    rows, columns = (np.flatnonzero(random.random(size) < 0.8) for size in scores.shape)
    fold = Fold(np.append(rows, rows[:0] if rows.size else 0), columns if columns.size else np.array([0]))
    return scores, RetrievalTruth(caption_image, int(images)), fold


@pytest.mark.parametrize("ties", ["worst", "expected"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_or_a_function_has_the_ranks_of_each_direction(way, ties, dtype):
    for seed in range(40):
        scores, truth, fold = draw(seed, dtype=dtype)
        assert_ranks(scores, truth, fold, ties)
        assert_ranks(scores, truth, fold, ties, block=1 + seed % 3)
        by_function = lambda images, captions, scores=scores: scores[np.ix_(images, captions)]  # noqa: E731
        assert_ranks(by_function, truth, fold, ties, block=1 + seed % 4, scores=scores)


@given(st.integers(0, 10_000), st.sampled_from(["worst", "expected"]))
@settings(deadline=None, max_examples=60)
def test_any_matrix_has_the_ranks_of_each_direction(seed, ties):
    scores, truth, fold = draw(seed, levels=1 + seed % 40)
    assert_ranks(scores, truth, fold, ties)


def embeddings(seed, spread=1.0):
    """Embeddings of which some are alike, some lie closer than single precision tells, and some are opposite."""
    random = np.random.default_rng(seed)
    images = 1 + spread * random.standard_normal((30, 40))
    captions = np.repeat(images, 3, axis=0) + spread * random.standard_normal((90, 40))
    captions[10:30] = captions[3]
    captions[30:40] = captions[3] * (1 + 1e-9 * random.standard_normal((10, 40)))
    images[5] = images[4]
    images[6] = -images[4]
    captions[60] = images[7] * 3
    return images, captions, RetrievalTruth(np.append(np.repeat(np.arange(29), 3), [-1, 0, 4]), images=30)


@pytest.mark.parametrize("ties", ["worst", "expected"])
@pytest.mark.parametrize("block", [None, 1, 7])
@pytest.mark.parametrize("spread", [1.0, 0.1])
def test_embeddings_have_the_ranks_of_their_cosine(way, ties, block, spread):
    for seed in range(6):
        images, captions, truth = embeddings(seed, spread)
        cosine = CosineSimilarity(images, captions)
        scores = cosine(np.arange(30), np.arange(90))
        fold = Fold(np.arange(30), np.arange(90)) if seed % 2 else Fold(np.arange(3, 25), np.arange(0, 90, 2))
        assert_ranks(cosine, truth, fold, ties, block, scores=scores)


def test_doubtful_candidates_are_looked_at_again(monkeypatch):
    pytest.importorskip("numba")
    from bcls.evaluation.kernels import near_ties

    monkeypatch.setattr(compiled, "COMPILED_FROM", 0)
    doubtful, count = [], near_ties.count_rough_block
    monkeypatch.setattr(near_ties, "count_rough_block", lambda *given: doubtful.append(count(*given)) or doubtful[-1])
    monkeypatch.setattr(rough_cosine, "DOUBTFUL_SHARE", 1)
    images, captions, truth = embeddings(1)
    cosine = CosineSimilarity(images, captions)
    assert_ranks(
        cosine, truth, Fold(np.arange(30), np.arange(90)), "worst", scores=cosine(np.arange(30), np.arange(90))
    )
    assert sum(doubtful) > 0


def test_a_model_that_scores_all_alike_is_counted_in_double(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "COMPILED_FROM", 0)
    truth = RetrievalTruth.from_counts([2] * 20)
    cosine = CosineSimilarity(np.ones((20, 9)), np.ones((40, 9)))
    fold = Fold(np.arange(20), np.arange(40))
    positives = Positives.of(truth, fold, cosine.pairs)
    assert rough_cosine.count_rough_strangers(cosine, fold, positives, 20) is None
    found = per_query_similarity(cosine, truth)
    assert (found["image_to_text/rank"] == 39).all()
    assert (found["text_to_image/rank"] == 20).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("caption", [1, 2])
def test_a_bad_score_is_named(way, bad, caption):
    scores = np.zeros((3, 3))
    scores[1, caption] = bad
    truth = RetrievalTruth(np.arange(3), 3, image_ids=["a", "b", "c"])
    for similarity in (scores, lambda images, captions: scores[np.ix_(images, captions)]):
        with pytest.raises(InputError, match=rf"image row 1 \(b\) and caption row {caption} is {bad}, not a finite"):
            per_query_similarity(similarity, truth)


def test_a_function_that_rounds_by_block_still_ranks_from_one(way):
    random = np.random.default_rng(3)
    scores = random.random((12, 12))

    def ask(images, captions):
        return scores[np.ix_(images, captions)] - 1e-9 * captions.size  # not quite the same in every block

    found = per_query_similarity(ask, RetrievalTruth.from_counts([1] * 12), block=3)
    assert min(found["image_to_text/rank"].min(), found["text_to_image/rank"].min()) >= 1


@pytest.mark.parametrize("ties", ["worst", "expected"])
def test_a_gallery_without_positives_has_no_ranks(way, ties):
    truth, fold = RetrievalTruth(np.array([0, 1, 1]), 2), Fold(np.array([0]), np.array([1, 2]))
    for similarity in (np.ones((2, 3)), lambda images, captions: np.ones((images.size, captions.size))):
        assert_ranks(similarity, truth, fold, ties, scores=np.ones((2, 3)))


def test_it_holds_one_block(way):
    sizes = []

    def ask(images, captions):
        sizes.append((images.size, captions.size))
        return np.equal.outer(images, captions // 2) * 1.0

    truth = RetrievalTruth.from_counts([2] * 10)
    both_directions(
        similarity_blocks(ask, truth), Fold(np.arange(10), np.arange(20)), "worst", 4, fast=way == "compiled"
    )
    assert sizes == [(4, 8), (4, 8), (2, 4), (4, 20), (4, 20), (2, 20)]
