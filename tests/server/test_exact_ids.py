"""Through real HTTP: an id touches its own record and no other, however it is written."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcls.ids import id_fault
from bcls.models import fingerprint
from bcls.search import Record, create_index, open_index

from .conftest import FIELDS, base64_of, picture_bytes, records_of
from .process import Running, running
from .test_faults import WRITE_KEY, ask

IMAGE = base64_of(picture_bytes("yellow"))
names = st.text(min_size=1, max_size=8)


@pytest.fixture(scope="module")
def server(model, embedder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ids")
    (folder / "pictures").mkdir()
    place = f"memory:{folder / 'index'}"
    with create_index(place, dim=8, model=fingerprint(model), fields=FIELDS) as index:
        index.add(records_of(embedder, folder / "pictures")[:1])  # red-0
    with running(model, place, folder / "pictures", BCLS_WRITE_KEY=WRITE_KEY) as started:
        yield started


def add(server: Running, name: str) -> int:
    return ask(server.port, "POST", "/v1/images", {"id": name, "image": IMAGE})[0]


def get(server: Running, path: str) -> int:
    return ask(server.port, "GET", f"/v1/images/{path}")[0]


def delete(server: Running, path: str) -> int:
    return ask(server.port, "DELETE", f"/v1/images/{path}")[0]


def everywhere(name: str) -> str:
    """An id as a URL has it, with every byte escaped."""
    return "".join(f"%{byte:02X}" for byte in name.encode())


@settings(max_examples=40, deadline=None)
@given(names)
@example("a/../b")
@example("a b#c?d&e=f;g")
@example("%0A")
@example("%2e%2e")
@example("...")
@example("caf\u00e9")
@example("cafe\u0301")
@example("x ")
@example("é" * 256)
@example("+")
def test_what_is_put_is_got_and_deleted_and_nothing_else(server, name):
    fault = id_fault(name) if not name.startswith("caption:") else "taken"
    if fault is not None:
        assert add(server, name) == 422
        return
    assert add(server, name) == 201
    assert add(server, name) == 409
    for near in (name + "\n", name + "\0", name + " ", "x" + name, name[:-1] or "y", name.swapcase() + "z"):
        assert get(server, quote(near, safe="")) in {404, 422}
        assert delete(server, quote(near, safe="")) in {404, 422}
    assert get(server, quote(name, safe="")) == get(server, everywhere(name)) == 200
    found = json.loads(ask(server.port, "POST", "/v1/search", {"like": name, "k": 2})[1])["results"]
    assert name in {one["id"] for one in found}
    assert get(server, "red-0") == 200
    assert delete(server, quote(name, safe="")) == 200
    assert get(server, quote(name, safe="")) == 404
    assert get(server, "red-0") == 200


@pytest.mark.parametrize(
    "path",
    [
        "red-0%0A",
        "red-0%0D%0A",
        "%0Ared-0",
        "red-0%00",
        "red-0%20",
        "red-0.",
        "red-0/",
        "red-0%2F",
        "Red-0",
        "%72ed-0%0a",
        "%2572ed-0",  # escaped twice
        "%C1%B2ed-0",  # `r` in more bytes than it needs
        "red-0%FF",
        "red%2D0%E2%80%A8",
        "x/../red-0%0A",
    ],
)
def test_what_is_not_the_id_itself_touches_nothing(server, path):
    assert delete(server, path) in {404, 422}
    assert get(server, path) in {404, 422}
    assert get(server, "red-0") == get(server, "%72%65d-0") == 200


def test_bytes_that_are_no_text_are_not_an_id_with_a_replacement_character(server):
    assert add(server, "a\ufffd") == 201
    assert delete(server, "a%FF") == 404
    assert delete(server, "a%C3") == 404
    assert delete(server, "a%EF%BF%BD") == 200


@pytest.mark.parametrize("name", ["victim\n", ".", "..", "a\tb", "a\u2028", "\x7f", "", "x" * 513])
def test_an_id_against_the_rule_is_refused_and_an_old_index_that_holds_it_opens(
    serving, made, embedder, bcls_command, name
):
    fields = {"kind": "image", "image": name, "file": "", "split": "", "text": ""}
    vector = embedder.texts(["red"])[0]
    old = bool(name) and len(name) <= 512
    with open_index(made.index) as index:
        if old:  # as an earlier release wrote it
            index._add([Record(name, vector, fields)], vector[None])
    client = serving(write_key=WRITE_KEY)
    client.headers["Authorization"] = f"Bearer {WRITE_KEY}"
    refused = client.post("/v1/images", json={"id": name, "image": IMAGE})
    assert refused.status_code == 422
    if old:
        assert client.post("/v1/search", json={"like": name}).status_code == 200
        assert repr(name) in bcls_command("index", "delete", made.index, "--unusable_ids")
        assert open_index(made.index).get([name]) != [None]
        assert "1 records deleted" in bcls_command("index", "delete", made.index, "--unusable_ids", "--delete")
        assert open_index(made.index).get([name]) == [None]
    assert open_index(made.index).count() == 48
