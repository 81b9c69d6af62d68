"""Lines, marked points, grid and legend of a curve."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.report import Curve
from bcls.evaluation.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, curve_figure

NAN = math.nan


def drawn(curve):
    figure = ElementTree.fromstring(curve_figure(curve))
    return figure, figure.find("svg")


def line_of(group):
    text = group.find("polyline").get("points")
    return [tuple(map(float, point.split(","))) for point in text.split()]


def axis(picture, side, at):
    """What each tick says, and where it lies."""
    found = [text for text in picture.findall("text") if text.get("class") == f"tick-{side}"]
    return {float(text.text): float(text.get(at)) for text in found}


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(-40, 40)),
        min_size=2,
        max_size=8,
        unique_by=(lambda p: p[0], lambda p: p[1]),
    )
)
@settings(deadline=None, max_examples=40)
def test_points_lie_where_the_ticks_say_and_within_the_frame(points):
    _, picture = drawn(Curve("c", "epoch", {"a": points}))
    x_ticks, y_ticks = axis(picture, "x", "x"), axis(picture, "y", "y")
    (x0, left), (x1, right) = min(x_ticks.items()), max(x_ticks.items())
    (y0, below), (y1, above) = min(y_ticks.items()), max(y_ticks.items())
    assert (left, right) == (LEFT, WIDTH - RIGHT)
    assert (above - 4, below - 4) == (TOP, HEIGHT - BOTTOM)  # the words hang 4 below their line
    for (x, y), (shown_x, shown_y) in zip(points, line_of(picture.find("g")), strict=True):
        assert shown_x == pytest.approx(left + (right - left) * (x - x0) / (x1 - x0), abs=0.11)
        assert shown_y == pytest.approx(below - 4 + (above - below) * (y - y0) / (y1 - y0), abs=0.11)
        assert LEFT <= shown_x <= WIDTH - RIGHT
        assert TOP <= shown_y <= HEIGHT - BOTTOM


def test_each_run_has_its_line_colour_and_name_in_the_legend():
    figure, picture = drawn(Curve("c", "epoch", {"<a>": [(0, 1.0), (1, 2.0)], "b": [(0, 2.0), (2, 0.0), (4, 1.0)]}))
    groups = picture.findall("g")
    assert [group.get("class") for group in groups] == ["run-0", "run-1"]
    assert [len(line_of(group)) for group in groups] == [2, 3]
    assert [item.find("svg").tail for item in figure.find("ul")] == ["<a>", "b"]


def test_every_point_is_marked_on_the_line_and_tells_its_value():
    _, picture = drawn(Curve("c", "step", {"a & b": [(10, 0.12345), (20, 0.5)]}, decimals=3))
    dots = picture.find("g").findall("circle")
    assert [dot.find("title").text for dot in dots] == ["a & b, step 10: 0.123", "a & b, step 20: 0.500"]
    assert [(float(dot.get("cx")), float(dot.get("cy"))) for dot in dots] == line_of(picture.find("g"))


@pytest.mark.parametrize("bad", [(NAN, 1.0), (1.0, NAN), (math.inf, 1.0), (1.0, -math.inf)])
def test_a_point_that_is_not_finite_is_left_out_of_line_marks_and_range(bad):
    points = [(0, 0.0), (4, 8.0)]
    _, plain = drawn(Curve("c", "epoch", {"a": points}))
    _, picture = drawn(Curve("c", "epoch", {"a": [points[0], bad, points[1]]}))
    assert line_of(picture.find("g")) == line_of(plain.find("g"))
    assert len(picture.find("g").findall("circle")) == 2
    assert axis(picture, "y", "y") == axis(plain, "y", "y")


def test_a_run_without_points_keeps_its_place_in_the_legend():
    figure, picture = drawn(Curve("c", "epoch", {"a": [], "b": [(0, 1.0), (1, 2.0)]}))
    groups = picture.findall("g")
    assert groups[0].find("polyline").get("points") == ""
    assert groups[1].get("class") == "run-1"
    assert len(figure.find("ul")) == 2
    assert picture.get("aria-label") == "c: b ends at 2.00"


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [(NAN, 1.0)], "b": [(1.0, NAN)]}])
def test_without_a_point_there_is_no_chart(series):
    assert curve_figure(Curve("c", "epoch", series)) == ""


def test_one_point_lies_within_the_frame():
    _, picture = drawn(Curve("c", "epoch", {"a": [(1, 0.5)]}))
    ((x, y),) = line_of(picture.find("g"))
    assert LEFT <= x <= WIDTH - RIGHT
    assert TOP <= y <= HEIGHT - BOTTOM


def test_it_says_what_it_shows_whatever_the_names():
    curve = Curve('<c> & "d"', "x < y", {"a": [(0, 1.0), (1, 2.25)], "<b>": [(0, 1.0), (1, NAN)]}, decimals=1)
    figure, picture = drawn(curve)
    assert figure.find("figcaption").text == '<c> & "d"'
    assert picture.get("aria-label") == '<c> & "d": a ends at 2.2, <b> ends at –'
    assert [text.text for text in picture.findall("text") if text.get("class") == "axis"] == ["x < y"]


def test_there_is_a_line_of_the_grid_for_each_tick_of_the_height():
    _, picture = drawn(Curve("c", "epoch", {"a": [(0, 0.0), (1, 40.0)]}))
    lines = [line for line in picture.findall("line") if line.get("class") == "grid"]
    ticks = axis(picture, "y", "y")
    assert sorted(ticks) == [0, 10, 20, 30, 40]
    assert [float(line.get("y1")) for line in lines] == pytest.approx([place - 4 for place in ticks.values()], abs=0.11)
    assert all(line.get("y1") == line.get("y2") for line in lines)


@pytest.mark.parametrize("point", [(2e6, 0.5), (1.0, 0.5), (0.0, 0.0), (-3.0, 1e7)])
def test_a_single_point_has_a_scale_about_it(point):
    drawn = curve_figure(Curve("one", "step", {"a": [point]}))
    for kind in ("tick-x", "tick-y"):
        labels = re.findall(rf'class="{kind}"[^>]*>([^<]*)<', drawn)
        assert len(set(labels)) == len(labels) >= 2
