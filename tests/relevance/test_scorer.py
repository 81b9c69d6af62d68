"""What all scorers share: words, and the comparison of two lists of captions."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.relevance import CiderScorer, TfidfScorer
from bcls.relevance.scorer import words_of


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("", []),
        ("... !", []),
        ("A dog's ball , red-hot .", ["a", "dog", "s", "ball", "red", "hot"]),
        ("Zwei Hunde über 3 Zäune", ["zwei", "hunde", "über", "3", "zäune"]),
        ("两只 狗", ["两", "只", "狗"]),
    ],
)
def test_words_are_runs_of_letters_and_digits(caption, words):
    assert words_of(caption) == words


@pytest.mark.parametrize("scorer", [TfidfScorer(), CiderScorer()], ids=["tfidf", "cider"])
def test_a_block_of_similarities_equals_its_parts(scorer, collection):
    scorer.fit(collection.captions, collection.caption_image)
    references, candidates = collection.captions[:2], collection.captions[1:]
    whole = scorer.similarity(references, candidates)
    assert whole.shape == (2, 5)
    assert whole.dtype == np.float32
    for i, reference in enumerate(references):
        for j, candidate in enumerate(candidates):
            assert scorer.similarity([reference], [candidate])[0, 0] == pytest.approx(whole[i, j], abs=1e-7)
    assert scorer.similarity([], candidates).shape == (0, 5)
    assert scorer.similarity(references, []).shape == (2, 0)
