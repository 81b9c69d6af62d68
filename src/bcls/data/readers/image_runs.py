"""Which feature rows, one a caption, show the same image: decided over all rows, refused where it is not certain."""

from __future__ import annotations

from collections import Counter
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np

from bcls.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 26


def runs_of_equal_rows(array: NDArray[Any], place: str, cure: str) -> list[int]:
    """The lengths of the runs of equal rows of features that have one row a caption and no ids.

    Equal neighbours are one image. That is certain only where nothing speaks for another reading.

    Args:
        array: (captions, ...) the features; every byte of every row is compared.
        place: the file, for messages.
        cure: which file of ids would tell.

    Returns:
        The number of captions of each image, in order.

    Raises:
        InputError: equal rows that are not neighbours; runs of other lengths, all multiples of one (two neighbouring
            images with equal features look like one image); or mostly single rows beside longer runs.

    Example:
        >>> runs_of_equal_rows(np.repeat(np.eye(3), [1, 5, 4], axis=0), "val_ims.npy", "val_ids.txt")
        [1, 5, 4]
    """
    same, hashes = _compared(array)
    lengths = np.diff(np.flatnonzero(np.concatenate([[True], ~same, [True]]))).tolist()
    firsts = np.cumsum([0, *lengths[:-1]])
    apart = _repeated(hashes[firsts])
    if apart is not None:
        rows = f"rows {firsts[apart[0]] + 1} and {firsts[apart[1]] + 1} are equal but not neighbours"
        raise InputError(f"{place}: {rows}, so that it is not certain which captions share an image; {cure}")
    if len(set(lengths)) > 1:
        shortest, longest, step = min(lengths), max(lengths), gcd(*lengths)
        shown = f"its {len(array)} rows come in runs of {shortest} to {longest} equal ones"
        if step == shortest > 1:
            raise InputError(
                f"{place}: {shown}, all multiples of {step}: a run may be one image or several with equal features; "
                f"{cure}"
            )
        singles = lengths.count(1)
        if 2 * singles >= len(lengths):
            raise InputError(
                f"{place}: {shown}, {singles} of {len(lengths)} of 1: equal neighbours may be one image with several "
                f"captions or several images; {cure}"
            )
    return [int(length) for length in lengths]


def runs_of_ids(names: Sequence[str], place: str) -> tuple[list[str], list[int]]:
    """The ids of images from a list with a line a caption, and how many captions each has.

    Raises:
        InputError: an id comes back after another one.

    Example:
        >>> runs_of_ids(["a", "a", "b"], "val_ids.txt")
        (['a', 'b'], [2, 1])
    """
    counts = Counter(names)
    firsts = [row for row, name in enumerate(names) if row == 0 or name != names[row - 1]]
    ids = [names[row] for row in firsts]
    if len(ids) != len(counts):
        seen: set[str] = set()
        for row in firsts:
            if names[row] in seen:
                raise InputError(
                    f"{place}: line {row + 1}: the id {names[row]!r} comes back after another one; the captions of an "
                    "image must stand in a row"
                )
            seen.add(names[row])
    return ids, [counts[name] for name in ids]


def refuse_unequal_rows(array: NDArray[Any], counts: Sequence[int], place: str) -> None:
    """Refuse rows, one a caption, that differ though ids say that they show one image.

    Raises:
        InputError: the first such row.
    """
    same, _ = _compared(array, hashed=False)
    inside = np.ones(len(array) - 1, dtype=bool) if len(array) else np.zeros(0, dtype=bool)
    inside[np.cumsum(counts)[:-1] - 1] = False
    wrong = np.flatnonzero(inside & ~same)
    if wrong.size:
        row = int(wrong[0]) + 1
        raise InputError(
            f"{place}: rows {row} and {row + 1} differ, but their captions belong to one image: is the order of the "
            "rows that of the captions?"
        )


def _compared(array: NDArray[Any], *, hashed: bool = True) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether each row is equal to the next one, byte by byte, and a hash of each first row of a run; else 0.

    One pass over the file.
    """
    same = np.zeros(max(0, len(array) - 1), dtype=bool)
    hashes = np.zeros(len(array), dtype=np.int64)
    row_bytes = max(1, array.dtype.itemsize * int(np.prod(array.shape[1:])))
    step = max(2, BLOCK_BYTES // row_bytes)
    for start in range(0, len(array), step - 1):  # blocks share a row, so that their border is compared
        block = np.ascontiguousarray(array[start : start + step]).reshape(len(array[start : start + step]), -1)
        rows = block.view(np.uint8)
        same[start : start + len(rows) - 1] = (rows[1:] == rows[:-1]).all(axis=1)
        if hashed:
            firsts = [row for row in range(len(rows)) if start + row == 0 or not same[start + row - 1]]
            hashes[start + np.array(firsts, dtype=np.int64)] = [hash(rows[row].tobytes()) for row in firsts]
    return same, hashes


def _repeated(hashes: NDArray[np.int64]) -> tuple[int, int] | None:
    """The first two places of a value that stands there twice, or None."""
    first: dict[int, int] = {}
    for place, value in enumerate(hashes.tolist()):
        other = first.setdefault(value, place)
        if other != place:
            return other, place
    return None
