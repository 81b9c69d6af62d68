"""Line charts as inline SVG."""

from __future__ import annotations

import math
from html import escape

from bcls.evaluation.report.contents import Curve
from bcls.evaluation.report.numbers import legend, number, run_class, ticks

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 38


def curve_figure(curve: Curve) -> str:
    """One chart: a line a run with its own dash, marked points with their value on hover, grid and legend."""
    points = [p for series in curve.series.values() for p in series if math.isfinite(p[0]) and math.isfinite(p[1])]
    if not points:
        return ""
    x_ticks = ticks(min(p[0] for p in points), max(p[0] for p in points), 5)
    y_ticks = ticks(min(p[1] for p in points), max(p[1] for p in points))

    def x_of(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])

    grid = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_of(t):.1f}" y2="{y_of(t):.1f}"/>'
        f'<text class="tick-y" x="{LEFT - 7}" y="{y_of(t) + 4:.1f}">{t:g}</text>'
        for t in y_ticks
    ]
    grid += [f'<text class="tick-x" x="{x_of(t):.1f}" y="{HEIGHT - BOTTOM + 16}">{t:g}</text>' for t in x_ticks]
    lines = []
    for place, (name, series) in enumerate(curve.series.items()):
        known = [p for p in series if math.isfinite(p[0]) and math.isfinite(p[1])]
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in known)
        dots = "".join(
            f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3"><title>'
            f"{escape(name)}, {escape(curve.x_label)} {x:g}: {number(y, curve.decimals)}</title></circle>"
            for x, y in known
        )
        lines.append(f'<g class="{run_class(place)}"><polyline points="{path}"/>{dots}</g>')
    axis = f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}">{escape(curve.x_label)}</text>'
    ends = ", ".join(f"{name} ends at {number(s[-1][1], curve.decimals)}" for name, s in curve.series.items() if s)
    return (
        f'<figure class="chart"><figcaption>{escape(curve.title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{curve.title}: {ends}")}">'
        f"{''.join(grid)}{''.join(lines)}{axis}</svg>{legend(list(curve.series))}</figure>"
    )
