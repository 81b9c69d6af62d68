"""An evaluation that is about to be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Evaluation:
    """What is judged, where the result belongs, and how it is made.

    Attributes:
        name: what a table calls the model.
        about: what the result's file says of the model and the data.
        output: where the result belongs unless somebody names another file.
        measure: makes the metrics.
        ignored: entries of `about` that do not tell the result from another one in that file.
    """

    name: str
    about: dict[str, Any]
    output: Path
    measure: Callable[[], dict[str, float]]
    ignored: tuple[str, ...] = ()
