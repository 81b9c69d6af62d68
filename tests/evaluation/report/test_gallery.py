"""Rankings side by side."""

from __future__ import annotations

import re

from bcls.evaluation.report.gallery import gallery_section
from bcls.evaluation.report.pictures import Pictures


def test_each_query_shows_each_run_in_order(report):
    section = gallery_section(list(report.gallery), Pictures())
    assert section.count("<article") == 3
    assert section.count('class="ranking"') == 6
    first = section.split("</article>")[0]
    assert re.findall(r'role="img" aria-label="([^"]*)"', first) == ["red.png", "green.png", "blue.png"] * 2


def test_relevance_is_shown_and_unknown_is_said_so(report):
    first = gallery_section(list(report.gallery), Pictures()).split("</article>")[0]
    grades = re.findall(r'class="grade">(.*?)</li>', first)[:3]
    assert "1.00" in grades[0]
    assert "✓" in grades[0]
    assert "relevance-10" in grades[0]
    assert ">?<" in grades[1]
    assert "relevance-" not in grades[1]
    assert "0.00" in grades[2]
    assert "✓" not in grades[2]
