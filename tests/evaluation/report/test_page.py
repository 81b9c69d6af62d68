"""The page: well-formed, complete, escaped, and in need of nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bcls.evaluation.report import GalleryQuery, RankedItem, Report, Table, write_report
from bcls.evaluation.report.page import report_page

VOID = {"meta", "link", "br", "img", "input", "hr"}


class _Page(HTMLParser):
    """Checks that tags nest, and collects texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_tags_nest_and_names_are_escaped(report):
    page = _Page(report_page(report))
    assert "<b>BCLS</b> & co" in page.words
    assert "red" not in page.tags
    assert "a <red> thing" in page.words
    assert "Losses & labels" in page.words


def test_nothing_comes_from_elsewhere(report):
    text = report_page(report)
    assert _Page(text).addresses == ["data:,"]
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert set(re.findall(r"url\((\w+):", text)) == {"data"}


def test_the_best_value_of_a_column_is_marked(report):
    table = Table("Results", ["up", "down"], {"a": [1.0, 1.0], "b": [2.0, 2.0]}, lower_is_better=frozenset({"down"}))
    marked = re.findall(r'<td class="(best)?">([^<]*)</td>', report_page(Report("t", tables=[table])))
    assert marked == [("", "1.000"), ("best", "1.000"), ("best", "2.000"), ("", "2.000")]


def test_a_missing_number_is_a_dash_and_never_the_best(report):
    marked = re.findall(r'<td class="(best)?">([^<]*)</td>', report_page(report))
    assert marked == [("", "301.3"), ("", "4.000"), ("", "–"), ("best", "3.500")]


def test_empty_parts_are_left_out():
    page = _Page(report_page(Report("Nothing yet")))
    assert page.tags.count("section") == 0
    assert "Nothing yet" in page.words


def test_a_missing_picture_is_named_on_the_page_and_ends_nothing(tmp_path, caplog):
    item = RankedItem("gone", 0.5, 1.0, True, tmp_path / "gone.png")
    report = Report("t", gallery=[GalleryQuery("q", "text_to_image", {"a": [item]})])
    page = write_report(tmp_path / "report.html", report).read_text(encoding="utf-8")
    assert "gone (gone.png cannot be read)" in page
    assert "gone.png: no such picture" in caplog.text


def test_the_file_holds_the_page(report, tmp_path):
    file = write_report(tmp_path / "deep" / "report.html", report)
    assert file.read_text(encoding="utf-8") == report_page(report)
