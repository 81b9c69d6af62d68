"""Relevant sets of semantic recall, against a loop over their definition."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation import RetrievalTruth
from bcls.evaluation import similarity as similarity_module
from bcls.evaluation.judged.semantic_relevant import relevant_sets
from bcls.evaluation.similarity import relevance_blocks


def sets_of(relevance, truth, size):
    """For each direction the pairs (query, candidate), in order."""
    found = relevant_sets(relevance_blocks(relevance, truth), truth, size)
    assert (found["image_to_text"].queries, found["text_to_image"].queries) == (truth.images, truth.captions)
    return {
        direction: list(zip(judged.query.tolist(), judged.candidate.tolist(), strict=True))
        for direction, judged in found.items()
    }


def naive(relevance, truth, size):
    """Captions vote for the images that they describe best; the images that got most are relevant."""
    worth = np.nan_to_num(relevance, nan=0.0)
    image_of, chosen = truth.caption_image.tolist(), []
    for image in range(truth.images):
        votes = np.zeros(truth.images)
        for caption in (c for c, own in enumerate(image_of) if own == image):
            for other in sorted(range(truth.images), key=lambda one: (-worth[one, caption], one))[:10]:
                votes[other] += worth[other, caption]
        others = sorted((one for one in range(truth.images) if one != image), key=lambda one: (-votes[one], one))
        chosen.append([one for one in others if votes[one] > 0][:size])
    to_text = [(i, c) for i, images in enumerate(chosen) for c, own in enumerate(image_of) if own in images]
    to_image = [(c, one) for c, own in enumerate(image_of) if own >= 0 for one in sorted(chosen[own])]
    return {"image_to_text": sorted(to_text), "text_to_image": to_image}


@pytest.mark.parametrize("size", [1, 2, 5, 30])
@pytest.mark.parametrize("images", [1, 2, 9, 10, 11, 17])
def test_they_are_those_of_the_definition(images, size):
    for seed in range(4):
        random = np.random.default_rng(seed)
        truth = RetrievalTruth(np.append(random.integers(-1, images, 3 * images), 0), images)
        relevance = random.integers(0, 9, (images, truth.captions)) / 8  # sums in eighths are exact: ties are ties
        relevance[random.random(relevance.shape) < 0.1] = np.nan
        assert sets_of(relevance, truth, size) == naive(relevance, truth, size)


@pytest.mark.parametrize("scores", [1, 40])
def test_the_size_of_a_block_changes_nothing(monkeypatch, scores):
    random = np.random.default_rng(5)
    truth = RetrievalTruth(random.integers(-1, 12, 40), 12)
    relevance = random.integers(0, 9, (12, 40)) / 8
    monkeypatch.setattr(similarity_module, "BLOCK_SCORES", scores)
    assert sets_of(relevance, truth, 3) == naive(relevance, truth, 3)


def test_the_sum_over_captions_decides_and_not_the_best_of_them():
    truth = RetrievalTruth.from_counts([2, 1, 1])
    relevance = np.zeros((3, 4))
    relevance[1, :2] = 0.5, 0.5
    relevance[2, :2] = 0.9, 0.0
    assert sets_of(relevance, truth, 1) == {
        "image_to_text": [(0, 2)],
        "text_to_image": [(0, 1), (1, 1)],
    }


def test_an_image_that_is_not_among_a_captions_ten_best_gets_nothing_of_it():
    truth = RetrievalTruth(np.array([0, 0]), 12)
    relevance = np.full((12, 2), 0.5)
    relevance[0] = 1
    relevance[-1] = 0.25  # the eleventh others of both captions: never voted for
    assert [image for caption, image in sets_of(relevance, truth, 99)["text_to_image"] if caption == 0] == [
        *range(1, 10)
    ]


def test_of_equal_sums_the_lower_row_is_taken():
    truth = RetrievalTruth.from_counts([1, 1, 1, 1])
    relevance = np.ones((4, 4))
    assert sets_of(relevance, truth, 1)["text_to_image"] == [(0, 1), (1, 0), (2, 0), (3, 0)]
    assert sets_of(relevance, truth, 2)["text_to_image"][:2] == [(0, 1), (0, 2)]


def test_captions_without_image_have_no_vote_and_no_set_and_are_in_none():
    truth = RetrievalTruth(np.array([-1, 0, 1, -1]), 2)
    sets = sets_of(np.array([[1.0, 0.1, 0.2, 1.0], [1.0, 0.3, 0.4, 1.0]]), truth, 2)
    assert sets == {"image_to_text": [(0, 2), (1, 1)], "text_to_image": [(1, 1), (2, 0)]}


def test_an_image_without_captions_is_relevant_to_captions_and_brings_an_image_none():
    truth = RetrievalTruth(np.array([0]), 2)
    assert sets_of(np.array([[0.9], [0.4]]), truth, 1) == {"image_to_text": [], "text_to_image": [(0, 1)]}


def test_where_nothing_is_known_no_set_has_anything():
    truth = RetrievalTruth.from_counts([1, 1])
    for nothing in (0.0, np.nan):
        assert sets_of(np.full((2, 2), nothing), truth, 2) == {"image_to_text": [], "text_to_image": []}
