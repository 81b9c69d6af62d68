"""Tokenizers are kept by name and arguments, and open only where they give the same words."""

from __future__ import annotations

import json

import pytest

from bcls.errors import InputError
from bcls.text import (
    Tokenizer,
    UnicodeWords,
    WordCharacters,
    describe_tokenizer,
    register_tokenizer,
    tokenizer,
    tokenizer_from,
    usable_tokenizer,
)


@register_tokenizer
class TestLetters(Tokenizer):
    """A tokenizer of somebody else's."""

    __test__ = False

    def __init__(self, least: int = 1, *, upper: bool = False) -> None:
        if least < 1:
            raise InputError(f"least is {least}; it must be at least 1")
        self.least = least
        self.upper = upper

    def words(self, caption: str) -> list[str]:
        found = [word for word in caption.split() if len(word) >= self.least]
        return [word.upper() for word in found] if self.upper else found


class Unregistered(Tokenizer):
    def words(self, caption: str) -> list[str]:
        return caption.split()


@pytest.mark.parametrize("given", [UnicodeWords(), WordCharacters(), TestLetters(), TestLetters(3, upper=True)])
def test_a_described_tokenizer_comes_back(given):
    described = json.loads(json.dumps(describe_tokenizer(given)))
    found = tokenizer_from(described, "x")
    assert found == given
    assert hash(found) == hash(given)
    assert found("A dog, cats") == given("A dog, cats")


def test_tokenizers_of_other_arguments_or_kinds_differ():
    kinds = [UnicodeWords(), WordCharacters(), TestLetters(), TestLetters(2), TestLetters(2, upper=True)]
    assert all((one == other) == (i == j) for i, one in enumerate(kinds) for j, other in enumerate(kinds))


@pytest.mark.parametrize("caption", [None, 3, b"a dog", ["a dog"], float("nan")])
@pytest.mark.parametrize("given", [UnicodeWords(), WordCharacters(), TestLetters()])
def test_what_is_no_text_is_refused(given, caption):
    with pytest.raises(InputError, match=f"a caption must be text, not {type(caption).__name__}"):
        given(caption)


def test_a_tokenizer_that_gives_other_words_here_is_refused():
    described = describe_tokenizer(UnicodeWords())
    described["settings"]["rule"] = 99
    with pytest.raises(InputError, match=r"x: words were made with the tokenizer .*'rule': 99.* which is .*'rule': 2"):
        tokenizer_from(described, "x")


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (None, "'tokenizer' is 'None'; it must name a class and its arguments"),
        ({"class": "UnicodeWords"}, "must name a class and its arguments"),
        ({"class": ["UnicodeWords"], "arguments": {}}, "must name a class and its arguments"),
        ({"class": "os.system", "arguments": {}}, "the tokenizer 'os.system' is unknown; there are .*UnicodeWords"),
        ({"class": "UnicodeWords", "arguments": {"x": 1}}, "the tokenizer UnicodeWords does not take {'x': 1}"),
        ({"class": "UnicodeWords", "arguments": {"unspaced": "?"}}, "config.json: unspaced is '?'"),
        ({"class": "TestLetters", "arguments": {"least": 0}}, "config.json: least is 0"),
    ],
)
def test_a_bad_description_is_refused(described, message):
    with pytest.raises(InputError, match=message):
        tokenizer_from(described, "config.json")


def test_an_installed_package_may_bring_a_tokenizer(monkeypatch):
    class Plugin:
        @staticmethod
        def load():
            tokenizer._KNOWN["Late"] = TestLetters

    monkeypatch.setattr(tokenizer, "entry_points", lambda *, group: [Plugin] if group == "bcls.plugins" else [])
    described = {"class": "Late", "arguments": {}, "settings": TestLetters().settings()}
    try:
        assert tokenizer_from(described, "x") == TestLetters()
    finally:
        tokenizer._KNOWN.pop("Late", None)


def test_what_no_model_could_name_is_refused():
    with pytest.raises(InputError, match=r"tokenizer is <function .*; it must be a Tokenizer"):
        usable_tokenizer(lambda caption: caption.split())
    with pytest.raises(InputError, match="the tokenizer Unregistered is not registered"):
        usable_tokenizer(Unregistered())
    with pytest.raises(InputError, match="Unregistered is not registered"):
        describe_tokenizer(Unregistered())


def test_a_name_is_registered_once():
    foreign = type("UnicodeWords", (Unregistered,), {"__module__": "elsewhere"})
    with pytest.raises(InputError, match=r"there is a tokenizer UnicodeWords already, in bcls\.text"):
        register_tokenizer(foreign)
    again = type("TestLetters", (Unregistered,), {"__module__": __name__, "__qualname__": "TestLetters"})
    try:
        assert register_tokenizer(again) is again  # the cell of a notebook
        assert usable_tokenizer(again())
    finally:
        register_tokenizer(TestLetters)
