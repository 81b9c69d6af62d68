"""What a tokenizer is, and how a model or a label store remembers which one it was made with."""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from importlib.metadata import entry_points
from typing import Any, TypeVar, final

from bcls.errors import InputError

PLUGINS = "bcls.plugins"
_KNOWN: dict[str, type[Tokenizer]] = {}


class Tokenizer(ABC):
    """Splits captions into words.

    To add one, write `words`, keep each argument of the constructor under its own name, and put `@register_tokenizer`
    before the class, so that saved models can name it. What the words depend on beyond the arguments (the version of a
    dictionary) belongs into `settings`.

    Example:
        >>> class Letters(Tokenizer):
        ...     def words(self, caption: str) -> list[str]:
        ...         return [letter for letter in caption.lower() if letter.isalpha()]
        >>> Letters()("A dog")
        ['a', 'd', 'o', 'g']
    """

    @abstractmethod
    def words(self, caption: str) -> list[str]:
        """The words of a caption in order; none is empty or holds white space."""

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        given = inspect.signature(type(self)).parameters.values()
        several = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        return {one.name: getattr(self, one.name) for one in given if one.kind not in several}

    def settings(self) -> dict[str, Any]:
        """All that the words depend on, JSON-able: a model or label store opens only where these are the same."""
        return {"tokenizer": type(self).__name__, **self.arguments()}

    @final
    def __call__(self, caption: str) -> list[str]:
        """`words`, after a check that the caption is text.

        Raises:
            InputError: it is not.
        """
        if not isinstance(caption, str):
            raise InputError(f"a caption must be text, not {type(caption).__name__} ({str(caption)[:40]!r})")
        return self.words(caption)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.settings() == self.settings()

    def __hash__(self) -> int:
        return hash(json.dumps(self.settings(), sort_keys=True))


Kind = TypeVar("Kind", bound=type[Tokenizer])


def register_tokenizer(kind: Kind) -> Kind:
    """A decorator that lets saved models name a tokenizer by its class's name.

    A saved model never names a module to import: whoever opens it imports the package first, or installs one that
    names its module in the entry-point group `bcls.plugins`.

    Raises:
        InputError: another class has the name already.
    """
    known = _KNOWN.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise InputError(f"there is a tokenizer {kind.__name__} already, in {known.__module__}: choose another name")
    _KNOWN[kind.__name__] = kind  # a notebook runs a cell again
    return kind


def usable_tokenizer(tokenizer: object) -> Tokenizer:
    """The tokenizer, if a model or label store can keep it.

    Raises:
        InputError: it is no tokenizer, or not registered.
    """
    if not isinstance(tokenizer, Tokenizer):
        raise InputError(f"tokenizer is {tokenizer!r}; it must be a Tokenizer, e.g. UnicodeWords()")
    if _KNOWN.get(type(tokenizer).__name__) is not type(tokenizer):
        raise InputError(
            f"the tokenizer {type(tokenizer).__name__} is not registered, so that no saved model could name it: put "
            "@register_tokenizer (of bcls.text) before its class"
        )
    return tokenizer


def describe_tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    """A tokenizer for a JSON file, see `tokenizer_from`.

    Example:
        >>> from bcls.text import WordCharacters
        >>> describe_tokenizer(WordCharacters())
        {'class': 'WordCharacters', 'arguments': {}, 'settings': {'tokenizer': 'WordCharacters'}}
    """
    usable_tokenizer(tokenizer)
    return {
        "class": type(tokenizer).__name__,
        "arguments": tokenizer.arguments(),
        "settings": json.loads(json.dumps(tokenizer.settings())),
    }


def tokenizer_from(described: Any, place: str) -> Tokenizer:
    """The tokenizer of `describe_tokenizer`.

    Args:
        described: from a JSON file.
        place: the file, for messages.

    Raises:
        InputError: no such description, an unknown class, or one that gives other words here than where it was saved.
    """
    name = described.get("class") if isinstance(described, dict) else None
    arguments = described.get("arguments") if isinstance(described, dict) else None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise InputError(f"{place}: 'tokenizer' is {str(described)[:80]!r}; it must name a class and its arguments")
    if name not in _KNOWN:
        for plugin in entry_points(group=PLUGINS):
            plugin.load()
    if name not in _KNOWN:
        raise InputError(
            f"{place}: the tokenizer {name!r} is unknown; there are {', '.join(sorted(_KNOWN))}. If it comes from "
            "another package, import that package first"
        )
    try:
        tokenizer = _KNOWN[name](**arguments)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{place}: the tokenizer {name} does not take {arguments} ({error})") from None
    here = json.loads(json.dumps(tokenizer.settings()))
    if here != described.get("settings"):
        raise InputError(
            f"{place}: words were made with the tokenizer {described.get('settings')}, which is {here} here: its words "
            "would be others than those learnt. Install the version that it names"
        )
    return tokenizer
