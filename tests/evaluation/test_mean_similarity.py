"""An ensemble is judged as the mean of its matrices."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, KeptSimilarity, MeanSimilarity, RetrievalTruth, evaluate_similarity
from bcls.evaluation.similarity import MatrixSource

TRUTH = RetrievalTruth.from_counts([3] * 20)
RANDOM = np.random.default_rng(0)
FIRST, SECOND = (RANDOM.normal(size=(20, 60)).astype(np.float32) for _ in range(2))


def test_it_is_judged_as_the_mean_matrix():
    kept = KeptSimilarity(lambda images, captions: SECOND[np.ix_(images, captions)], 20, 60)
    relevance = RANDOM.uniform(size=(20, 60))
    found = evaluate_similarity(MeanSimilarity([MatrixSource(FIRST), kept]), TRUTH, relevance=relevance, block=7)
    expected = evaluate_similarity((FIRST.astype(np.float64) + SECOND) / 2, TRUTH, relevance=relevance)
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_block_and_single_pairs_agree():
    embeddings = (RANDOM.normal(size=(size, 8)) for size in (20, 60))
    mean = MeanSimilarity([MatrixSource(FIRST), CosineSimilarity(*embeddings)])
    images, captions = np.array([0, 3, 19]), np.array([5, 5, 59])
    np.testing.assert_array_equal(mean.pairs(images, captions), mean(images, captions).diagonal())


def test_one_alone_is_itself_and_the_order_does_not_matter():
    rows = np.arange(20), np.arange(60)
    np.testing.assert_array_equal(MeanSimilarity([MatrixSource(FIRST)])(*rows), FIRST)
    both = [MatrixSource(FIRST), MatrixSource(SECOND)]
    np.testing.assert_array_equal(MeanSimilarity(both)(*rows), MeanSimilarity(both[::-1])(*rows))


def test_nothing_is_refused():
    with pytest.raises(InputError, match="one similarity at least"):
        MeanSimilarity([])


def test_parts_of_other_sizes_are_refused():
    rows = np.arange(10), np.arange(60)
    parts = [MatrixSource(FIRST), CosineSimilarity(np.eye(8)[:4], np.eye(8)[:4])]
    with pytest.raises(InputError, match=r"in the shapes \[\(4, 4\), \(10, 60\)\]"):
        MeanSimilarity(parts)(*rows)
