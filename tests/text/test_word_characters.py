"""The rule of release 0.1, as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.text import WordCharacters


@given(st.text())
def test_words_are_runs_of_word_characters_in_lower_case(caption):
    assert WordCharacters()(caption) == re.findall(r"\w+", caption.lower())


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog's ball.", ["a", "dog", "s", "ball"]),
        ("ÉTÉ à Zürich", ["été", "à", "zürich"]),
        ("बाल", ["ब", "ल"]),
        (" .,! ", []),
    ],
)
def test_words(caption, words):
    assert WordCharacters()(caption) == words
