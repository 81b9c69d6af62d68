"""Words in any script."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, Literal, get_args

import regex

from bcls.errors import InputError, MissingExtraError
from bcls.text.normal_form import folded
from bcls.text.tokenizer import Tokenizer, register_tokenizer

Unspaced = Literal["characters", "dictionary"]
UNSPACED_SCRIPTS: Final = (
    *("Han", "Hiragana", "Bopomofo", "Yi", "Thai", "Lao", "Khmer", "Myanmar"),
    *("Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Javanese", "Balinese"),
)
RULE: Final = 2
"""Counted up whenever the words of any caption change; 1 is `WordCharacters`."""

_SCRIPTS = "".join(rf"\p{{Script={script}}}" for script in UNSPACED_SCRIPTS)
_UNSPACED = rf"[\p{{L}}&&[{_SCRIPTS}]]"
_KATAKANA = r"[[\p{L}&&\p{Script=Katakana}]\u30FC]"
_SPACED = rf"[[\p{{L}}\p{{N}}_]--{_UNSPACED}--{_KATAKANA}]"
_AM = r"\u0E33\u0EB3"  # letters to Unicode, marks to the eye
_STACKED = r"\u17D2\u1039\u1A60"  # Khmer COENG, Myanmar VIRAMA, Tai Tham SAKOT: the next letter is written below
_FLAG = r"\p{Regional_Indicator}{1,2}"
_EMOJI = rf"{_FLAG}|[[\p{{Emoji}}&&\p{{So}}]--[\u00A9\u00AE\u2122]]"

PART: Final = regex.compile(
    rf"(?V1)(?P<spaced>{_SPACED}[{_SPACED}\p{{M}}]*)|(?P<unspaced>{_UNSPACED}[{_UNSPACED}\p{{M}}]*)"
    rf"|(?P<katakana>{_KATAKANA}[{_KATAKANA}\p{{M}}]*)|(?P<emoji>{_EMOJI})"
)
CHARACTER: Final = regex.compile(rf"(?V1).(?:[\p{{M}}{_AM}]|(?<=[{_STACKED}])\p{{L}})*")
JAPANESE_OR_UNSPACED: Final = regex.compile(
    rf"(?V1)(?P<run>[{_UNSPACED}{_KATAKANA}][{_UNSPACED}{_KATAKANA}\p{{M}}]*)"
    rf"|(?P<word>{_SPACED}[{_SPACED}\p{{M}}]*|{_EMOJI})"
)
ASCII_WORD: Final = re.compile(r"\w+", re.ASCII)


@register_tokenizer
class UnicodeWords(Tokenizer):
    r"""Words of letters, combining marks and digits, in any script; emoji are words too. `docs/words.md` has the rule.

    Captions are compared in one normal form (`bcls.text.folded`): composed and decomposed accents, capitals, full-width
    letters and invisible characters make no difference. Punctuation always separates, apostrophes too. In ASCII
    captions words are runs of letters, digits and underscores in lower case.

    Args:
        unspaced: words of scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, ...).
            `characters` = each character with its marks is a word; `dictionary` = words by the dictionaries of ICU,
            which needs the extra `segmentation`.

    Raises:
        InputError: another value of `unspaced`.
        MissingExtraError: `dictionary`, and icu4py is not installed.

    Example:
        >>> words = UnicodeWords()
        >>> words("Two dogs' ball, in the SNOW."), words("2 CAFE\u0301s"), words("狗在跑")
        (['two', 'dogs', 'ball', 'in', 'the', 'snow'], ['2', 'cafés'], ['狗', '在', '跑'])
    """

    def __init__(self, *, unspaced: Unspaced = "characters") -> None:
        if unspaced not in get_args(Unspaced):
            raise InputError(f"unspaced is {unspaced!r}; it must be one of {', '.join(get_args(Unspaced))}")
        self.unspaced: Unspaced = unspaced
        if unspaced == "dictionary":
            icu_version()

    def settings(self) -> dict[str, Any]:
        """The rule's number and the choice for unspaced scripts; with dictionaries, ICU's version too."""
        found = {**super().settings(), "rule": RULE}
        return {**found, "icu": icu_version()} if self.unspaced == "dictionary" else found

    def words(self, caption: str) -> list[str]:
        """The words in the normal form, in order."""
        if caption.isascii():
            return ASCII_WORD.findall(caption.lower())
        text = folded(caption)
        return _by_dictionary(text) if self.unspaced == "dictionary" else _by_character(text)


def words_of(caption: str) -> list[str]:
    """The words of a caption by the default rule, `UnicodeWords()`.

    Example:
        >>> words_of("Two dogs, in the SNOW.")
        ['two', 'dogs', 'in', 'the', 'snow']
    """
    return _DEFAULT(caption)


_DEFAULT = UnicodeWords()


def _by_character(text: str) -> list[str]:
    words: list[str] = []
    for part in PART.finditer(text):
        if part.lastgroup == "unspaced":
            words += CHARACTER.findall(part.group())
        else:
            words.append(part.group())
    return words


def _by_dictionary(text: str) -> list[str]:
    from icu4py.breakers import WordBreaker  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415

    words: list[str] = []
    for part in JAPANESE_OR_UNSPACED.finditer(text):
        words += [part.group()] if part.lastgroup == "word" else list(WordBreaker(part.group(), "en"))
    return words


@cache
def icu_version() -> str:
    """The version of ICU, whose dictionaries change with it.

    Raises:
        MissingExtraError: icu4py is not installed.
    """
    try:
        from icu4py import icu_version as version  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("words by dictionary", "segmentation") from None
    return str(version)
