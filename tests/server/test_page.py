"""The page in a real browser: words, pictures, filters, side by side, by keyboard, dark, on a phone."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
import torch
import uvicorn
from PIL import Image

from bcls.models import BagOfWordsTower, ConvTower, RetrievalModel
from bcls.search import create_index, open_index
from bcls.server import Embedder, Served, ServerSettings, create_app

from .conftest import COLOURS, FIELDS, READ_KEY, picture_bytes, records_of

pytestmark = pytest.mark.browser

SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

DROP = """async () => {
    const canvas = new OffscreenCanvas(40, 30);
    const context = canvas.getContext("2d");
    context.fillStyle = "green";
    context.fillRect(0, 0, 40, 30);
    const content = await canvas.convertToBlob({ type: "image/png" });
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], "dropped.png", { type: "image/png" }));
    for (const type of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
}"""
IN_DIALOG = "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
SHOWN = """() => [...document.querySelectorAll("#found img")].slice(0, 5).every((one) => one.naturalWidth > 0)"""


def wait_until(page, condition):
    """Ask from outside until it is so; Playwright's own waiting needs `eval`, which the page's policy forbids."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never so: {condition}")


def embedder_of(seed: int) -> Embedder:
    torch.manual_seed(seed)
    model = RetrievalModel(ConvTower(dim=8, channels=(8, 16), image_size=16), BagOfWordsTower(dim=8, minimum_count=1))
    model.image_tower.fit([Image.new("RGB", (20, 20), colour) for colour in COLOURS])
    model.caption_tower.fit([f"a {colour} picture" for colour in COLOURS])
    return Embedder(model)


def serve(served: list[Served], settings: ServerSettings) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(served, settings), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> list[Served]:
    """The same pictures with two models."""
    folder = tmp_path_factory.mktemp("page")
    pictures = folder / "pictures"
    pictures.mkdir()
    both = []
    for seed, name in enumerate(("one", "two")):
        embedder = embedder_of(seed)
        place = f"memory:{folder / name}"
        with create_index(place, dim=8, model=name, fields=FIELDS) as index:
            index.add(records_of(embedder, pictures, (*COLOURS, "pink", "navy", "teal", "olive")))
        both.append(Served(name, embedder, name, place, pictures))
    return both


@pytest.fixture(scope="module")
def site(served) -> Iterator[str]:
    yield from serve(served, ServerSettings(max_body_bytes=200_000))


@pytest.fixture
def visit(browser, site):
    """Opens the page; at the end nothing may have gone wrong in it, and nothing may have been asked of elsewhere."""
    faults: list[str] = []
    contexts = []

    def note(fault: str, is_none: object) -> None:
        if not is_none:
            faults.append(fault)

    def open_page(path: str = "/", size: str = "desk", address: str = site, allowed: str = "", **options):
        context = browser.new_context(viewport=SIZES[size], **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda one: note(one.text, one.type != "error" or (allowed and allowed in one.text)))
        page.on("pageerror", lambda error: note(str(error), False))
        page.on("request", lambda one: note(one.url, one.url.startswith((address, "blob:", "data:"))))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def captions(page) -> list[str]:
    return page.locator("#found .card .caption").all_inner_texts()


def status(page, text: str) -> None:
    page.locator("#status", has_text=re.compile(text)).wait_for()


def hold_collections(page) -> list:
    """The questions for the collections, unanswered until somebody lets them go on."""
    held = []

    def hold(route) -> None:
        held.append(route)

    page.route("**/v1/collections", hold)
    return held


def no_violation(page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    wait_until(page, "document.getAnimations().every((one) => one.playState !== 'running')")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found] == []


def test_words(visit):
    page = visit()
    page.get_by_label("Search by words").fill("a red picture")
    status(page, "20 pictures for “a red picture”")
    assert page.locator("#found .card").count() == 20
    wait_until(page, SHOWN)
    first = page.locator("#found .card").first.get_attribute("aria-label")
    assert re.match(r"1: .+, similarity -?\d\.\d\d", first)
    page.get_by_role("button", name="Show more").click()
    status(page, "24 pictures")


def test_what_is_asked_before_the_server_has_told_of_its_collections_is_kept(visit):
    page = visit()
    held = hold_collections(page)
    page.reload()
    page.get_by_label("Search by words").fill("a red picture")
    page.wait_for_timeout(400)
    page.get_by_label("Search by words").press("Enter")
    held[0].continue_()
    status(page, "20 pictures for “a red picture”")
    assert page.get_by_label("Search by words").input_value() == "a red picture"


def test_a_picture_dropped_before_the_server_has_told_of_its_collections_is_kept(visit):
    page = visit()
    held = hold_collections(page)
    page.reload()
    page.evaluate(DROP)
    page.wait_for_timeout(400)
    held[0].continue_()
    status(page, "20 pictures for your picture dropped.png")


def test_a_suggestion_is_a_query(visit):
    page = visit()
    suggestion = page.locator(".suggestions button").first
    text = suggestion.inner_text()
    suggestion.click()
    status(page, f"pictures for “{text}”")
    assert page.get_by_label("Search by words").input_value() == text
    page.go_back()
    page.get_by_role("heading", name="What are you looking for?").wait_for()


def test_a_picture_that_is_chosen(visit, tmp_path):
    (tmp_path / "mine.png").write_bytes(picture_bytes("blue", (40, 30)))
    page = visit()
    page.locator("#file").set_input_files(tmp_path / "mine.png")
    status(page, "pictures for your picture mine.png")
    assert {"a blue picture"} == set(captions(page)[:2])
    page.get_by_role("button", name="Remove the picture").click()
    page.get_by_role("heading", name="What are you looking for?").wait_for()


def test_a_picture_that_is_dropped(visit):
    page = visit()
    page.evaluate(DROP)
    status(page, "pictures for your picture dropped.png")
    assert captions(page)[0] == "a green picture"
    assert page.locator("#drop").is_hidden()


def test_what_is_no_picture_says_so(visit, tmp_path):
    (tmp_path / "note.txt").write_text("no picture")
    page = visit()
    page.locator("#file").set_input_files(tmp_path / "note.txt")
    page.get_by_role("alert").filter(has_text="is not a picture").wait_for()
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    page = visit(allowed="422")
    page.locator("#file").set_input_files(tmp_path / "broken.png")
    page.get_by_role("alert").filter(has_text="picture").wait_for()


def test_filters(visit):
    page = visit("/?q=red")
    status(page, "20 pictures")
    page.get_by_role("button", name="Filters").click()
    page.locator("#filter-field").select_option("split")
    page.locator("#filter-value").fill("val")
    page.get_by_role("button", name="Add").click()
    status(page, "12 pictures")
    assert "filter=" in page.url
    page.reload()
    status(page, "12 pictures")
    page.locator("#filter-field").select_option("text")
    page.locator("#filter-value").fill('no such "thing"')
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Nothing passes the filters").wait_for()
    page.get_by_role("button", name="Remove the filter caption contains").click()
    status(page, "12 pictures")
    page.get_by_role("button", name="Remove the filter split is val").click()
    status(page, "20 pictures")


def test_captions(visit, tmp_path):
    page = visit("/?q=a blue picture")
    page.get_by_text("Captions", exact=True).click()
    status(page, "20 captions")
    assert captions(page)[:2] == ["a blue picture"] * 2


def test_why_a_result_is_there(visit):
    page = visit("/?q=a red picture")
    page.locator("#found .card").nth(2).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="What each word does").wait_for()
    assert dialog.locator(".bars >> nth=0 >> th").all_inner_texts() == ["a", "red", "picture"]
    assert "Rank 3" in dialog.inner_text()
    assert dialog.locator(".neighbours button").count() == 12
    page.keyboard.press("ArrowRight")
    dialog.get_by_text("Rank 4").wait_for()
    dialog.locator(".neighbours button").first.wait_for()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    # The browser tells of the closing a moment later, and only then can the focus go on from the opener.
    wait_until(page, "document.activeElement.querySelector('.rank')?.textContent === '4'")
    page.locator("#found .card").first.click()
    dialog.get_by_role("button", name="Find more like this").click()
    status(page, "pictures for “")
    assert "like=" in page.url


def test_side_by_side_tells_true_ranks(visit, served):
    page = visit("/?q=a red picture")
    page.get_by_label("Side by side").check()
    page.locator(".row").nth(39).wait_for()
    ids = [[item.get_attribute("data-id") for item in page.locator(f".ranks >> nth={at} >> li").all()] for at in (0, 1)]
    changes = page.locator(".ranks >> nth=0 >> .change").all_inner_texts()
    for rank, (name, change) in enumerate(zip(ids[0], changes, strict=True), start=1):
        if name in ids[1]:
            other = ids[1].index(name) + 1
            expected = "=" if other == rank else f"{'▲' if rank < other else '▼'} {abs(rank - other)}"
            assert change == expected
    shared = len(set(ids[0]) & set(ids[1]))
    assert page.locator(".summary").inner_text().startswith(f"{shared} of the first 20")
    assert page.locator(".links path").count() == shared
    page.locator(".row").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('ol').getAttribute('aria-label')") == "Ranking of two"
    page.locator("#other").select_option("one")
    page.locator("h2").filter(has_text="one").nth(0).wait_for()
    assert page.locator("#collection").input_value() == "two"


def test_by_keyboard_alone(visit):
    page = visit()
    page.locator(".suggestions button").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("a red picture")
    page.keyboard.press("Enter")
    status(page, "20 pictures")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    rank = int(page.evaluate("document.activeElement.querySelector('.rank').textContent"))
    assert rank > 3
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text(f"Rank {rank}").wait_for()
    page.get_by_role("dialog").locator(".neighbours button").first.wait_for()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(IN_DIALOG)
    page.keyboard.press("Escape")
    assert int(page.evaluate("document.activeElement.querySelector('.rank').textContent")) == rank
    page.keyboard.press("Home")
    page.locator(".rank", has_text=re.compile("^1$")).and_(page.locator(":focus .rank")).wait_for()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


STATES = {"welcome": "/", "grid": "/?q=red", "captions": "/?q=red&kind=caption", "side by side": "/?q=red&with=two"}


@pytest.mark.parametrize(("size", "colours"), [("desk", "light"), ("phone", "dark")])
def test_accessible_in_every_state(visit, size, colours):
    for name, path in STATES.items():
        page = visit(path, size, color_scheme=colours)
        page.locator("#found li button").first.wait_for()
        no_violation(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], name
        if name == "grid":
            page.get_by_role("button", name="Filters").click()
            page.locator("#found .card").first.click()
            page.get_by_role("dialog").locator(".neighbours button").first.wait_for()
            no_violation(page)
        page.context.close()


def test_dark_stays_dark(visit):
    page = visit()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Dark colours").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert page.get_by_label("Dark colours").get_attribute("aria-pressed") == "true"


def test_while_it_waits_and_when_the_server_fails(visit, site):
    page = visit(allowed="503")
    page.route("**/v1/search", lambda route: None)
    page.get_by_label("Search by words").fill("red")
    page.locator("#results[aria-busy=true] #found .loading").wait_for()
    page.unroute("**/v1/search")
    problem = '{"detail": "the index does not answer now"}'
    page.route("**/v1/search", lambda route: route.fulfill(status=503, body=problem, content_type="application/json"))
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("alert").filter(has_text="the index does not answer now").wait_for()
    no_violation(page)
    page.unroute("**/v1/search")
    page.get_by_role("button", name="Try again").click()
    status(page, "20 pictures")


def test_nothing_that_an_index_says_is_read_as_html(visit):
    page = visit("/?q=" + "%3Cimg src=x onerror=alert(1)%3E")
    status(page, "<img src=x")
    assert page.locator("#status img").count() == 0


def test_a_key_is_asked_for_and_used_for_pictures_too(visit, served):
    for address in serve(served[:1], ServerSettings(read_key=READ_KEY)):
        page = visit("/?q=red", address=address, allowed="401")
        page.get_by_label("This server wants a key").fill(READ_KEY)
        page.get_by_role("button", name="Use it").click()
        status(page, "20 pictures")
        wait_until(page, SHOWN)
        assert page.locator("#compare-switch").is_hidden()
        page.close()  # pictures that are still on their way must not meet a server that has gone


def test_a_server_that_gives_few_results_gives_them(visit, served):
    for address in serve(served[:1], ServerSettings(max_k=7)):
        page = visit("/?q=red", address=address)
        status(page, "7 pictures for “red”")
        assert page.get_by_role("button", name="Show more").count() == 0
        wait_until(page, SHOWN)
        page.close()


def test_what_is_typed_is_in_the_address_and_takes_one_step_to_go_back_from(visit):
    page = visit("/?q=a blue picture")
    status(page, "“a blue picture”")
    words = page.get_by_label("Search by words")
    for text in ("a", "a red", "a red picture"):
        words.fill(text)
        status(page, f"“{text}”$")
    assert page.url.endswith("/?q=a+red+picture")
    words.press("Enter")
    words.fill("green")
    status(page, "“green”")
    page.reload()
    status(page, "20 pictures for “green”")
    page.go_back()
    status(page, "“a red picture”")
    page.go_back()
    status(page, "“a blue picture”")


def test_going_back_closes_what_was_opened(visit):
    page = visit("/?q=red")
    status(page, "20 pictures for “red”")
    page.get_by_label("Search by words").fill("blue")
    page.keyboard.press("Enter")
    status(page, "“blue”")
    page.locator("#found .card").first.click()
    page.get_by_role("dialog").locator(".neighbours button").first.wait_for()
    page.go_back()
    status(page, "20 pictures for “red”")
    assert page.get_by_role("dialog").is_hidden()


def test_the_slash_jumps_to_the_words_from_a_choice_too(visit):
    page = visit("/?q=red")
    for choice in ("Captions", "Pictures"):
        page.get_by_text(choice, exact=True).click()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "words"
    page.get_by_label("Side by side").check()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "words"
    page.keyboard.press("/")
    assert page.get_by_label("Search by words").input_value().endswith("/")


def test_a_wrong_key_is_told_and_one_that_cannot_be_sent_is_not(visit, served):
    for address in serve(served[:1], ServerSettings(read_key=READ_KEY)):
        page = visit("/?q=red", address=address, allowed="401")
        first = page.get_by_label("This server wants a key")
        first.wait_for()
        assert page.evaluate("document.activeElement.type") == "password"
        first.fill("ключ")
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('.key-form input').validity.patternMismatch")
        first.fill("not-the-key-of-the-server")
        page.keyboard.press("Enter")
        second = page.get_by_label("That key was not taken")
        second.fill(f" {READ_KEY} ")
        page.keyboard.press("Enter")
        status(page, "20 pictures")
        page.close()


def test_where_a_page_may_keep_nothing_it_works_all_the_same(visit, served):
    forbid = """for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""
    for address in serve(served[:1], ServerSettings(read_key=READ_KEY)):
        page = visit(address=address, allowed="401")
        page.add_init_script(forbid)
        page.goto(f"{address}/?q=red")
        page.get_by_label("This server wants a key").fill(READ_KEY)
        page.keyboard.press("Enter")
        status(page, "20 pictures")
        page.get_by_label("Dark colours").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.close()


def test_an_index_of_pictures_alone_has_no_captions_and_says_so(visit, served, tmp_path):
    with (
        open_index(served[0].index) as full,
        create_index(f"memory:{tmp_path / 'bare'}", dim=8, model="one", fields=FIELDS) as bare,
    ):
        bare.add([replace(one, fields=dict(one.fields) | {"text": ""}) for one in full.get(["red-0", "blue-0"])])
    for address in serve([replace(served[0], index=str(tmp_path / "bare"))], ServerSettings()):
        page = visit("/?q=red&kind=caption", address=address)
        page.get_by_role("heading", name="No captions are in the index").wait_for()
        page.get_by_text("Pictures", exact=True).click()
        status(page, "2 pictures")
        wait_until(page, SHOWN)
        page.close()


def test_two_models_that_share_nothing_are_not_said_to_agree(visit, served, tmp_path):
    with (
        open_index(served[1].index) as full,
        create_index(f"memory:{tmp_path / 'other'}", dim=8, model="two", fields=FIELDS) as other,
    ):
        for one in full.get(["red-0", "blue-0"]):
            name = f"other-{one.id}"
            other.add([replace(one, id=name, fields=dict(one.fields) | {"image": name})])
    for address in serve([served[0], replace(served[1], index=str(tmp_path / "other"))], ServerSettings()):
        page = visit("/?q=red&with=two", address=address)
        summary = page.locator(".summary")
        summary.wait_for()
        assert summary.inner_text() == "0 of the first 20 are the same with both."
        page.goto(f"{address}/?q=red&with=two&filter=" + quote('["id", "=", "other-red-0"]'))
        status(page, "0 pictures of one beside 1 of two")
        page.close()


def test_an_index_that_does_not_answer_is_told_and_looked_for_again(visit):
    page = visit(allowed="503")
    away = page.request.get(page.url + "v1/collections").json()
    for one in away["collections"]:
        one |= {"ready": False, "records": 0, "fields": {}}
    page.route("**/v1/collections", lambda route: route.fulfill(json=away))
    page.reload()
    page.get_by_text("The index does not answer now").wait_for()
    page.unroute("**/v1/collections")
    page.get_by_label("Search by words").fill("red")
    status(page, "20 pictures")
    page.get_by_role("button", name="Filters").click()
    assert page.locator("#filter-field option").all_inner_texts() == ["split", "caption", "id"]
