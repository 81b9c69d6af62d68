"""Short names of scorers."""

from __future__ import annotations

import pytest

from bcls.cli.arguments import scorer_from
from bcls.errors import InputError
from bcls.relevance import CiderScorer, SentenceScorer, TfidfScorer


@pytest.mark.parametrize(
    ("name", "kind"),
    [("tfidf", TfidfScorer), ("cider", CiderScorer), ("sentence", SentenceScorer), ("sentence:folder", SentenceScorer)],
)
def test_names(name, kind):
    assert type(scorer_from(name)) is kind


@pytest.mark.parametrize("name", ["", "bleu", "tfidf:model", "cider:model"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="there are: sentence"):
        scorer_from(name)


@pytest.mark.parametrize("name", ["tfidf", "cider"])
def test_words_by_dictionary_are_a_suffix(name, monkeypatch):
    monkeypatch.setattr("bcls.text.unicode_words.icu_version", lambda: "78.3")
    assert scorer_from(f"{name}:dictionary").settings()["tokenizer"]["unspaced"] == "dictionary"
    assert scorer_from(name).settings()["tokenizer"]["unspaced"] == "characters"
