"""The best positive's rank, where a function does not give one score twice alike."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.evaluation import RetrievalTruth
from bcls.evaluation.judged.best_ranks import best_ranks
from bcls.evaluation.judged.positives import JudgedPositives
from bcls.evaluation.protocols import Fold
from bcls.evaluation.similarity import similarity_blocks


def naive(scores, judged, direction):
    """Sort each query's candidates, positives behind equals, and look for the first positive."""
    table = scores if direction == "image_to_text" else scores.T
    ranks = np.full(len(table), np.nan)
    for query in judged.asked:
        own = set(judged.candidate[judged.query == query].tolist())
        order = sorted(range(table.shape[1]), key=lambda column: (-table[query, column], column in own))
        ranks[query] = 1 + next(place for place, column in enumerate(order) if column in own)
    return ranks


@pytest.fixture
def judged():
    random = np.random.default_rng(3)
    pairs = random.random((7, 20)) < 0.2
    images, captions = np.nonzero(pairs)
    fewer = random.random(images.size) < 0.7
    return {
        "image_to_text": JudgedPositives.of_pairs(images, captions, 7, 20),
        "text_to_image": JudgedPositives.of_pairs(captions[fewer], images[fewer], 20, 7),
    }


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_equals_a_sort_of_every_query(judged, levels):
    scores = np.random.default_rng(4).integers(0, levels, (7, 20)) / 7
    blocks = similarity_blocks(scores, RetrievalTruth(np.arange(20) % 7, images=7))
    found = best_ranks(blocks, Fold(np.arange(7), np.arange(20)), [judged])[0]
    for direction, ranks in found.items():
        np.testing.assert_array_equal(ranks, naive(scores, judged[direction], direction))


@pytest.mark.parametrize("nudge", [-1e-7, 1e-7])
def test_a_function_that_rounds_otherwise_in_another_block(judged, nudge):
    """Whole blocks come a little lower or higher than those of single pairs, as a product of another shape may."""
    scores = np.random.default_rng(4).random((7, 20))

    def ask(images, captions):
        return scores[np.ix_(images, captions)] + (nudge if captions.size == 20 else 0)

    blocks = similarity_blocks(ask, RetrievalTruth(np.arange(20) % 7, images=7))
    found = best_ranks(blocks, Fold(np.arange(7), np.arange(20)), [judged])[0]
    for direction, ranks in found.items():
        np.testing.assert_array_equal(ranks, naive(scores, judged[direction], direction))
