"""The rule for words of release 0.1."""

from __future__ import annotations

import re

from bcls.text.tokenizer import Tokenizer, register_tokenizer

WORD = re.compile(r"\w+")


@register_tokenizer
class WordCharacters(Tokenizer):
    """Runs of Python's word characters (letters, numbers, underscores) in lower case: the rule of release 0.1.

    It cuts words at combining marks, which breaks words of Hindi, Thai, Hebrew and other scripts. Models of 0.1 are
    opened with it, since their vocabulary was made by it; for new ones `UnicodeWords` is right. In ASCII captions the
    two find the same words.

    Example:
        >>> WordCharacters()("Two dogs' ball, in the SNOW.")
        ['two', 'dogs', 'ball', 'in', 'the', 'snow']
    """

    def words(self, caption: str) -> list[str]:
        """The runs."""
        return WORD.findall(caption.lower())
