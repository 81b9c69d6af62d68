"""What several verbs do with their words."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bcls.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from bcls.relevance import Scorer


def parse_words(parser: ArgumentParser, words: Sequence[str]) -> dict[str, Any]:
    """Parse a verb's words; an option may be written with hyphens or underscores.

    Raises:
        InputError: anything that the parser refuses.
    """
    from jsonargparse import ArgumentError  # noqa: PLC0415

    try:
        return dict(vars(parser.parse_args(underscored(words))))
    except ArgumentError as error:
        raise InputError(" ".join(str(error).split())) from None
    except InputError:
        raise
    except Exception as error:  # YAML raises nearly every kind: dates, numbers and nests that cannot be
        raise InputError(f"the options cannot be read ({type(error).__name__}: {error})") from None


def underscored(words: Sequence[str]) -> list[str]:
    """The words with underscores for hyphens in options' names, values untouched.

    Example:
        >>> underscored(["--loss.kendall-weight=0.5", "--output", "my-run"])
        ['--loss.kendall_weight=0.5', '--output', 'my-run']
    """
    return [_option_underscored(word) if word.startswith("--") else word for word in words]


def _option_underscored(word: str) -> str:
    name, equals, value = word[2:].partition("=")
    return f"--{name.replace('-', '_')}{equals}{value}"


def scorer_from(words: str) -> Scorer:
    """A scorer by its short name: `sentence`, `sentence:MODEL`, `tfidf`, `cider`; the last two with `:dictionary` too.

    Raises:
        InputError: no such scorer.
    """
    from bcls.relevance import CiderScorer, SentenceScorer, TfidfScorer  # noqa: PLC0415
    from bcls.text import UnicodeWords  # noqa: PLC0415

    name, _, detail = words.partition(":")
    if name == "sentence":
        return SentenceScorer(detail or "all-MiniLM-L6-v2")
    if name in {"tfidf", "cider"} and detail in {"", "dictionary"}:
        tokenizer = UnicodeWords(unspaced="dictionary") if detail else None
        return TfidfScorer(tokenizer) if name == "tfidf" else CiderScorer(tokenizer)
    raise InputError(
        f"no scorer {words!r}; there are: sentence, sentence:MODEL (a folder or hub id), tfidf, cider, and "
        "tfidf:dictionary and cider:dictionary for captions in scripts without spaces"
    )


def scorer_words(scorer: Scorer) -> str:
    """The short name by which `scorer_from` gives the same scorer; of any other its own name.

    Example:
        >>> from bcls.relevance import TfidfScorer
        >>> scorer_words(TfidfScorer())
        'tfidf'
    """
    from bcls.relevance import SentenceScorer  # noqa: PLC0415

    for words in ("cider", "tfidf", "sentence"):
        if type(scorer_from(words)) is type(scorer) and scorer_from(words).settings() == scorer.settings():
            return words
    return f"sentence:{scorer.model}" if type(scorer) is SentenceScorer else scorer.name


def require_training(verb: str) -> None:
    """Make Lightning quiet, so that a user hears about the run alone.

    Raises:
        MissingExtraError: Lightning or TensorBoard is not installed.
    """
    if find_spec("lightning") is None or find_spec("tensorboard") is None:
        raise MissingExtraError(verb, "train")
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    warnings.filterwarnings("ignore", message=r".*does not have many workers.*")
