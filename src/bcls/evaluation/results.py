"""One result, one JSON file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bcls.errors import InputError
from bcls.evaluation.comparison import Difference
from bcls.files import read_json, write_json

_LARGEST = 2**53
"""Whole numbers above this are rounded as floats, and no metric has one."""


def write_result(path: str | Path, metrics: Mapping[str, float], about: Mapping[str, Any]) -> None:
    """Write metrics, and what they are of, to one JSON file, whole or not at all.

    Keys are sorted; a number that is not finite becomes null.

    Args:
        path: the file to write or replace; missing folders are made.
        metrics: what `evaluate` returned.
        about: what was judged, and how: model, data set, split, protocol, tie rule, scorer, versions.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "result.json"
        >>> write_result(path, {"rsum": 512.5, "tau_b": float("nan")}, {"protocol": "flickr8k"})
        >>> print(path.read_text())
        {
          "about": {
            "protocol": "flickr8k"
          },
          "metrics": {
            "rsum": 512.5,
            "tau_b": null
          }
        }
    """
    write_json(path, plain({"about": about, "metrics": metrics}))


def read_result(path: str | Path) -> tuple[dict[str, float], dict[str, Any]]:
    """Read what `write_result` wrote.

    Returns:
        The metrics (null is NaN again) and what they are of.

    Raises:
        InputError: the file is missing, or is no result.
    """
    content = read_json(path)
    metrics = content.get("metrics") if isinstance(content, dict) else None
    about = content.get("about") if isinstance(content, dict) else None
    if not isinstance(metrics, dict) or not isinstance(about, dict):
        raise InputError(f"{path}: not a result file: it needs the objects 'metrics' and 'about'")
    for name, value in metrics.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InputError(f"{path}: the metric {name!r} is {value!r}, not a number")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise InputError(f"{path}: the metric {name!r} is a whole number of {len(str(value))} digits")
    return {name: math.nan if value is None else float(value) for name, value in metrics.items()}, about


def write_comparison(
    path: str | Path,
    metrics: Mapping[str, Mapping[str, float]],
    differences: Sequence[Difference],
    about: Mapping[str, Any],
) -> None:
    """Write a comparison of runs to one JSON file, whole or not at all; a number that is not finite becomes null.

    Args:
        path: the file to write or replace; missing folders are made.
        metrics: of each run, what `summarise` returned.
        differences: what `compare` returned.
        about: what was judged, and how.

    Example:
        >>> import json, tempfile
        >>> path = Path(tempfile.mkdtemp()) / "comparison.json"
        >>> write_comparison(path, {}, [Difference("b", "rsum", 1.0, 3.0, 1.0, 3.0, 0.5, 0.5)], {"split": "val"})
        >>> json.loads(path.read_text())["differences"][0]["difference"]
        2.0
    """
    rows = [asdict(one) | {"difference": one.difference} for one in differences]
    write_json(path, plain({"about": about, "metrics": metrics, "differences": rows}))


def plain(value: Any) -> Any:
    """The same value for JSON: sorted keys, and null for numbers that it has no word for.

    Example:
        >>> plain({"b": float("nan"), "a": (1, 2.5)})
        {'a': [1, 2.5], 'b': None}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value
