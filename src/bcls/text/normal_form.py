"""The normal forms of text: one that keeps what a reader sees, one in which equal words are equal strings."""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

KEPT: Final = regex.compile(
    r"(?V1)[\p{Decomposition_Type=Super}\p{Decomposition_Type=Sub}\p{Decomposition_Type=Fraction}"
    r"\p{Script=Thai}\p{Script=Lao}]+"
)
"""What is not replaced by its compatibility decomposition: 2½ is not 21⁄2, and Thai would fall apart."""
SPACE: Final = "\u200b"
"""ZERO WIDTH SPACE: it marks a word's end where no space is written."""
DELETED: Final = regex.compile(r"(?V1)[[\p{Default_Ignorable_Code_Point}\p{Me}\p{Emoji_Modifier}\u0640]--[\u200B]]")
"""What does not tell one word from another; U+0640 is the Arabic tatweel, which only stretches a word."""
OTHER_DIGIT: Final = regex.compile(r"(?V1)[\p{Nd}--[0-9]]")
SECOND_DOT: Final = regex.compile("([ij])\u0307+")
"""In the lower case of a Turkish capital I with a dot the letter has its dot and a combining one."""
IN_TWO_PARTS: Final = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))
"""Thai SARA AM and Lao AM, which can be typed in two parts."""


def composed(text: str) -> str:
    r"""The Unicode normal form NFC: for tokenizers of pretrained models, which have rules of their own beyond it.

    Example:
        >>> composed("cafe\u0301")
        'café'
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    r"""The form in which words are compared: NFKC with case folding, up to the exceptions of `docs/words.md`.

    Canonically equivalent texts have the same form, and the form of a form is itself.

    Example:
        >>> folded("CAFE\u0301 \uff23afe\u0301 Straße 2½ İzmir")
        'café café strasse 2½ izmir'
    """
    if text.isascii():
        return text.lower()
    parts: list[str] = []
    place = 0
    for kept in KEPT.finditer(text):
        parts += [_compatible(text[place : kept.start()]), kept.group()]
        place = kept.end()
    whole = "".join([*parts, _compatible(text[place:])]).replace(SPACE, " ")
    whole = unicodedata.normalize("NFD", DELETED.sub("", whole))
    whole = SECOND_DOT.sub(r"\1", whole)
    for parts_of, one in IN_TWO_PARTS:
        whole = whole.replace(parts_of, one)
    whole = OTHER_DIGIT.sub(_ascii_digit, whole)
    return unicodedata.normalize("NFC", whole)


def _compatible(text: str) -> str:
    """Compatibility caseless form, definition D146 of the Unicode Standard (section 3.13)."""
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKD", once.casefold())


def _ascii_digit(digit: regex.Match[str]) -> str:
    value = unicodedata.decimal(digit.group(), None)  # None: newer than this Python's Unicode
    return digit.group() if value is None else str(value)
