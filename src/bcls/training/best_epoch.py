"""The best epoch in a run's result, counted from 1 as everywhere that a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def about_epoch(best_epoch: int) -> dict[str, int]:
    """What `result.json` says of the best epoch.

    Args:
        best_epoch: counted from 1.
    """
    return {"best_epoch": best_epoch, "first_epoch": 1}


def read_best_epoch(about: Mapping[str, Any]) -> int:
    """The best epoch, counted from 1; release 0.1 counted from 0 and wrote no `first_epoch`.

    Example:
        >>> read_best_epoch({"best_epoch": 4}), read_best_epoch({"best_epoch": 4, "first_epoch": 1})
        (5, 4)
    """
    return int(about["best_epoch"]) + 1 - int(about.get("first_epoch", 0))
