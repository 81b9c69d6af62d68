"""What the readers share: text files line by line, JSON lines, and fields that hold what they should."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bcls.errors import InputError
from bcls.text_files import lines_of

__all__ = ["id_field", "json_line", "lines_of", "optional_id", "text_field"]


def json_line(line: str, place: str) -> dict[str, Any]:
    """The JSON object on a line.

    Raises:
        InputError: not JSON, not an object, or a key that stands in one twice; `place` is named.
    """
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except KeyError as error:
        raise InputError(f"{place}: the key {error} stands there twice") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise InputError(f"{place}: not a JSON object")
    return value


def text_field(entry: Mapping[str, Any], key: str) -> str:
    """A field that must be text: null is no caption "None".

    Raises:
        KeyError: there is no such field.
        TypeError: it is something else.
    """
    value = entry[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r}, not text")
    return value


def id_field(entry: Mapping[str, Any], key: str) -> str:
    """A field that must be text or a whole number, as text.

    Raises:
        KeyError: there is no such field.
        TypeError: it is something else.
    """
    value = entry[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_field(entry, key)


def optional_id(entry: Mapping[str, Any], key: str) -> str | None:
    """A field of text or a whole number, as text; None where it is missing, null or empty. 0 is an id.

    Raises:
        TypeError: it is something else, e.g. 1.0.

    Example:
        >>> optional_id({"image_id": 0}, "image_id"), optional_id({"image_id": ""}, "image_id")
        ('0', None)
    """
    if entry.get(key) is None or entry[key] == "":
        return None
    return id_field(entry, key)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return found
