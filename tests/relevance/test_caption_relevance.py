"""Relevance from captions against a loop over the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.relevance import CaptionRelevance, CiderScorer, SparseEncodings, TfidfScorer


def naive(encodings, caption_image, images, captions, aggregate):
    result = np.full((len(images), len(captions)), np.nan)
    for i, image in enumerate(images):
        own = np.flatnonzero(caption_image == image)
        for j, caption in enumerate(captions):
            values = [float(encodings.similarity(np.array([c]), np.array([caption]))[0, 0]) for c in own]
            if caption_image[caption] == image:
                result[i, j] = 1.0
            elif values:
                result[i, j] = max(values) if aggregate == "max" else sum(values) / len(values)
    return result


@given(
    caption_image=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    images=st.lists(st.integers(0, 9), max_size=8),
    seed=st.integers(0, 10_000),
    aggregate=st.sampled_from(["max", "mean"]),
    block=st.sampled_from([1, 7, 40, 1 << 24]),
)
@settings(max_examples=120, deadline=None)
def test_equals_the_loop_for_ragged_repeated_and_captionless_images(
    make_encodings, caption_image, images, seed, aggregate, block
):
    caption_image, images = np.array(caption_image), np.array(images, dtype=np.int64)
    captions = np.random.default_rng(seed).integers(0, len(caption_image), size=7)
    encodings = make_encodings(len(caption_image), seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bcls.relevance.caption_relevance.BLOCK_ELEMENTS", block)
        ours = CaptionRelevance(encodings, caption_image, aggregate=aggregate).matrix(images, captions)
    np.testing.assert_allclose(ours, naive(encodings, caption_image, images, captions, aggregate), atol=1e-6)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("scorer", [TfidfScorer(), CiderScorer()], ids=["tfidf", "cider"])
@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_equals_the_loop_for_sparse_encodings(collection, scorer, aggregate):
    encodings = scorer.fit(collection.captions, collection.caption_image).encode(collection.captions)
    images, captions = np.array([2, 0, 1]), np.array([5, 4, 0, 2, 0])
    ours = CaptionRelevance(encodings, collection.caption_image, aggregate=aggregate).matrix(images, captions)
    np.testing.assert_allclose(ours, naive(encodings, collection.caption_image, images, captions, aggregate), rtol=1e-6)


def test_compares_the_images_captions_as_references():
    """CIDEr-D is not symmetric where a word is repeated: which side is the reference shows."""
    captions = ["a dog running", "a dog running , running", "a red apple"]
    encodings = CiderScorer().fit(captions).encode(captions)
    relevance = CaptionRelevance(encodings, np.arange(3)).matrix(np.arange(3), np.arange(3))
    assert relevance[1, 0] == encodings.similarity(np.array([1]), np.array([0]))[0, 0]
    assert relevance[1, 0] > 1.2 * relevance[0, 1]


def test_a_product_stays_within_the_block(make_encodings, monkeypatch):
    encodings = make_encodings(60)
    sizes = []
    original = encodings.similarity

    def watched(references, candidates):
        sizes.append(len(references) * len(candidates))
        return original(references, candidates)

    monkeypatch.setattr(encodings, "similarity", watched)
    monkeypatch.setattr("bcls.relevance.caption_relevance.BLOCK_ELEMENTS", 200)
    CaptionRelevance(encodings, np.arange(60) // 3).matrix(np.arange(20), np.arange(20))
    assert sum(sizes) == 60 * 20
    assert max(sizes) <= 200 + 3 * 20
    assert len(sizes) <= 7


def test_nothing_asked_gives_an_empty_matrix(make_encodings):
    relevance = CaptionRelevance(make_encodings(4), np.array([0, 0, 1, 2]))
    nothing = np.array([], dtype=np.int64)
    assert relevance.matrix(nothing, np.arange(4)).shape == (0, 4)
    assert relevance.matrix(np.arange(3), nothing).shape == (3, 0)


def test_a_split_without_captions_knows_nothing(make_encodings):
    relevance = CaptionRelevance(make_encodings(0), np.array([], dtype=np.int64))
    assert relevance.matrix(np.arange(2), np.array([], dtype=np.int64)).shape == (2, 0)


def test_refuses_what_does_not_fit(make_encodings):
    with pytest.raises(InputError, match="4 captions are encoded, but caption_image has 3 rows"):
        CaptionRelevance(make_encodings(4), np.array([0, 0, 1]))
    with pytest.raises(InputError, match="aggregate is 'median'; it must be max or mean"):
        CaptionRelevance(make_encodings(3), np.array([0, 0, 1]), aggregate="median")
    with pytest.raises(InputError, match="caption_image holds -1"):
        CaptionRelevance(make_encodings(3), np.array([0, -1, 1]))


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [
        ([-1], [0], "image row -1"),
        ([0], [3], "caption row 3: there are 3 captions"),
        ([0], [-2, 1], "caption row -2: there are 3 captions"),
    ],
)
def test_refuses_rows_that_would_wrap_around(make_encodings, images, captions, message):
    relevance = CaptionRelevance(make_encodings(3), np.array([0, 0, 1]))
    with pytest.raises(InputError, match=message):
        relevance.matrix(np.array(images), np.array(captions))


def test_an_empty_row_of_sparse_encodings_is_similar_to_nothing():
    from scipy import sparse

    encodings = SparseEncodings(sparse.csr_array(np.array([[0.0, 0.0], [0.0, 1.0]])))
    relevance = CaptionRelevance(encodings, np.array([0, 1])).matrix(np.arange(2), np.arange(2))
    np.testing.assert_array_equal(relevance, np.eye(2))
