"""How the report writes numbers and names runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

MISSING = "–"


def number(value: float, decimals: int) -> str:
    """A number with a fixed count of decimals; a dash where it is not known.

    Example:
        >>> number(41.256, 1), number(-0.04, 1), number(float("nan"), 1)
        ('41.3', '0.0', '–')
    """
    return f"{round(value, decimals) + 0.0:.{decimals}f}" if math.isfinite(value) else MISSING


def run_class(place: int) -> str:
    """The CSS class that gives the run of this place its colour and dash."""
    return f"run-{place % 8}"


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values that span a range.

    Example:
        >>> ticks(0, 37)
        [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):  # one value: a scale about it that its own size suggests
        span = abs(high) or 1.0
    rough = span / count
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 10) for place in range(first, max(last, first + 1) + 1)]


def legend(names: Sequence[str]) -> str:
    """An HTML list of runs with their marks."""
    items = "".join(
        f'<li><svg class="key {run_class(place)}" width="26" height="10" aria-hidden="true">'
        f'<line x1="1" y1="5" x2="25" y2="5"/></svg>{escape(name)}</li>'
        for place, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'
