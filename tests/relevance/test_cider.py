"""CIDEr-D against the field's implementation, pycocoevalcap."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.relevance import CiderScorer
from bcls.relevance.scorer import words_of

WORDS = ("a", "dog", "runs", "on", "the", "grass", "red")
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
unseen = st.lists(st.sampled_from([*WORDS, "unicorn"]), min_size=0, max_size=9).map(" ".join)


class Documents(list):
    """A list that claims another length: the original takes the number of documents from the pairs it scores."""

    def __init__(self, items, documents):
        super().__init__(items)
        self.documents = documents

    def __len__(self):
        return self.documents


def reference_scores(collection, caption_image, references, candidates):
    """(R, C) by pycocoevalcap, document frequencies from the collection, divided by 10."""
    from pycocoevalcap.cider.cider_scorer import CiderScorer as Original

    def split(caption):
        return " ".join(words_of(caption))

    corpus, scores = Original(), Original()
    for image in dict.fromkeys(caption_image):
        corpus += ("", [split(c) for c, i in zip(collection, caption_image, strict=True) if i == image])
    corpus.compute_doc_freq()
    for reference in references:
        for candidate in candidates:
            scores += (split(candidate), [split(reference)])
    scores.document_frequency = corpus.document_frequency
    scores.crefs = Documents(scores.crefs, len(corpus.crefs))
    return np.array(scores.compute_cider()).reshape(len(references), len(candidates)) / 10


@given(
    collection=st.lists(sentences, min_size=2, max_size=8),
    images=st.integers(2, 4),
    references=st.lists(unseen, min_size=1, max_size=4),
    candidates=st.lists(unseen, min_size=1, max_size=4),
)
@settings(max_examples=80, deadline=None)
def test_equals_the_fields_implementation(collection, images, references, candidates):
    caption_image = [row % images for row in range(len(collection))]
    ours = CiderScorer().fit(collection, np.array(caption_image)).similarity(references, candidates)
    theirs = reference_scores(collection, caption_image, references, candidates)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_equals_the_fields_implementation_on_written_captions(collection):
    references = [*collection.captions, "A unicorn eats eats eats grass", ""]
    candidates = [*collection.captions, "dog", "The DOG, the dog; the dog!", "men in hats eat unicorns in a park"]
    ours = CiderScorer().fit(collection.captions, collection.caption_image).similarity(references, candidates)
    theirs = reference_scores(collection.captions, collection.caption_image.tolist(), references, candidates)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert (theirs > 0).sum() > 20


def test_equals_the_fields_implementation_on_flickr8k(flickr8k):
    images = json.loads((flickr8k / "dataset_flickr8k.json").read_text())["images"][:300]
    captions = [sentence["raw"] for image in images for sentence in image["sentences"]]
    caption_image = [row for row, image in enumerate(images) for _ in image["sentences"]]
    ours = CiderScorer().fit(captions, np.array(caption_image)).similarity(captions[:25], captions[:60])
    theirs = reference_scores(captions, caption_image, captions[:25], captions[:60])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_equals_the_fields_implementation_in_other_scripts():
    captions = [
        "एक कुत्ता घास पर दौड़ता है",
        "दो कुत्ते दौड़ते हैं",
        "一只黑色的狗在草地上",
        "黑狗在跑",
        "כֶּלֶב רָץ",
        "un café noir 🐶",
    ]
    ours = CiderScorer().fit(captions).similarity(captions, captions)
    theirs = reference_scores(captions, list(range(6)), captions, captions)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert ours[0, 2] == 0
    assert ours[2, 3] > 0


def test_a_caption_of_four_words_or_more_is_fully_like_itself(collection):
    scorer = CiderScorer().fit(collection.captions, collection.caption_image)
    assert scorer.similarity(["Two dogs on the grass"], ["two dogs on the grass"])[0, 0] == pytest.approx(1)
    assert scorer.similarity(["Skateboarder"], ["skateboarder"])[0, 0] == pytest.approx(0.25)  # one order of four


def test_an_image_is_one_document(collection):
    """`dog` stands in two captions of one image: as rare as a word of one caption only if images are told."""
    apart = CiderScorer().fit(collection.captions)
    together = CiderScorer().fit(collection.captions, collection.caption_image)
    pair = (["dog"], ["dog skateboarder"])
    assert apart.similarity(*pair)[0, 0] < together.similarity(*pair)[0, 0]


def test_refuses_to_work_without_a_collection():
    with pytest.raises(InputError, match="must be fitted"):
        CiderScorer().encode(["a dog"])
    with pytest.raises(InputError, match="no captions to learn from"):
        CiderScorer().fit([])
    with pytest.raises(InputError, match="2 captions, but caption_image has 1 rows"):
        CiderScorer().fit(["a", "b"], np.array([0]))


def test_names_itself_and_its_settings():
    assert CiderScorer().name == "cider-d"
    words = {"tokenizer": "UnicodeWords", "unspaced": "characters", "rule": 2}
    expected = {"scorer": "cider-d", "longest": 4, "sigma": 6.0, "tokenizer": words}
    assert json.loads(json.dumps(CiderScorer().settings())) == expected


@pytest.mark.parametrize(("captions", "images"), [(["a dog"], None), (["a dog", "a cat"], [0, 0])])
def test_the_captions_of_one_image_cannot_weigh_words(captions, images):
    with pytest.raises(InputError, match="all captions are of one image, so that every n-gram weighs 0"):
        CiderScorer().fit(captions, images)
