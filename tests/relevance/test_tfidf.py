"""TF-IDF cosine against a count by hand."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter

import numpy as np
import pytest

from bcls.errors import InputError, MissingExtraError
from bcls.relevance import TfidfScorer
from bcls.relevance.scorer import words_of


def naive_cosine(collection, reference, candidate):
    frequency = Counter(word for caption in collection for word in set(words_of(caption)))

    def vector(caption):
        counts = Counter(word for word in words_of(caption) if word in frequency)
        return {
            word: (1 + math.log(count)) * (1 + math.log((1 + len(collection)) / (1 + frequency[word])))
            for word, count in counts.items()
        }

    left, right = vector(reference), vector(candidate)
    norms = math.hypot(*left.values()) * math.hypot(*right.values())
    return sum(left[word] * right.get(word, 0) for word in left) / norms if norms else 0.0


def test_equals_the_formula(collection):
    references = [*collection.captions, "The dog , the DOG and a unicorn", "unicorn", ""]
    candidates = ["a dog", "men eat eat apples", "unicorn", *collection.captions]
    ours = TfidfScorer().fit(collection.captions).similarity(references, candidates)
    theirs = [[naive_cosine(collection.captions, r, c) for c in candidates] for r in references]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_is_symmetric_and_blind_to_the_images(collection):
    plain = TfidfScorer().fit(collection.captions)
    told = TfidfScorer().fit(collection.captions, collection.caption_image)
    matrix = plain.similarity(collection.captions, collection.captions)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-7)
    np.testing.assert_array_equal(matrix, told.similarity(collection.captions, collection.captions))
    np.testing.assert_allclose(np.diag(matrix), 1, atol=1e-6)


def test_refuses_to_work_without_words():
    with pytest.raises(InputError, match="must be fitted"):
        TfidfScorer().encode(["a dog"])
    for captions in ([], ["...", ""]):
        with pytest.raises(InputError, match="no caption has a word"):
            TfidfScorer().fit(captions)


def test_no_captions_make_no_encodings():
    nothing = TfidfScorer().fit(["a dog"]).encode([])
    assert nothing.similarity(np.array([], dtype=np.int64), np.array([], dtype=np.int64)).shape == (0, 0)


def test_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(MissingExtraError, match=r"bcls\[text\]"):
        TfidfScorer().fit(["a dog"])


def test_names_itself_and_its_settings():
    assert TfidfScorer().name == "tfidf"
    assert json.loads(json.dumps(TfidfScorer().settings()))["scorer"] == "tfidf"
