"""The page of a comparison in a real browser: filters, keys, dark, a phone."""

from __future__ import annotations

import pytest

from bcls.evaluation.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, comparison, tmp_path):
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    opened.goto(write_report(tmp_path / "comparison.html", comparison).as_uri())
    yield opened
    opened.close()
    assert faults == []


def _shown(page) -> list[str]:
    return [entry.inner_text().strip()[:6] for entry in page.locator(".asking:visible").all()]


def _choose(page, name: str, value: str) -> list[str]:
    page.select_option(f'[data-filter="{name}"]', value)
    return _shown(page)


def test_the_largest_change_comes_first_and_is_open(page):
    assert _shown(page) == ["a long", "a <red"]
    assert page.locator("details[open]").count() == 1
    assert "right answer at 8" in page.locator("details[open]").inner_text()
    assert page.locator("#found").inner_text() == "2 of 3 shown."


def test_filters(page):
    assert _choose(page, "measure", "ndcg") == ["a long", "a <red", "red.pn"]
    assert _choose(page, "side", "better") == ["a <red"]
    assert _choose(page, "side", "worse") == ["a long", "red.pn"]
    assert _choose(page, "direction", "image_to_text") == ["red.pn"]
    assert _choose(page, "direction", "") == ["a long", "red.pn"]
    assert _choose(page, "near", "5-999999") == ["a long"]
    assert _choose(page, "near", "") == ["a long", "red.pn"]
    assert _choose(page, "words", "9-12") == ["a long", "red.pn"]
    assert _choose(page, "words", "0-8") == []
    assert page.locator("#none").is_visible()


def test_keys_go_through_the_queries_and_open_them(page):
    page.locator("summary").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('details').open")
    assert "a <red> thing" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("ArrowUp")
    assert "a long tale" in page.evaluate("document.activeElement.innerText")


def test_without_scripts_everything_is_there(browser, comparison, tmp_path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write_report(tmp_path / "comparison.html", comparison).as_uri())
    assert page.locator("details.change").count() == 3
    assert not page.locator(".filters").is_visible()
    page.locator("summary").last.click()
    assert page.locator("details[open]").count() == 1
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_sticks_out(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
