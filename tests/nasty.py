"""Nasty input for property tests: valid structures with one part spoilt, and valid files with some bytes changed."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

MORE = 10 if settings.get_current_profile_name() == "random" else 1
"""How many times more examples `make test-random` tries."""

LEAVES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    0.5,
    1.0,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "0",
    "\0",
    "a\nb",
    "..",
    "../../etc/passwd",
    "/",
    "\ud83d",
    "x" * 5000,
    "NaN",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [["a"] * 3] * 3,
]
"""Values that stand where others are expected."""

DEEP: Any = []
for _ in range(3000):
    DEEP = [DEEP]

BYTES = [
    b"",
    b"\0",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"\t",
    b"{",
    b"]",
    b"NaN",
    b"-1",
    b"1e999",
    b"\xed\xa0\xbd",
    b"9" * 50,
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all parts of a structure, the structure itself included."""
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += _places(value[key], (*path, key))
    elif isinstance(value, list):
        for place in range(len(value)):
            found += _places(value[place], (*path, place))
    return found


def _spoil(value: Any, path: tuple[Any, ...], how: str, leaf: Any) -> Any:
    if not path:
        return leaf
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    if how == "replace":
        holder[key] = leaf
    elif how == "remove":
        del holder[key]
    elif how == "repeat" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif isinstance(holder, list):
        holder.insert(key, leaf)
    else:
        holder["added"] = leaf
    return value


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """A structure of lists, dictionaries and leaves with one or two parts replaced, removed, repeated or added."""
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(_places(value)))
        how = draw(st.sampled_from(["replace", "replace", "remove", "repeat", "add"]))
        value = _spoil(value, path, how, draw(st.sampled_from([*LEAVES, DEEP])))
    return value


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes with one to three places cut off, overwritten, flipped or filled."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(content)))
        how = draw(st.sampled_from(["cut", "flip", "insert", "remove"]))
        if how == "cut":
            content = content[:place]
        elif how == "flip" and place < len(content):
            content = content[:place] + bytes([content[place] ^ (1 << draw(st.integers(0, 7)))]) + content[place + 1 :]
        elif how == "insert":
            content = content[:place] + draw(st.sampled_from(BYTES)) + content[place:]
        else:
            content = content[:place] + content[place + draw(st.integers(1, 9)) :]
    return content
