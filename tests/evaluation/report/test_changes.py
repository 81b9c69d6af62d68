"""The page of a comparison: complete, escaped, well-formed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

from bcls.evaluation import Difference
from bcls.evaluation.report import Report
from bcls.evaluation.report.differences import differences_section
from bcls.evaluation.report.page import report_page


class _Nesting(HTMLParser):
    """Checks that tags nest; collects the words between them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_tags_nest_names_are_escaped_and_nothing_comes_from_elsewhere(comparison):
    text = report_page(comparison)
    words = _Nesting(text).words
    assert "a <red> thing" in words
    assert "<new>: right answer at 8" in words
    assert not re.search(r"https?://(?!www\.w3\.org)", text)


def test_every_query_carries_what_filters_need(comparison):
    entries = re.findall(r'<details class="change (\w+)" ([^>]*)>', report_page(comparison))
    assert [kind for kind, _ in entries] == ["images", "images", "captions"]
    data = [dict(re.findall(r'data-(\w+)="([^"]*)"', words)) for _, words in entries]
    assert [float(one["rank"]) for one in data] == [1, -3, 0]
    assert [float(one["ndcg"]) for one in data] == [0.25, -0.6, -0.1]
    assert [one["near"] for one in data] == ["0", "7", "2"]
    assert [one["words"] for one in data] == ["3", "11", "9"]


def test_without_relevance_there_is_no_word_of_it(comparison):
    changes = comparison.changes
    queries = [replace(query, ndcg=None, near_misses=None) for query in changes.queries]
    text = report_page(Report("t", changes=replace(changes, queries=queries)))
    body = text.split("<main>")[1].split("<script>")[0]
    assert "NDCG" not in body
    assert "near miss" not in body
    assert 'data-filter="measure"' not in body


def test_only_what_survives_the_correction_is_coloured(comparison):
    assert re.findall(r'<tr class="(\w+)">', differences_section(comparison.differences)) == ["better", "worse", "open"]
    rank = Difference("b", "image_to_text/mean_rank", 9.0, 5.0, -5.0, -3.0, 0.001, 0.001)
    assert '<tr class="better">' in differences_section([rank])


def test_the_line_is_drawn_to_scale():
    section = differences_section([Difference("b", "rsum", 0.0, 1.0, -1.0, 3.0, 0.2, 0.2)])
    low, high = map(float, re.search(r'class="reach" x1="([\d.]+)" x2="([\d.]+)"', section).groups())
    zero = float(re.search(r'class="zero" x1="([\d.]+)"', section).group(1))
    assert math.isclose((high - zero) / (zero - low), 3, rel_tol=0.01)


def test_an_undefined_difference_has_no_line():
    nan = math.nan
    section = differences_section([Difference("b", "tau_b", nan, nan, nan, nan, nan, nan)])
    assert "<svg" not in section
