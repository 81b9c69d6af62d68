"""Every query's own result on disk, so that runs can be compared without their models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from bcls.errors import InputError
from bcls.evaluation.ranks import Floats
from bcls.files import replacing


def write_queries(path: str | Path, results: Mapping[str, Floats]) -> None:
    """Write what `per_query` returned to one safetensors file, whole or not at all.

    Args:
        path: the file to write or replace; missing folders are made.
        results: arrays by name.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "queries.safetensors"
        >>> write_queries(path, {"image_to_text/rank": np.array([1.0, np.nan])})
        >>> read_queries(path)
        {'image_to_text/rank': array([ 1., nan])}
    """
    with replacing(path) as temporary:
        save_file({name: np.ascontiguousarray(values) for name, values in results.items()}, temporary)


def read_queries(path: str | Path) -> dict[str, Floats]:
    """Read what `write_queries` wrote.

    Raises:
        InputError: the file is missing, or holds anything but lists of numbers.
    """
    try:
        arrays = load_file(path)
    except Exception as error:  # the library raises several kinds without a common base
        raise InputError(f"{path}: no results of queries can be read from it ({error})") from None
    for name, values in arrays.items():
        if values.ndim != 1 or values.dtype != np.float64:
            raise InputError(f"{path}: {name!r} is {values.dtype} of shape {values.shape}, not a list of float64")
    return arrays
