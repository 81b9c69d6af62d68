"""How the report writes numbers and names runs."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcls.evaluation.report.numbers import MISSING, legend, number, run_class, ticks


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(41.256, 1, "41.3"), (41.256, 0, "41"), (2, 3, "2.000"), (-0.5, 2, "-0.50"), (1e6, 1, "1000000.0"), (0, 1, "0.0")],
)
def test_a_number_has_its_decimals(value, decimals, text):
    assert number(value, decimals) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash(value):
    assert number(value, 1) == MISSING == "–"


def test_eight_runs_differ_and_the_ninth_looks_like_the_first():
    assert len({run_class(place) for place in range(8)}) == 8
    assert run_class(8) == run_class(0) == "run-0"


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 37, 4, [0, 10, 20, 30, 40]),
        (0, 40, 4, [0, 10, 20, 30, 40]),
        (1, 10, 5, [0, 2, 4, 6, 8, 10]),
        (-1, 1, 4, [-1, -0.5, 0, 0.5, 1]),
        (0.11, 0.19, 4, [0.1, 0.12, 0.14, 0.16, 0.18, 0.2]),
        (3, 7, 1, [0, 5, 10]),
        (300, 512, 4, [300, 400, 500, 600]),
        (1000, 5000, 4, [1000, 2000, 3000, 4000, 5000]),
    ],
)
def test_ticks_are_round_numbers_about_the_range(low, high, count, expected):
    assert ticks(low, high, count) == expected


@given(st.integers(-1000, 1000), st.integers(1, 2000), st.integers(1, 8))
@settings(deadline=None, max_examples=40)
def test_ticks_are_multiples_of_a_step_of_1_2_or_5_and_none_is_beside_the_range(low, span, count):
    values = ticks(low, low + span, count)
    step = values[1] - values[0]
    assert f"{step:.3e}"[0] in "125"
    assert [value / step for value in values] == pytest.approx([round(value / step) for value in values], abs=1e-6)
    assert values[0] <= low < values[1]
    assert values[-2] < low + span <= values[-1]


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, -3.0])
def test_a_range_of_one_value_has_two_ticks_at_least(value):
    values = ticks(value, value)
    assert len(values) >= 2
    assert values[0] <= value <= values[-1]
    assert values[-1] > values[0]


def test_the_legend_lists_every_run_with_its_mark():
    root = ElementTree.fromstring(legend(["a", "<b> & c"]))
    assert root.get("class") == "legend"
    assert ["".join(item.itertext()) for item in root] == ["a", "<b> & c"]
    assert [item.find("svg").get("class") for item in root] == ["key run-0", "key run-1"]


def test_the_legend_of_no_runs_is_empty():
    assert legend([]) == '<ul class="legend"></ul>'
