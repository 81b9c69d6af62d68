"""Text files of other programs, line by line: the encoding is read from the file's first bytes, never guessed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bcls.contents import HEAD_BYTES, other_content
from bcls.errors import InputError

_ENCODINGS = (  # the mark of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (a spreadsheet is one, too: export it as CSV)",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def lines_of(file: Path, newline: str | None = None) -> Iterator[str]:
    r"""The lines of a text file with their ends; only line ends part lines, no U+2028.

    The text is UTF-8, with or without a byte order mark, or UTF-16 or UTF-32 with one. Lines end in `\n` or `\r\n`, or
    all of them in `\r`.

    Args:
        file: what to read.
        newline: None = every end is given as `\n`, "" = ends as they are (for the csv module).

    Raises:
        InputError: the file is missing, cannot be read, is compressed, is not in one of these encodings (the line is
            named), or has a carriage return within a line of a file whose lines end otherwise.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "table.csv"
        >>> _ = file.write_text("file,caption\r\na.jpg,été\r\n", encoding="utf-16", newline="")
        >>> list(lines_of(file))
        ['file,caption\n', 'a.jpg,été\n']
    """
    encoding = "utf-8"
    try:
        encoding = _encoding(file)
        with file.open(encoding=encoding, newline="" if newline == "" else "\n") as lines:
            if newline == "":
                yield from lines
            else:
                yield from _plain_lines(file, lines)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeError:
        if encoding.startswith("utf-8"):
            raise InputError(
                f"{file}: line {_line_of_fault(file.read_bytes())}: not UTF-8 text; save the file as UTF-8"
            ) from None
        raise InputError(f"{file}: not {encoding.upper()} text, as its first bytes say; save it as UTF-8") from None


def cells_of(file: Path) -> tuple[str, Iterator[str]]:
    r"""What separates the cells of a table, and the table's lines with their ends, for the csv module.

    The separator is a comma, or a semicolon or a tab where the header has no comma: Excel writes semicolons where
    numbers have decimal commas.

    Args:
        file: what to read.

    Raises:
        InputError: as `lines_of`, when the lines are read.

    Example:
        >>> import csv, tempfile
        >>> file = Path(tempfile.mkdtemp()) / "table.csv"
        >>> _ = file.write_text("file;caption\na.jpg;one, two\n")
        >>> separator, lines = cells_of(file)
        >>> list(csv.reader(lines, delimiter=separator))
        [['file', 'caption'], ['a.jpg', 'one, two']]
    """
    lines = lines_of(file, newline="")
    header = next(lines, None)
    if header is None:
        return ",", lines
    others = [sign for sign in (";", "\t") if sign in header and "," not in header]
    return (others or [","])[0], chain([header], lines)


def _encoding(file: Path) -> str:
    with file.open("rb") as content:
        head = content.read(HEAD_BYTES)
    for mark, name in _COMPRESSED.items():
        if head.startswith(mark):
            raise InputError(f"{file}: is compressed with {name}: unpack it first")
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            return encoding
    what = other_content(head)
    if what is not None:
        raise InputError(f"{file}: is {what}")
    if len(head) >= 4 and (head[0:4:2] == b"\0\0" or head[1:4:2] == b"\0\0"):
        raise InputError(f"{file}: looks like UTF-16 without a byte order mark; save it as UTF-8")
    return "utf-8"


def _plain_lines(file: Path, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        ended = line.endswith("\n")
        text = line.removesuffix("\n").removesuffix("\r") if ended else line
        if "\r" not in text:
            yield text + "\n" if ended else text
        elif number == 1 and not ended:  # the only "line" of a file whose lines end in \r
            yield from (part + "\n" for part in text.removesuffix("\r").split("\r"))
        else:
            raise InputError(
                f"{file}: line {number}: a carriage return (\\r) stands within the line, so that it may be one line or "
                "two; remove it, or end all lines alike"
            )


def _line_of_fault(content: bytes) -> int:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1
