"""Bars, their whiskers and what is written beside them."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.report import Bars
from bcls.evaluation.report.bars import LABEL, ROW, VALUE, WIDTH, bars_figure

NAN = math.nan
ROOM = WIDTH - LABEL - VALUE


def parts(bars):
    """The figure's picture, and for each run its rectangle, whisker and written value."""
    picture = ElementTree.fromstring(bars_figure(bars)).find("svg")
    rows = []
    for group in picture.findall("g"):
        name, value = group.findall("text")
        rows.append((name.text, group.find("rect"), group.find("line"), value))
    return picture, rows


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0.001, 1e4), min_size=1))
@settings(deadline=None, max_examples=40)
def test_lengths_are_in_proportion_and_the_longest_fills_the_room(values):
    _, rows = parts(Bars("t", values))
    for name, bar, whisker, _ in rows:
        assert float(bar.get("width")) == pytest.approx(ROOM * values[name] / max(values.values()), abs=0.051)
        assert whisker is None


def test_runs_stand_below_each_other_in_their_order_with_their_own_colours():
    picture, rows = parts(Bars("t", {"b": 1.0, "a": 2.0, "c": 3.0}))
    assert [row[0] for row in rows] == ["b", "a", "c"]
    assert [group.get("class") for group in picture.findall("g")] == ["run-0", "run-1", "run-2"]
    tops = [float(bar.get("y")) for _, bar, _, _ in rows]
    assert [later - tops[0] for later in tops] == [0, ROW, 2 * ROW]
    assert picture.get("viewBox") == f"0 0 {WIDTH} {3 * ROW}"


def test_values_are_written_with_their_decimals_and_spread():
    _, rows = parts(Bars("t", {"a": 1.23456, "b": 2.0}, {"b": 0.125}, decimals=3))
    assert [value.text for *_, value in rows] == ["1.235", "2.000 ±0.125"]


def test_a_whisker_goes_from_the_value_less_its_spread_to_the_value_and_its_spread():
    _, ((_, bar, whisker, value),) = parts(Bars("t", {"a": 6.0}, {"a": 2.0}))
    unit = ROOM / 8  # the whisker is within the room
    assert float(bar.get("width")) == pytest.approx(6 * unit, abs=0.05)
    assert float(whisker.get("x1")) == pytest.approx(LABEL + 4 * unit, abs=0.05)
    assert float(whisker.get("x2")) == pytest.approx(LABEL + 8 * unit, abs=0.05)
    assert float(value.get("x")) > float(whisker.get("x2"))
    assert float(whisker.get("y1")) == float(whisker.get("y2")) == ROW / 2


def test_a_whisker_does_not_go_below_zero():
    _, ((_, _, whisker, _),) = parts(Bars("t", {"a": 1.0}, {"a": 3.0}))
    assert float(whisker.get("x1")) == LABEL


def test_what_is_not_known_has_no_bar_no_whisker_and_a_dash():
    _, rows = parts(Bars("t", {"a": NAN, "b": math.inf, "c": 5.0}, {"a": 1.0}))
    assert [bar.get("width") for _, bar, _, _ in rows] == ["0.0", "0.0", f"{ROOM:.1f}"]
    assert [value.text for *_, value in rows] == ["–", "–", "5.0"]
    assert all(whisker is None for _, _, whisker, _ in rows)


def test_a_value_below_zero_has_no_bar_and_takes_no_length_from_others():
    _, rows = parts(Bars("t", {"a": -3.0, "b": 2.0, "c": 1.0}))
    assert [bar.get("width") for _, bar, _, _ in rows] == ["0.0", f"{ROOM:.1f}", f"{ROOM / 2:.1f}"]
    assert rows[0][3].text == "-3.0"


def test_a_chart_of_zeros_has_no_lengths():
    _, rows = parts(Bars("t", {"a": 0.0, "b": 0.0}))
    assert [bar.get("width") for _, bar, _, _ in rows] == ["0.0", "0.0"]


def test_it_says_what_it_shows_whatever_the_names():
    figure = ElementTree.fromstring(bars_figure(Bars('<t> & "u"', {"a < b": 1.0, "c": NAN})))
    assert figure.find("figcaption").text == '<t> & "u"'
    assert figure.find("svg").get("aria-label") == '<t> & "u": a < b 1.0, c –'
    assert figure.find("svg").find("g").find("text").text == "a < b"


def test_a_chart_without_runs_is_an_empty_picture():
    picture, rows = parts(Bars("t", {}))
    assert rows == []
    assert picture.get("viewBox") == f"0 0 {WIDTH} 0"


@pytest.mark.parametrize(
    ("values", "spreads"),
    [({"a": -1.0}, {"a": 0.5}), ({"a": 1.0, "b": 2.0}, {"a": math.nan}), ({"a": math.nan}, {}), ({"a": 0.0}, {})],
)
def test_everything_stays_in_the_picture(values, spreads):
    drawn = bars_figure(Bars("b", values, spreads))
    for number in re.findall(r' (?:x|x1|x2|width)="([^"%]*)"', drawn):
        assert 0 <= float(number) <= 420
