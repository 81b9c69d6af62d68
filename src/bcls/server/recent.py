"""A dictionary that forgets what was not asked for longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps the values that were asked for last, up to a total size.

    Args:
        room: the most that the sizes of all values may sum to.
        size_of: the size of one value; by default every value counts 1.

    Example:
        >>> recent = Recent(2)
        >>> for name in "abc":
        ...     recent.put(name, name.upper())
        >>> recent.get("a"), recent.get("c")
        (None, 'C')
    """

    def __init__(self, room: int, size_of: Callable[[Value], int] = lambda _: 1) -> None:
        self._room = room
        self._size_of = size_of
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key) -> Value | None:
        """The value, now the last to be forgotten; None = not there."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; what it displaces is forgotten. A value larger than all room is not kept."""
        if key in self._kept:
            self._taken -= self._size_of(self._kept.pop(key))
        if self._size_of(value) > self._room:
            return
        self._kept[key] = value
        self._taken += self._size_of(value)
        while self._taken > self._room:
            self._taken -= self._size_of(self._kept.popitem(last=False)[1])
