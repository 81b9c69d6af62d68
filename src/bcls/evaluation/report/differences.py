"""Differences from the first run, each with its interval drawn about zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bcls.evaluation.comparison import Difference
from bcls.evaluation.difference_table import interval_name, short_name, written, written_interval, written_p

WIDTH, HEIGHT = 220, 22


def differences_section(differences: Sequence[Difference]) -> str:
    """A table for each run: values, difference, interval as numbers and as a line, p-values."""
    runs = list(dict.fromkeys(one.run for one in differences))
    name = interval_name(differences) if differences else "interval"
    tables = "".join(_table(run, [one for one in differences if one.run == run]) for run in runs)
    return (
        f"<section><h2>Differences</h2><p>Each line is the {name} of the difference: the test queries were drawn "
        "anew many times, by images. It tells the luck of the test set, not of training. Bold is what stays below "
        "0.05 after Holm’s correction for the number of rows.</p>"
        f"{tables}</section>"
    )


def _table(run: str, differences: list[Difference]) -> str:
    heads = ("metric", "base", "new", "difference", interval_name(differences), "", "p", "Holm")
    rows = "".join(_row(one) for one in differences)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(run)}"><table class="differences">'
        f"<caption>{escape(run)}</caption><thead><tr>"
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(one: Difference) -> str:
    sure = one.adjusted < 0.05
    side = ("better" if one.difference > 0 else "worse") if sure else "open"
    if one.metric.endswith("mean_rank") and sure:
        side = "worse" if side == "better" else "better"
    cells = (
        written(one.metric, one.baseline),
        written(one.metric, one.value),
        written(one.metric, one.difference, signed=True),
        escape(written_interval(one)),
        _line(one),
        escape(written_p(one.p_value)),
        escape(written_p(one.adjusted)),
    )
    return (
        f'<tr class="{side}"><th scope="row">{escape(short_name(one.metric))}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _line(one: Difference) -> str:
    """The interval about a mark at zero, on a scale of its own: rows of other units cannot share one."""
    if math.isnan(one.low):
        return ""
    reach = max(abs(one.low), abs(one.high), 1e-12) * 1.08
    low, high, middle = (WIDTH / 2 * (1 + value / reach) for value in (one.low, one.high, one.difference))
    return (
        f'<svg class="interval" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f'<line class="zero" x1="{WIDTH / 2}" x2="{WIDTH / 2}" y1="1" y2="{HEIGHT - 1}"/>'
        f'<line class="reach" x1="{low:.1f}" x2="{high:.1f}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}"/>'
        f'<circle cx="{middle:.1f}" cy="{HEIGHT / 2}" r="4"/></svg>'
    )
