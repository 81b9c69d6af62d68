"""Differences with their intervals, as tables and lines."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from bcls.evaluation import Difference
from bcls.evaluation.report.differences import HEIGHT, WIDTH, differences_section

NAN = math.nan


def rows_of(*differences):
    """The rows of all tables."""
    section = ElementTree.fromstring(differences_section(differences))
    return [row for table in section.iter("table") for row in table.find("tbody")]


def row_of(metric="rsum", baseline=300.0, value=302.0, low=1.0, high=3.0, adjusted=0.01):
    (row,) = rows_of(Difference("b", metric, baseline, value, low, high, adjusted / 2, adjusted))
    return row


def test_a_row_writes_values_difference_interval_and_p_values():
    row = row_of("image_to_text/recall@1", 40.0, 42.5, 1.25, 3.75, 0.0004)
    assert row.find("th").text == "i2t R@1"
    assert ["".join(cell.itertext()) for cell in row.findall("td")] == [
        "40.0",
        "42.5",
        "+2.5",
        "+1.2 .. +3.8",
        "",
        "<.001",
        "<.001",
    ]


def test_the_interval_is_called_by_its_confidence():
    page = differences_section([Difference("b", "rsum", 300.0, 302.0, 1.0, 3.0, 0.01, 0.01, confidence=0.995)])
    assert "Each line is the 99.5 % interval of the difference" in page
    assert '<th scope="col">99.5 % interval</th>' in page
    assert "95 %" not in page


def test_each_run_has_a_table_of_its_own_in_the_order_of_their_first_row():
    differences = [
        Difference(run, metric, 1.0, 2.0, 0.5, 1.5, 0.01, 0.02)
        for run, metric in (("<c>", "rsum"), ("b", "rsum"), ("<c>", "tau_b"))
    ]
    section = ElementTree.fromstring(differences_section(differences))
    tables = list(section.iter("table"))
    assert [table.find("caption").text for table in tables] == ["<c>", "b"]
    assert [[row.find("th").text for row in table.find("tbody")] for table in tables] == [["rsum", "tau_b"], ["rsum"]]
    assert [box.get("aria-label") for box in section.findall("div")] == ["<c>", "b"]
    assert all(len(table.find("thead").find("tr")) == 8 == len(table.find("tbody")[0]) for table in tables)


@pytest.mark.parametrize(
    ("metric", "value", "adjusted", "side"),
    [
        ("rsum", 302.0, 0.049, "better"),
        ("rsum", 298.0, 0.049, "worse"),
        ("rsum", 302.0, 0.05, "open"),
        ("rsum", 298.0, 0.9, "open"),
        ("image_to_text/mean_rank", 302.0, 0.01, "worse"),
        ("image_to_text/mean_rank", 298.0, 0.01, "better"),
        ("mean_rank", 298.0, 0.01, "better"),
        ("mean_rank", 298.0, 0.5, "open"),
        ("image_to_text/mrr", 302.0, 0.01, "better"),
        ("rsum", 302.0, NAN, "open"),
    ],
)
def test_the_side_is_told_where_it_is_sure_and_low_ranks_are_better(metric, value, adjusted, side):
    assert row_of(metric, 300.0, value, adjusted=adjusted).get("class") == side


@pytest.mark.parametrize(
    ("low", "value", "high"), [(1.0, 302.0, 3.0), (-3.0, 298.0, -1.0), (-2.0, 301.0, 4.0), (0.0, 300.0, 0.0)]
)
def test_the_line_is_the_interval_about_zero_on_a_scale_that_holds_it(low, value, high):
    picture = row_of(low=low, value=value, high=high).find(".//svg")
    zero, reach = picture.findall("line")
    middle = picture.find("circle")
    assert (zero.get("class"), reach.get("class")) == ("zero", "reach")
    assert float(zero.get("x1")) == float(zero.get("x2")) == WIDTH / 2
    scale = WIDTH / 2 / (1.08 * max(abs(low), abs(high), 1e-12))
    places = [float(reach.get("x1")), float(middle.get("cx")), float(reach.get("x2"))]
    expected = [WIDTH / 2 + scale * one for one in (low, value - 300.0, high)]
    assert places == pytest.approx(expected, abs=0.051)
    assert 0 <= places[0] <= places[1] <= places[2] <= WIDTH
    assert float(middle.get("cy")) == float(reach.get("y1")) == HEIGHT / 2


def test_a_difference_that_is_not_known_has_dashes_and_no_line():
    row = row_of("tau_b", NAN, NAN, NAN, NAN, NAN)
    assert ["".join(cell.itertext()) for cell in row.findall("td")] == ["-", "-", "-", "-", "", "-", "-"]
    assert row.find(".//svg") is None
    assert row.get("class") == "open"


def test_the_line_is_not_read_aloud_but_its_numbers_are():
    row = row_of()
    assert row.find(".//svg").get("aria-hidden") == "true"
    assert "+1.0 .. +3.0" in [cell.text for cell in row.findall("td")]


def test_no_differences_are_a_section_without_a_table():
    section = ElementTree.fromstring(differences_section([]))
    assert section.find("h2").text == "Differences"
    assert list(section.iter("table")) == []
