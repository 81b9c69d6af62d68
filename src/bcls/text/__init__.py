"""Captions as text: their normal form and their words. The rule is stated in full in `docs/words.md`."""

from __future__ import annotations

from bcls.text.normal_form import composed, folded
from bcls.text.text_list import to_texts
from bcls.text.tokenizer import (
    Tokenizer,
    describe_tokenizer,
    register_tokenizer,
    tokenizer_from,
    usable_tokenizer,
)
from bcls.text.unicode_words import UnicodeWords, words_of
from bcls.text.word_characters import WordCharacters

__all__ = [
    "Tokenizer",
    "UnicodeWords",
    "WordCharacters",
    "composed",
    "describe_tokenizer",
    "folded",
    "register_tokenizer",
    "to_texts",
    "tokenizer_from",
    "usable_tokenizer",
    "words_of",
]
