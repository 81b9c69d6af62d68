"""What the readers share: text files line by line, JSON lines, and fields that hold what they should."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bcls.errors import InputError


def lines_of(file: Path, newline: str | None = None) -> Iterator[str]:
    r"""The lines of a UTF-8 file with their ends, a byte order mark left out; only line ends part lines, no U+2028.

    Args:
        file: what to read.
        newline: as for `open`: None = every end is given as `\n`, "" = ends as they are (for the csv module).

    Raises:
        InputError: the file is missing, cannot be read, or is not UTF-8 (the line is named).
    """
    try:
        with file.open(encoding="utf-8-sig", newline=newline) as lines:
            yield from lines
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: line {_line_of_fault(file.read_bytes())}: not UTF-8 text") from None


def json_line(line: str, place: str) -> dict[str, Any]:
    """The JSON object on a line.

    Raises:
        InputError: not JSON, or not an object; `place` is named.
    """
    try:
        value = json.loads(line)
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


def _line_of_fault(content: bytes) -> int:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1
