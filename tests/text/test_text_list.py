"""Captions are a list of texts; what only looks like one is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.relevance import CiderScorer, TfidfScorer
from bcls.text import to_texts


@pytest.mark.parametrize(
    "values",
    [["a dog", "a cat"], ("a dog", "a cat"), np.array(["a dog", "a cat"]), iter(["a dog", "a cat"])],
)
def test_texts_come_back_in_order(values):
    found = to_texts(values, "captions")
    assert found == ["a dog", "a cat"]
    assert {type(text) for text in found} == {str}


def test_a_column_of_a_table_is_a_list():
    frame = pytest.importorskip("pandas").Series(["a dog", "a cat"], index=[7, 3])
    assert to_texts(frame, "captions") == ["a dog", "a cat"]


@pytest.mark.parametrize(
    "values", ["a dog", b"a dog", {"a": "b"}, {"a dog"}, None, 7, np.array("a"), np.array([["a"]])]
)
def test_what_is_no_list_is_refused(values):
    with pytest.raises(InputError, match="captions must be a list of texts"):
        to_texts(values, "captions")


@pytest.mark.parametrize("wrong", [None, float("nan"), b"a dog", 7, ["a dog"]])
def test_what_is_no_text_is_named_with_its_place(wrong):
    with pytest.raises(InputError, match=f"captions: element 1 must be text, not {type(wrong).__name__}"):
        to_texts(["a dog", wrong], "captions")


@pytest.mark.parametrize("make", [CiderScorer, TfidfScorer])
def test_scorers_never_take_a_text_for_its_letters(make):
    scorer = make().fit(["a dog", "a cat"])
    for call in (scorer.fit, scorer.encode, lambda text: scorer.similarity(text, ["a dog"])):
        with pytest.raises(InputError, match="must be a list of texts, not one text"):
            call("a dog runs")
