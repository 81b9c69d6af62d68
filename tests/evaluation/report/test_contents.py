"""What a report is made of: plain data that stays as it was made, and a section for each part."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from bcls.evaluation import Difference
from bcls.evaluation.report import Bars, ChangedQuery, Changes, Curve, GalleryQuery, RankedItem, Report, Table
from bcls.evaluation.report.page import report_page

KINDS = [Table, Bars, Curve, RankedItem, GalleryQuery, ChangedQuery, Changes, Report]
ITEM = RankedItem("a dog", 0.5, None, positive=True)
PARTS = {
    "summary": ["It works."],
    "tables": [Table("Results", ["rsum"], {"a": [1.0]})],
    "bars": [Bars("rsum", {"a": 1.0})],
    "curves": [Curve("Loss", "epoch", {"a": [(0.0, 1.0), (1.0, 0.5)]})],
    "differences": [Difference("b", "rsum", 1.0, 2.0, 0.5, 1.5, 0.01, 0.01)],
    "gallery": [GalleryQuery("a query", "text_to_image", {"a": [ITEM]})],
    "changes": Changes(("a", "b"), {"captions, rank": (1, 2, 3)}, [], 0.5),
    "provenance": {"Command": "bcls demo"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_in_its_order(kind):
    described = re.findall(r"^ {4}(\w+): ", inspect.cleandoc(kind.__doc__).split("Args:")[1], flags=re.MULTILINE)
    assert described == [field.name for field in dataclasses.fields(kind)]


def test_nothing_changes_once_it_is_made():
    for one in (ITEM, Report("t"), *PARTS["tables"], *PARTS["bars"], *PARTS["curves"], *PARTS["gallery"]):
        name = dataclasses.fields(one)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, name, "other")


def test_what_is_left_out_is_empty_and_nobody_elses():
    one, other = Report("one"), Report("other")
    assert not any(getattr(one, name) for name in PARTS)
    assert one.provenance is not other.provenance
    assert Bars("t", {}).spreads is not Bars("t", {}).spreads
    assert (Bars("t", {}).decimals, Curve("t", "x", {}).decimals) == (1, 2)
    assert (PARTS["tables"][0].note, PARTS["tables"][0].lower_is_better) == ("", frozenset())
    assert ITEM.picture is PARTS["gallery"][0].picture is None


@pytest.mark.parametrize("name", PARTS)
def test_each_part_alone_has_a_place_on_the_page(name):
    assert {field.name for field in dataclasses.fields(Report)} == {"title", *PARTS}
    reports = Report("t"), Report("t", **{name: PARTS[name]})
    empty, page = (report_page(report).split("<main>")[1] for report in reports)
    assert page.count("<section") == empty.count("<section") + (name != "summary")
    assert ("It works." in page) == (name == "summary")
