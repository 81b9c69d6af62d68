"""Other people's embeddings and similarities from files, memory-mapped; no pickle is ever read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcls.arrays import to_array
from bcls.contents import content_of
from bcls.errors import InputError

BLOCK_NUMBERS = 4_000_000


def read_embeddings(path: str | Path, *, zero_rows: bool = False) -> NDArray[Any]:
    """Read embeddings, one row an image or a caption.

    Args:
        path: a `.npy` or `.safetensors` file; `FILE.safetensors:NAME` where that holds several tensors.
        zero_rows: take rows of zeros, which have no cosine with anything.

    Returns:
        Shape (rows, dimensions), float32 or float64; a view of the file where it holds one of these.

    Raises:
        InputError: not such a file, pickled, not a matrix of numbers, or a row that is zero or not finite.

    Cost: one pass over the file to check it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "images.npy"
        >>> np.save(file, np.eye(2, 3, dtype=np.float32))
        >>> read_embeddings(file).shape
        (2, 3)
    """
    matrix = _read_matrix(path)
    for start, block in () if zero_rows else _blocks(matrix):
        zero = np.flatnonzero(~block.any(axis=1))
        if zero.size:
            raise InputError(f"{path}: row {start + int(zero[0])} is zero, which has no direction")
    return matrix


def read_similarity(path: str | Path) -> NDArray[Any]:
    """Read a similarity matrix: images are rows, captions are columns, higher is nearer.

    Args:
        path: a `.npy` or `.safetensors` file; `FILE.safetensors:NAME` where that holds several tensors.

    Returns:
        Shape (images, captions), float32 or float64; a view of the file where it holds one of these.

    Raises:
        InputError: not such a file, pickled, not a matrix of numbers, or a number that is not finite.

    Cost: one pass over the file to check it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "similarity.npy"
        >>> np.save(file, np.array([[0.5, np.nan]]))
        >>> read_similarity(file)
        Traceback (most recent call last):
        bcls.errors.InputError: .../similarity.npy: row 0, column 1 is nan, not a finite number
    """
    return _read_matrix(path)


def read_relevance(path: str | Path) -> NDArray[Any]:
    """Read relevance: images are rows, captions are columns, 0 = nothing in common to 1 = the same, NaN = unknown.

    Args:
        path: a `.npy` or `.safetensors` file; `FILE.safetensors:NAME` where that holds several tensors.

    Returns:
        Shape (images, captions), float32 or float64; a view of the file where it holds one of these.

    Raises:
        InputError: not such a file, pickled, not a matrix of numbers, or a number outside 0..1.

    Cost: one pass over the file to check it.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "relevance.npy"
        >>> np.save(file, np.array([[0.5, np.nan, 2.0]]))
        >>> read_relevance(file)
        Traceback (most recent call last):
        bcls.errors.InputError: .../relevance.npy: row 0, column 2 is 2.0, not between 0 and 1 (NaN for unknown)
    """
    matrix = _matrix(path)
    wanted = "between 0 and 1 (NaN for unknown)"
    _refuse(path, matrix, lambda block: ~(np.isnan(block) | ((block >= 0) & (block <= 1))), wanted)
    return matrix


def _read_matrix(path: str | Path) -> NDArray[Any]:
    matrix = _matrix(path)
    _refuse(path, matrix, lambda block: ~np.isfinite(block), "a finite number")
    return matrix


def _matrix(path: str | Path) -> NDArray[Any]:
    matrix = to_array(read_array(path), str(path))
    if matrix.ndim != 2 or not matrix.size:
        raise InputError(f"{path}: must be a matrix with rows and columns, but its shape is {tuple(matrix.shape)}")
    return matrix


def _refuse(path: str | Path, matrix: NDArray[Any], bad: Callable[[NDArray[Any]], NDArray[Any]], wanted: str) -> None:
    """Refuse a number that is bad; the message names its place."""
    for start, block in _blocks(matrix):
        wrong = bad(block)
        if wrong.any():
            row, column = (int(place[0]) for place in np.nonzero(wrong))
            raise InputError(f"{path}: row {start + row}, column {column} is {block[row, column]}, not {wanted}")


def read_array(path: str | Path) -> Any:
    """The array of a `.npy` (numpy) or `.safetensors` (torch, which knows bfloat16) file, memory-mapped.

    Raises:
        InputError: not such a file, or pickled.
    """
    file, _, tensor = str(path).partition(".safetensors:")
    if tensor:
        return _read_safetensors(Path(f"{file}.safetensors"), tensor)
    whole = Path(path)
    if not whole.is_file():
        raise InputError(f"{path}: no such file")
    if whole.suffix == ".safetensors":
        return _read_safetensors(whole, None)
    if whole.suffix == ".npy":
        return _read_npy(whole)
    raise InputError(f"{path}: arrays are read from .npy and .safetensors files only")


def _read_npy(path: Path) -> NDArray[Any]:
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy reads the header as Python, and raises nearly every kind
        if "Python objects" in str(error):
            raise InputError(
                f"{path}: holds pickled Python objects, which are never read; save it as an array of numbers"
            ) from None
        raise InputError(f"{path}: not a whole .npy file ({content_of(path) or error})") from None


def _read_safetensors(path: Path, name: str | None) -> Any:
    from safetensors import safe_open  # noqa: PLC0415

    try:
        with safe_open(path, framework="pt") as opened:
            names = sorted(opened.keys())
            if name is None and len(names) != 1:
                raise InputError(f"{path}: holds {len(names)} tensors ({', '.join(names)}): name one as {path}:NAME")
            if name is not None and name not in names:
                raise InputError(f"{path}: no tensor {name!r}; there are: {', '.join(names) or 'none'}")
            return opened.get_tensor(names[0] if name is None else name)
    except InputError:
        raise
    except Exception as error:  # the library raises several kinds without a common base
        raise InputError(f"{path}: not a readable .safetensors file ({error})") from None


def _blocks(matrix: NDArray[Any]) -> list[tuple[int, NDArray[Any]]]:
    """First rows and views of parts of a matrix that are small enough to look at."""
    step = max(1, BLOCK_NUMBERS // matrix.shape[1])
    return [(start, matrix[start : start + step]) for start in range(0, matrix.shape[0], step)]
