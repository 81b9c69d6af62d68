"""The best candidates, against a stable sort."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bcls.errors import InputError
from bcls.evaluation import CosineSimilarity, RetrievalTruth, top_candidates


@pytest.mark.parametrize("direction", ["image_to_text", "text_to_image"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [2, 5, 10_000])
@pytest.mark.parametrize("block", [None, 1, 4])
def test_it_is_the_head_of_a_stable_sort(direction, dtype, levels, block):
    random = np.random.default_rng(levels)
    similarity = (random.integers(0, levels, (9, 31)) - levels // 2).astype(dtype)
    truth = RetrievalTruth(random.integers(-1, 9, 31), images=9)
    top = top_candidates(similarity, truth, direction, 4, block=block)
    scores = similarity if direction == "image_to_text" else similarity.T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(top.rows, expected)
    np.testing.assert_array_equal(top.scores, np.take_along_axis(scores, expected, axis=1))
    assert top.scores.dtype == dtype


def test_the_scores_are_those_of_torch():
    random = np.random.default_rng(1)
    cosine = CosineSimilarity(random.standard_normal((20, 6)), random.standard_normal((50, 6)))
    top = top_candidates(cosine, RetrievalTruth(np.arange(50) % 20, images=20), "image_to_text", 99)
    whole = torch.tensor(cosine(np.arange(20), np.arange(50)))
    np.testing.assert_array_equal(top.scores, torch.topk(whole, 50, dim=1).values)


def test_a_length_below_one_is_refused():
    with pytest.raises(InputError, match="length=0"):
        top_candidates(np.eye(2), RetrievalTruth.from_counts([1, 1]), "image_to_text", 0)
