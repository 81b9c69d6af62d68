"""What the scorers that compare words have in common."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any

from bcls.relevance.scorer import Scorer
from bcls.text import Tokenizer, UnicodeWords, WordCharacters, usable_tokenizer


class WordScorer(Scorer, ABC):
    """A scorer whose captions are words.

    Args:
        tokenizer: splits captions into words; None = `UnicodeWords()`.

    Raises:
        InputError: something else than a registered tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        self.tokenizer = UnicodeWords() if tokenizer is None else usable_tokenizer(tokenizer)

    def current_settings(self, kept: Any, captions: Sequence[str]) -> Any:
        """Release 0.1 kept no tokenizer: its own split these captions as this one does, or the settings differ."""
        if not isinstance(kept, dict) or "tokenizer" in kept:
            return kept
        if not self._splits_as_then(captions):
            return {**kept, "tokenizer": WordCharacters().settings()}
        return {**kept, "tokenizer": self.tokenizer.settings()}

    def _splits_as_then(self, captions: Sequence[str]) -> bool:
        then = WordCharacters()
        return self.tokenizer == then or all(self.tokenizer(caption) == then(caption) for caption in captions)
