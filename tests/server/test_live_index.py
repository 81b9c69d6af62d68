"""An index that goes away, comes back, grows, is made anew, or cannot be written to."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from bcls.errors import InputError
from bcls.search import EngineUnavailableError, Index, Record, create_index, open_index
from bcls.server import Served
from bcls.server.live_index import LiveIndex

from .conftest import FIELDS, MODEL, base64_of, picture_bytes, records_of, served_of

QUERY = {"text": "red", "k": 3}
OPENING = "bcls.server.collection.open_index"


class Wire:
    """Between the server and an index; it can be cut."""

    def __init__(self) -> None:
        self.cut = False

    def open(self, index: Index) -> Index:
        self.ask()
        for name in ("add", "delete", "search", "get", "count", "info", "refresh"):
            setattr(index, name, self._through(getattr(index, name)))
        return index

    def ask(self) -> None:
        if self.cut:
            raise EngineUnavailableError("connection refused")

    def _through(self, method):
        def call(*given, **named):
            self.ask()
            return method(*given, **named)

        return call


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def wired(made, embedder, wire, monkeypatch) -> Served:
    monkeypatch.setattr(OPENING, lambda place: wire.open(open_index(place)))
    return served_of(made, embedder)


def until(wanted, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_an_engine_that_goes_away_is_503_and_is_back_without_a_restart(serving, wired, wire):
    client = serving(wired, reload_seconds=0.05)
    assert client.post("/v1/search", json=QUERY).status_code == 200
    wire.cut = True
    for ask in (
        lambda: client.post("/v1/search", json=QUERY),
        lambda: client.get("/v1/images/red-0"),
        lambda: client.post("/v1/explain", json={"text": "red", "id": "red-0"}),
    ):
        answer = ask()
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "connection refused" in answer.json()["detail"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    assert ready.headers["content-type"] == "application/problem+json"
    assert ready.json()["detail"] == "the index does not answer now: colours"
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/collections").json()["collections"][0]["ready"] is False
    wire.cut = False
    until(lambda: client.get("/readyz").status_code == 200)
    assert client.post("/v1/search", json=QUERY).status_code == 200


def test_an_engine_that_is_not_there_yet_is_waited_for(serving, wired, wire):
    wire.cut = True
    client = serving(wired, reload_seconds=0.05)
    assert client.post("/v1/search", json=QUERY).status_code == 503
    assert client.get("/v1/collections").status_code == 200
    wire.cut = False
    until(lambda: client.post("/v1/search", json=QUERY).status_code == 200)


def test_an_engine_that_goes_away_while_it_is_opened_is_let_go_of(made):
    opened, closed = [], []

    def open_one() -> Index:
        index = open_index(made.index)
        opened.append(index)
        index.close = lambda: closed.append(index)
        index.info = cut
        return index

    def cut():
        raise EngineUnavailableError("connection refused")

    live = LiveIndex("x", open_index=open_one, made=str, model=MODEL, retire=closed.append)
    live.refresh()
    assert live.trouble == "connection refused"
    assert closed == opened != []


def test_a_write_to_an_engine_that_is_away_is_503_and_leaves_nothing(serving, wired, wire, made):
    client = serving(wired, write_key="w" * 16)
    client.headers["Authorization"] = "Bearer " + "w" * 16
    wire.cut = True
    assert client.post("/v1/images", json={"image": base64_of(picture_bytes())}).status_code == 503
    assert not made.uploads.exists()


def test_new_records_are_seen_and_no_request_is_lost_meanwhile(serving, made):
    client = serving(reload_seconds=0.02)
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            statuses.append(client.post("/v1/search", json=QUERY).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    fields = {"kind": "image", "image": "late", "file": "red-0.png", "split": "late", "text": "late"}
    with open_index(made.index) as index:
        for number in range(20):
            index.add([Record(f"late-{number}", np.ones(8, np.float32), fields)])
        index.optimize()
    late = {"text": "red", "k": 100, "filter": "split=late"}
    until(lambda: len(client.post("/v1/search", json=late).json()["results"]) == 20)
    stop.set()
    asking.join()
    assert set(statuses) == {200}
    assert 'bcls_index_reloads_total{collection="colours"} 0.0' not in client.get("/metrics").text


def make_anew(made, model: str, dim: int = 8) -> None:
    shutil.rmtree(made.index)
    with create_index(f"memory:{made.index}", dim=dim, model=model, fields=FIELDS) as index:
        fields = {"kind": "image", "image": "only", "file": "", "split": "", "text": "the only one"}
        index.add([Record("only", np.ones(dim, np.float32), fields)])


def test_an_index_that_is_made_anew_is_taken_up(serving, made):
    client = serving(reload_seconds=0.05)
    make_anew(made, MODEL)
    until(lambda: [one["id"] for one in client.post("/v1/search", json=QUERY).json()["results"]] == ["only"])


def test_while_its_files_are_away_an_index_on_disk_is_503_and_the_one_made_anew_is_taken_up(serving, made, embedder):
    pytest.importorskip("lancedb")
    place = made.index.with_name("lance")
    with create_index(place, dim=8, model=MODEL, fields=FIELDS) as index:
        index.add(records_of(embedder, made.pictures))
    client = serving(replace(served_of(made, embedder), index=str(place)), reload_seconds=0.05)
    assert client.post("/v1/search", json=QUERY).status_code == 200
    shutil.rmtree(place)
    answer = client.post("/v1/search", json=QUERY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "the index cannot be read now; the server's log says why"
    with create_index(place, dim=8, model=MODEL, fields=FIELDS) as index:
        index.add(records_of(embedder, made.pictures))
    until(lambda: client.post("/v1/search", json=QUERY).status_code == 200)


@pytest.mark.parametrize(("model", "status"), [(MODEL, 201), ("another", 503)])
def test_a_picture_goes_into_the_index_that_was_made_anew_and_into_none_of_another_model(serving, made, model, status):
    client = serving(reload_seconds=1000, write_key="w" * 16)
    client.headers["Authorization"] = "Bearer " + "w" * 16
    make_anew(made, model)
    answer = client.post("/v1/images", json={"image": base64_of(picture_bytes()), "id": "new"})
    assert answer.status_code == status
    with open_index(made.index) as index:
        assert index.info().model == model
        assert [record is not None for record in index.get(["only", "new"])] == [True, status == 201]


@pytest.mark.parametrize(("model", "dim"), [("another", 8), ("another", 16)])
def test_one_of_another_model_is_not_and_the_old_one_stays(serving, made, model, dim, caplog):
    client = serving(reload_seconds=0.05)
    make_anew(made, model, dim)
    until(lambda: any(record.message == "reload refused" for record in caplog.records))
    assert client.post("/v1/search", json=QUERY).json()["results"][0]["id"].partition("-")[0] != "only"


def test_an_index_of_another_model_or_without_its_fields_is_refused_at_the_start(serving, made, embedder, tmp_path):
    with pytest.raises(InputError, match="another model"):
        serving(replace(served_of(made, embedder), model="another"))
    create_index(f"memory:{tmp_path / 'bare'}", dim=8, model=MODEL, fields={"kind": "str"}).close()
    with pytest.raises(InputError, match="it lacks the text fields image, file, split, text"):
        serving(replace(served_of(made, embedder), index=str(tmp_path / "bare")))
