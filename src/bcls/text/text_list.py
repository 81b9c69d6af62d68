"""Lists of captions as callers give them: a list, a tuple, an array or a column of texts; nothing else passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from bcls.errors import InputError


def to_texts(values: Any, name: str) -> list[str]:
    """Texts as a list, in their order.

    A single text is refused: as a sequence of its letters it would pass for many captions of one letter each.

    Args:
        values: a list, a tuple, an array of one axis, a column of a table, or an iterator of texts.
        name: of the values, for messages.

    Raises:
        InputError: one text, a mapping or a set (which have no order), or an element that is no text.

    Example:
        >>> to_texts(("a dog", "a cat"), "captions")
        ['a dog', 'a cat']
        >>> to_texts("a dog", "captions")
        Traceback (most recent call last):
        bcls.errors.InputError: captions must be a list of texts, not one text: put it into a list
    """
    if isinstance(values, str | bytes):
        raise InputError(f"{name} must be a list of texts, not one text: put it into a list")
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise InputError(f"{name} must be a list of texts, not {type(values).__name__}")
    texts: list[str] = []
    for row, text in enumerate(values):
        if not isinstance(text, str):
            raise InputError(f"{name}: element {row} must be text, not {type(text).__name__} ({str(text)[:40]!r})")
        texts.append(str(text))
    return texts
