"""Bars and curves: lengths and places are those of the values."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.evaluation.report import Bars, Curve
from bcls.evaluation.report.bars import bars_figure
from bcls.evaluation.report.curves import curve_figure
from bcls.evaluation.report.numbers import number, ticks


def test_bars_are_as_long_as_their_values():
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', bars_figure(Bars("b", {"a": 50, "b": 100})))]
    assert widths[0] * 2 == pytest.approx(widths[1], abs=0.2)


def test_bars_with_nothing_known_are_empty():
    figure = bars_figure(Bars("b", {"a": float("nan"), "b": -1.0}))
    assert re.findall(r'width="([\d.]+)"', figure) == ["0.0", "0.0"]
    assert "–" in figure


def test_the_spread_is_written_and_drawn():
    figure = bars_figure(Bars("b", {"a": 50.0}, {"a": 2.5}))
    assert "50.0 ±2.5" in figure
    assert figure.count("whisker") == 1


def test_figures_are_well_formed():
    for figure in (
        bars_figure(Bars("<b>", {"a & b": 1.0})),
        curve_figure(Curve("<c>", "x < y", {"a & b": [(0, 1.0), (1, 2.0)]})),
    ):
        ElementTree.fromstring(figure)


def test_a_rising_curve_rises():
    figure = curve_figure(Curve("c", "epoch", {"a": [(1, 0.1), (2, 0.2), (3, 0.4)]}))
    points = [tuple(map(float, p.split(","))) for p in re.search(r'polyline points="([^"]*)"', figure).group(1).split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_unknown_points_are_left_out_and_a_curve_of_none_is_nothing():
    nan = float("nan")
    assert curve_figure(Curve("c", "epoch", {"a": [(1, nan)]})) == ""
    assert curve_figure(Curve("c", "epoch", {"a": [(1, nan), (2, 1.0)]})).count("<circle") == 1


@given(low=st.floats(-1e3, 1e3), span=st.floats(1e-3, 1e6), count=st.integers(1, 8))
def test_ticks_span_the_range_evenly(low, span, count):
    values = ticks(low, low + span, count)
    steps = [b - a for a, b in pairwise(values)]
    assert values[0] <= low + 1e-6 * max(1, abs(low), span)
    assert values[-1] >= low + span - 1e-6 * max(1, abs(low), span)
    assert steps
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)
    assert len(values) <= 2 * count + 3


def test_numbers():
    assert number(float("inf"), 2) == "–"
    assert number(-0.5, 2) == "-0.50"
