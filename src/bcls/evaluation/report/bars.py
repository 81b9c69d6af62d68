"""Bar charts as inline SVG."""

from __future__ import annotations

import math
from html import escape

from bcls.evaluation.report.contents import Bars
from bcls.evaluation.report.numbers import number, run_class

WIDTH, ROW, LABEL, VALUE = 420, 30, 150, 62


def bars_figure(bars: Bars) -> str:
    """One chart: a horizontal bar a run, its value written beside it, a whisker where a spread is known."""
    spreads = {name: spread for name, spread in bars.spreads.items() if math.isfinite(spread)}
    known = [value + spreads.get(name, 0.0) for name, value in bars.values.items() if math.isfinite(value)]
    top = max(known, default=0.0)
    top = top if top > 0 else 1.0  # nothing to show a length of
    room = WIDTH - LABEL - VALUE
    rows = []
    for place, (name, value) in enumerate(bars.values.items()):
        y = place * ROW
        length = room * max(value, 0.0) / top if math.isfinite(value) else 0.0
        shown = number(value, bars.decimals)
        spread = spreads.get(name)
        whisker = ""
        if spread is not None and math.isfinite(value):
            left, right = (LABEL + room * max(value + sign * spread, 0) / top for sign in (-1, 1))
            middle = y + ROW / 2
            whisker = f'<line class="whisker" x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}"/>'
            shown += f" ±{number(spread, bars.decimals)}"
        after = LABEL + 7 + (max(length, room * max(value + spread, 0.0) / top) if spread and whisker else length)
        rows.append(
            f'<g class="{run_class(place)}"><text class="bar-name" x="{LABEL - 8}" y="{y + 20}">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{y + 6}" width="{length:.1f}" height="{ROW - 12}" rx="3"/>{whisker}'
            f'<text x="{after:.1f}" y="{y + 20}">{shown}</text></g>'
        )
    said = ", ".join(f"{name} {number(value, bars.decimals)}" for name, value in bars.values.items())
    height = ROW * len(bars.values)
    return (
        f'<figure class="chart"><figcaption>{escape(bars.title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(f"{bars.title}: {said}")}">'
        f"{''.join(rows)}</svg></figure>"
    )
