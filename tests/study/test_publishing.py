"""A study in a page."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.study.publishing import publish, require_place

PAGE = "# Results\n\n<!-- begin study a -->\nold\n<!-- end study a -->\n\nrest\n"


def test_the_table_takes_the_place_of_the_old_one(tmp_path):
    page, picture = tmp_path / "docs" / "results.md", tmp_path / "pareto.png"
    page.parent.mkdir()
    page.write_text(PAGE)
    picture.write_bytes(b"a picture")
    for _ in range(2):
        publish(page, "a", "| t |", [picture])
    text = page.read_text()
    assert text.count("| t |") == 1
    assert "old" not in text
    assert "![pareto of the study a](images/a_pareto.png)" in text
    assert text.startswith("# Results\n")
    assert text.endswith("\n\nrest\n")
    assert (page.parent / "images" / "a_pareto.png").read_bytes() == b"a picture"


@pytest.mark.parametrize("text", ["", PAGE + PAGE, "<!-- end study a --> <!-- begin study a -->"])
def test_a_page_without_a_place_is_refused(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(InputError, match="begin study a"):
        require_place(page, "a")
    assert page.read_text() == text


def test_no_page(tmp_path):
    with pytest.raises(InputError, match="no such page"):
        require_place(tmp_path / "none.md", "a")
