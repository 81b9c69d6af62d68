"""What several verbs do with their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bcls.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from bcls.relevance import Scorer


def parse_words(parser: ArgumentParser, words: Sequence[str]) -> dict[str, Any]:
    """Parse a verb's words.

    Raises:
        InputError: anything that the parser refuses.
    """
    from jsonargparse import ArgumentError  # noqa: PLC0415

    try:
        return dict(vars(parser.parse_args(list(words))))
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None


def scorer_from(words: str) -> Scorer:
    """A scorer by its short name: `sentence`, `sentence:MODEL`, `tfidf`, `cider`.

    Raises:
        InputError: no such scorer.
    """
    from bcls.relevance import CiderScorer, SentenceScorer, TfidfScorer  # noqa: PLC0415

    name, _, model = words.partition(":")
    if name == "sentence":
        return SentenceScorer(model or "all-MiniLM-L6-v2")
    if name == "tfidf" and not model:
        return TfidfScorer()
    if name == "cider" and not model:
        return CiderScorer()
    raise InputError(f"no scorer {words!r}; there are: sentence, sentence:MODEL (a folder or hub id), tfidf, cider")
