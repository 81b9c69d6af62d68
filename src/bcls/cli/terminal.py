"""What a command prints, whatever its output can show and whatever the data hold."""

from __future__ import annotations

import codecs
import io
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from bcls.errors import BCLSError

ESCAPED = "bcls.escaped"
_LAYOUT = "\t\n"
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a cursor, colours, rings, ends a line, or reverses what is read; and halves of characters."""


def visible(text: str) -> str:
    r"""The text with every control character but tabs and line ends as its escape.

    Example:
        >>> print(visible("a\x1b[2J dog\n"), end="")
        a\u001b[2J dog
    """
    return _UNSAFE.sub(lambda sign: sign[0] if sign[0] in _LAYOUT else _escape(sign[0]), text)


def one_line(text: str) -> str:
    r"""The text with every control character as its escape, so that it stays one line.

    Example:
        >>> print(one_line("a dog\non a beach"))
        a dog\non a beach
    """
    return _UNSAFE.sub(lambda sign: _escape(sign[0]), text)


@contextmanager
def safe_output() -> Iterator[None]:
    r"""Print what the data hold without an error and without harm, as long as this lasts.

    What the output's encoding cannot show is written as an escape (`\u00e9`, so that JSON stays JSON), and so are
    control characters on standard output. On standard error progress bars move the cursor: what else goes there is made
    visible by `VisibleFormatter`, or by whoever prints it.

    Raises:
        OutputFailedError: while it lasts, standard output takes no more.
    """
    before = sys.stdout
    errors = [(stream, stream.errors) for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    for stream, _ in errors:
        stream.reconfigure(errors=ESCAPED)
    if before is not None:  # it is None where a process was started with its output closed
        sys.stdout = _VisibleOutput(before)
    try:
        yield
    finally:
        sys.stdout = before
        for stream, way in errors:
            with suppress(OSError, ValueError):  # what it holds cannot be written; or it is closed
                stream.reconfigure(errors=way)


def discard_output() -> None:
    """Let go of an output that nobody reads any more, so that nothing is said when the process ends."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and not _accepts(stream):
            with suppress(OSError, ValueError):  # an output that is no file
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class OutputFailedError(BCLSError):
    """The results cannot be written to standard output: a full disk, say."""


class VisibleFormatter(logging.Formatter):
    """Log lines without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return visible(super().format(record))


class _VisibleOutput:
    """A text stream that escapes control characters; in all else the stream that it writes to."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _told():
            self._stream.write(visible(text))
        return len(text)

    def flush(self) -> None:
        with _told():
            self._stream.flush()

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailedError(f"standard output: {error.strerror}") from None


def _escape(signs: str) -> str:
    """As JSON escapes them, which is two escapes for what lies beyond 16 bits."""
    if signs in _SHORT:
        return _SHORT[signs]
    units = signs.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
    return "".join(f"\\u{unit}" for unit in units)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What `codecs` asks for what an encoding cannot show."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _escape(error.object[error.start : error.end]), error.end


def _accepts(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        return False
    return True


codecs.register_error(ESCAPED, _escaped)
