"""Lists that tell what the rows of a file are: an id for each row, or an image row for each caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bcls.errors import InputError
from bcls.evaluation.array_files import read_array
from bcls.evaluation.truth import Rows
from bcls.files import read_json
from bcls.text_files import lines_of

EXAMPLES = 3
LARGEST = 2**31 - 1


def read_ids(path: str | Path) -> list[str]:
    r"""Read the id of each row.

    Args:
        path: a `.txt` file with one id a line, or a `.json` file with one list of strings or whole numbers.

    Raises:
        InputError: not such a file, an empty id, or an id that stands there twice.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "ids.txt"
        >>> _ = file.write_text("a.jpg\nb.jpg\n")
        >>> read_ids(file)
        ['a.jpg', 'b.jpg']
    """
    row_of: dict[str, int] = {}
    for row, item in enumerate(_read_list(path)):
        if isinstance(item, bool) or not isinstance(item, str | int) or item == "":
            raise InputError(f"{path}: row {row} is {item!r}, not an id")
        if row_of.setdefault(str(item), row) != row:
            raise InputError(f"{path}: row {row}: the id {str(item)!r} is already that of row {row_of[str(item)]}")
    return list(row_of)


def read_caption_image(path: str | Path) -> Rows:
    """Read the image row of each caption, -1 for a caption without image.

    Args:
        path: a `.npy` file of whole numbers, a `.json` file with one list of them, or a `.txt` file with one a line.

    Returns:
        Shape (captions,).

    Raises:
        InputError: not such a file, or something in it is no whole number.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "rows.json"
        >>> _ = file.write_text("[0, 0, 1]")
        >>> read_caption_image(file)
        array([0, 0, 1])
    """
    if Path(path).suffix == ".npy":
        rows = np.asarray(read_array(path))
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise InputError(
                f"{path}: must be a list of whole numbers, the image row of each caption; "
                f"got shape {rows.shape} of {rows.dtype}"
            )
        outside = np.flatnonzero((rows < -1) | (rows > LARGEST))
        if outside.size:
            row = int(outside[0])
            raise InputError(f"{path}: row {row} is {rows[row]}, not an image row (from 0, or -1 for no image)")
        return rows.astype(np.int64)
    return np.array([_whole(path, row, item) for row, item in enumerate(_read_list(path))], dtype=np.int64)


def match_rows(given: Sequence[str], wanted: Sequence[str], given_name: str, wanted_name: str) -> Rows:
    """Where the rows of a data set lie in a file whose rows have ids.

    Args:
        given: ids of the file's rows, each once, in any order.
        wanted: ids of the data set's rows.
        given_name: how a message names the file.
        wanted_name: how a message names the data set.

    Returns:
        The file's row of each of the data set's rows, shape (wanted,).

    Raises:
        InputError: one has an id that the other has not; the message names some.

    Example:
        >>> match_rows(["b", "a"], ["a", "b"], "ids.txt", "the split")
        array([1, 0])
    """
    row_of = {name: row for row, name in enumerate(given)}
    missing = [name for name in wanted if name not in row_of]
    if missing:
        raise InputError(f"{given_name}: {len(missing)} ids of {wanted_name} are not there: {examples(missing)}")
    if len(row_of) > len(wanted):
        known = set(wanted)
        unknown = [name for name in given if name not in known]
        raise InputError(f"{given_name}: {len(unknown)} ids are not in {wanted_name}: {examples(unknown)}")
    return np.array([row_of[name] for name in wanted], dtype=np.int64)


def examples(names: Sequence[str]) -> str:
    """A few of the names, for a message.

    Example:
        >>> examples(["a", "b", "c", "d"])
        "'a', 'b', 'c', ..."
    """
    return ", ".join(map(repr, names[:EXAMPLES])) + (", ..." if len(names) > EXAMPLES else "")


def _read_list(path: str | Path) -> list[Any]:
    suffix = Path(path).suffix
    if suffix == ".json":
        content = read_json(path)
        if not isinstance(content, list):
            raise InputError(f"{path}: must hold one list, one item for each row")
        return content
    if suffix != ".txt":
        raise InputError(f"{path}: must be a .txt file (one item a line) or a .json file (one list)")
    return [line.strip() for line in lines_of(Path(path))]


def _whole(path: str | Path, row: int, item: Any) -> int:
    try:
        if isinstance(item, bool | float):
            raise ValueError
        number = int(item)
    except (ValueError, TypeError):
        raise InputError(f"{path}: row {row} is {item!r}, not a whole number") from None
    if not -1 <= number <= LARGEST:
        raise InputError(f"{path}: row {row} is {item}, not an image row (from 0, or -1 for no image)")
    return number
