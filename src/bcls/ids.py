"""One rule for the ids of images, captions and records, and for text that every store can keep."""

from __future__ import annotations

import re

from bcls.errors import InputError

MAX_ID_BYTES = 512
"""The longest id, in bytes of UTF-8: the length of the key column that index engines are given."""

MAX_TEXT_BYTES = 65_535
"""The longest text that a field of an index keeps, in bytes of UTF-8."""

MAX_NAME_BYTES = 200
"""The longest name that becomes a part of paths, in bytes of UTF-8: file systems allow 255 for name and suffix."""

CAPTION_PREFIX = "caption:"
"""In an index the record of a caption is named by this and the caption's id; the record of an image by the image's."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # Unicode's categories Cc, Zl and Zp


def text_fault(text: object) -> str | None:
    r"""Why a value cannot be kept as text by every file format and engine, or None if it can.

    Text must not contain U+0000, which ends strings in C, and no lone surrogate, which has no UTF-8 form.

    Args:
        text: the value.

    Returns:
        A phrase that completes "the caption ...", or None.

    Example:
        >>> text_fault("a\x00b")
        'contains the character U+0000, which is not text'
        >>> text_fault("half an emoji \ud83d")
        'contains U+D83D, half of a surrogate pair (an emoji that was cut in two), which is not text'
        >>> text_fault("a dog") is None
        True
    """
    if not isinstance(text, str):
        return f"is {text!r}, not text"
    if text.isascii() and text.isprintable():  # nearly every caption
        return None
    if "\0" in text:
        return "contains the character U+0000, which is not text"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = f"U+{ord(text[error.start]):04X}"
        return f"contains {code}, half of a surrogate pair (an emoji that was cut in two), which is not text"
    return None


def control_character(text: str, allowed: str = "") -> str | None:
    r"""The name of the first control character or line separator of a text, or None.

    Args:
        text: the text.
        allowed: control characters that do not count, e.g. `"\t\n\r"`.

    Example:
        >>> control_character("bell\x07")
        'U+0007'
        >>> control_character("two\nlines", allowed="\n") is None
        True
    """
    if text.isprintable():  # no control character and no separator but the space is
        return None
    found = (match.group() for match in _CONTROL.finditer(text))
    return next((f"U+{ord(character):04X}" for character in found if character not in allowed), None)


def id_fault(name: object, most_bytes: int = MAX_ID_BYTES) -> str | None:
    r"""Why a value cannot be an id, or None if it can.

    An id is a string of 1 to `most_bytes` bytes of UTF-8. It must not contain control characters (U+0000 to U+001F,
    U+007F to U+009F), line or paragraph separators (U+2028, U+2029) or lone surrogates, and must not be `.` or `..`,
    which a URL and a file system resolve to another place. Everything else is allowed, e.g. spaces, `/`, `#`, `,`.

    Args:
        name: the value.
        most_bytes: the longest length.

    Returns:
        A phrase that completes "the id ...", or None.

    Example:
        >>> id_fault("COCO_val2014_000000391895.jpg#0") is None
        True
        >>> id_fault("")
        'is empty'
        >>> id_fault("victim\n")
        'contains the control character U+000A'
        >>> id_fault("..")
        'is a relative path (. or ..)'
        >>> id_fault("é" * 300)
        'has 600 bytes in UTF-8; 512 are the most'
    """
    if not isinstance(name, str):
        return f"is {name!r}, not a string"
    if name in {"", ".", ".."}:
        return "is a relative path (. or ..)" if name else "is empty"
    if len(name) <= most_bytes and name.isascii() and name.isprintable():  # nearly every id
        return None
    control = control_character(name)
    if control is not None:
        return f"contains the control character {control}"
    fault = text_fault(name)
    if fault is not None:
        return fault
    size = len(name.encode("utf-8"))
    return f"has {size} bytes in UTF-8; {most_bytes} are the most" if size > most_bytes else None


def require_id(name: object, place: str) -> str:
    """An id that keeps the rule of `id_fault`.

    Args:
        name: the value.
        place: where it stands, for the message.

    Returns:
        The id.

    Raises:
        InputError: it cannot be an id; the message says why.

    Example:
        >>> require_id("..", "request")
        Traceback (most recent call last):
        bcls.errors.InputError: request: the id '..' is a relative path (. or ..); use another id
    """
    fault = id_fault(name)
    if fault is not None:
        raise InputError(f"{place}: the id {name!r} {fault}; use another id")
    assert isinstance(name, str)
    return name


def name_fault(name: object) -> str | None:
    r"""Why a value cannot name a split, features or a scorer, whose names become parts of paths, or None if it can.

    Such a name is an id (see `id_fault`) of at most 200 bytes without `/` and `\` that does not begin with a dot.

    Example:
        >>> name_fault("train+restval") is None
        True
        >>> name_fault("../x")
        'contains / or \\, which would lead to another folder'
    """
    fault = id_fault(name, MAX_NAME_BYTES)
    if fault is not None:
        return fault
    assert isinstance(name, str)
    if "/" in name or "\\" in name:
        return "contains / or \\, which would lead to another folder"
    return "begins with a dot, as hidden files do" if name.startswith(".") else None


def require_name(name: object, what: str) -> str:
    r"""A name that keeps the rule of `name_fault`.

    Args:
        name: the value.
        what: what it names, for the message.

    Returns:
        The name.

    Raises:
        InputError: it cannot be a part of paths; the message says why.

    Example:
        >>> require_name("a/b", "the split")
        Traceback (most recent call last):
        bcls.errors.InputError: the split 'a/b' contains / or \, which would lead to another folder; rename it
    """
    fault = name_fault(name)
    if fault is not None:
        raise InputError(f"{what} {name!r} {fault}; rename it")
    assert isinstance(name, str)
    return name
