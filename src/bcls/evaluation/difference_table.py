"""Differences of two runs for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bcls.errors import InputError
from bcls.evaluation.comparison import Difference

_SHORT = {"image_to_text": "i2t ", "text_to_image": "t2i "}
_TENTHS = ("recall@", "rsum", "map@r", "r_precision", "mean_rank")
MISSING = "-"


def difference_table(baseline: str, differences: Sequence[Difference], width: int = 80) -> str:
    """A block of lines for each run that is compared with the baseline.

    Args:
        baseline: its name.
        differences: what `compare` returned.
        width: characters in a line; only names are ever shortened.

    Returns:
        Lines without trailing spaces: the metric, both values, the difference, its interval, the p-value, and the
        p-value after Holm's correction, with a star where that is below 0.05.

    Raises:
        InputError: there is no difference.

    Example:
        >>> print(difference_table("a", [Difference("b", "rsum", 310.0, 315.5, 1.2, 9.9, 0.012, 0.012)]))
        b (new) against a (base)
        metric   base    new  difference  95 % interval      p   Holm
        rsum    310.0  315.5        +5.5   +1.2 .. +9.9  0.012  0.012 *
    """
    if not differences:
        raise InputError("there is no difference to show")
    runs = list(dict.fromkeys(one.run for one in differences))
    return "\n\n".join(_block(baseline, run, [one for one in differences if one.run == run], width) for run in runs)


def short_name(metric: str) -> str:
    """A metric as tables write it.

    Example:
        >>> short_name("image_to_text/recall@1"), short_name("rsum")
        ('i2t R@1', 'rsum')
    """
    direction, _, name = metric.rpartition("/")
    return _SHORT.get(direction, direction) + name.replace("recall@", "R@")


def written(metric: str, value: float, *, signed: bool = False) -> str:
    """A metric's value with as many decimals as tables give it.

    Example:
        >>> written("ndcg@10", 0.25), written("rsum", 3.14, signed=True), written("rsum", math.nan)
        ('0.250', '+3.1', '-')
    """
    if math.isnan(value):
        return MISSING
    decimals = 1 if metric.rpartition("/")[2].startswith(_TENTHS) else 3
    sign = "+" if signed else ""
    text = f"{value:{sign}.{decimals}f}"
    zero = f"{0:.{decimals}f}"
    return zero if text.lstrip("+-") == zero else text


def written_p(p_value: float) -> str:
    """A p-value.

    Example:
        >>> written_p(0.0002), written_p(0.04), written_p(math.nan)
        ('<.001', '0.040', '-')
    """
    if math.isnan(p_value):
        return MISSING
    return "<.001" if p_value < 0.001 else f"{p_value:.3f}"


def written_interval(one: Difference) -> str:
    """Both ends of a difference's interval."""
    if math.isnan(one.low):
        return MISSING
    return f"{written(one.metric, one.low, signed=True)} .. {written(one.metric, one.high, signed=True)}"


def interval_name(differences: Sequence[Difference]) -> str:
    """What tables call the intervals of some differences of one comparison.

    Example:
        >>> interval_name([Difference("b", "rsum", 310.0, 315.5, 1.2, 9.9, 0.012, 0.012, confidence=0.9)])
        '90 % interval'
    """
    return f"{100 * differences[0].confidence:g} % interval"


def _block(baseline: str, run: str, differences: list[Difference], width: int) -> str:
    rows = [("metric", "base", "new", "difference", interval_name(differences), "p", "Holm")]
    rows += [
        (
            short_name(one.metric),
            written(one.metric, one.baseline),
            written(one.metric, one.value),
            written(one.metric, one.difference, signed=True),
            written_interval(one),
            written_p(one.p_value),
            written_p(one.adjusted) + (" *" if one.adjusted < 0.05 else ""),
        )
        for one in differences
    ]
    widths = [max(len(cell.removesuffix(" *")) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = [
            "  " + " " * (size - len(cell.removesuffix(" *"))) + cell
            for cell, size in zip(cells, widths[1:], strict=True)
        ]
        lines.append(name.ljust(widths[0]) + "".join(padded))
    room = (width - len(" (new) against  (base)")) // 2
    head = f"{_shortened(run, room)} (new) against {_shortened(baseline, room)} (base)"
    return "\n".join([head, *(line.rstrip() for line in lines)])


def _shortened(name: str, width: int) -> str:
    return name if len(name) <= width else f"…{name[len(name) - width + 1 :]}"
