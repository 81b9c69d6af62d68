"""The page in a real browser: by keyboard, dark, on a phone."""

from __future__ import annotations

import pytest

from bcls.evaluation.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, report, tmp_path):
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    opened.goto(write_report(tmp_path / "report.html", report).as_uri())
    yield opened
    opened.close()
    assert faults == []


def _shown(page) -> list[str]:
    return [query.locator("h3").inner_text() for query in page.locator("article.query:visible").all()]


def test_one_query_at_a_time_by_keys_and_buttons(page):
    assert len(_shown(page)) == 1
    assert "a red thing" in _shown(page)[0]
    page.keyboard.press("ArrowRight")
    assert "red.png" in _shown(page)[0]
    page.locator("#next").click()
    assert "another" in _shown(page)[0]
    page.locator("#previous").click()
    assert "red.png" in _shown(page)[0]
    assert "2" in page.locator("#place").inner_text()


def test_without_scripts_everything_is_there(browser, report, tmp_path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write_report(tmp_path / "report.html", report).as_uri())
    assert page.locator("article.query:visible").count() == 3
    context.close()


def test_dark_and_light(page):
    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    before = background()
    page.locator("#theme").click()
    assert background() != before
    page.locator("#theme").click()
    assert background() == before


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_sticks_out(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
