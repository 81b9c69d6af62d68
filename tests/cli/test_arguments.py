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
