"""CS@K against a loop of SciPy's tau-b over the first K candidates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from bcls.evaluation import RetrievalTruth, judge


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(0)
    truth = RetrievalTruth(np.append(np.repeat(np.arange(210), 2)[::-1], -1), 211)
    relevance = random.random((211, 421)).astype(np.float32)
    similarity = 0.3 * relevance + 0.7 * random.random((211, 421)).astype(np.float32)
    return truth, similarity, np.round(relevance, 1)


def scipy_loop(scores, relevance, length):
    values = []
    for row in range(len(scores)):
        top = np.argsort(-scores[row])[:length]
        values.append(kendalltau(scores[row, top], relevance[row, top]).statistic)
    return np.mean(values)


def test_is_scipys_tau_b_of_the_first_k(case):
    truth, similarity, relevance = case
    metrics = judge("cs@k", similarity, truth, relevance=relevance)
    first = [int(np.flatnonzero(truth.caption_image == image)[0]) for image in range(210)]
    scores, labels = similarity[:210, first], relevance[:210, first]
    for length in (100, 200):
        assert metrics[f"image_to_text/cs@{length}"] == pytest.approx(scipy_loop(scores, labels, length), abs=1e-9)
        assert metrics[f"text_to_image/cs@{length}"] == pytest.approx(scipy_loop(scores.T, labels.T, length), abs=1e-9)
        assert metrics[f"cs@{length}"] == pytest.approx(
            (metrics[f"image_to_text/cs@{length}"] + metrics[f"text_to_image/cs@{length}"]) / 2
        )
    assert metrics["gallery_images"] == 210
    assert "cs@1000" not in metrics


def test_queries_without_a_value_are_left_out_and_counted(case):
    truth, similarity, relevance = case
    relevance = relevance.copy()
    relevance[3] = 0.5
    metrics = judge("cs@k", similarity, truth, relevance=relevance)
    assert metrics["image_to_text/cs@100_queries"] == 209
    assert metrics["text_to_image/cs@100_queries"] == 210


def test_a_perfect_order_is_one():
    truth = RetrievalTruth.from_counts([1] * 100)
    relevance = np.random.default_rng(1).random((100, 100))
    assert judge("cs@k", relevance, truth, relevance=relevance)["cs@100"] == pytest.approx(1.0)
