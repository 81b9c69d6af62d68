"""What a server says of its health is what a search is answered."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from bcls.search import Index, create_index, open_index

from .conftest import FIELDS, MODEL, records_of, served_of
from .test_live_index import QUERY, until


@pytest.fixture(params=["memory", "lancedb"])
def placed(request, made, embedder):
    """The place of an index of each engine."""
    if request.param == "memory":
        return made.index
    pytest.importorskip("lancedb")
    place = made.index.with_name("lance")
    fill(place, made, embedder)
    return place


def fill(place, made, embedder, model: str = MODEL, dim: int = 8) -> None:
    with create_index(place, dim=dim, model=model, fields=FIELDS) as index:
        if dim == 8:
            index.add(records_of(embedder, made.pictures))


def says(client) -> set[bool]:
    """Whether a search is answered, and whether each of the three places says so."""
    search = client.post("/v1/search", json=QUERY).status_code
    assert search in {200, 503}
    probe = client.get("/readyz")
    assert probe.status_code in {200, 503}
    text = client.get("/metrics").text
    return {
        search == 200,
        probe.status_code == 200,
        client.get("/v1/collections").json()["collections"][0]["ready"],
        'bcls_index_ready{collection="colours"} 1.0' in text,
    }


def cut(place) -> None:
    for file in place.rglob("*"):
        if file.is_file() and file.suffix == ".lance":
            os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("how", ["moved", "cut", "replaced", "replaced by a wider one"])
def test_with_its_files_away_all_say_what_a_search_says_and_all_are_back_by_themselves(
    serving, made, embedder, placed, how
):
    aside = placed.with_name("aside")
    shutil.copytree(placed, aside)
    client = serving(replace(served_of(made, embedder), index=str(placed)), reload_seconds=0.05)
    assert says(client) == {True}
    if how == "cut":
        cut(placed)
    else:
        shutil.rmtree(placed)
    if how.startswith("replaced"):
        place = placed if placed.name == "lance" else f"memory:{placed}"
        fill(place, made, embedder, "another", 16 if how.endswith("wider one") else 8)
    expected = {placed.name == "index"}  # an index in memory goes on answering
    until(lambda: says(client) == expected)
    assert says(client) == expected
    shutil.rmtree(placed, ignore_errors=True)
    shutil.copytree(aside, placed)
    until(lambda: says(client) == {True})


def test_nobody_searches_and_it_is_noticed_within_seconds(serving, made, embedder, placed):
    client = serving(replace(served_of(made, embedder), index=str(placed)), reload_seconds=1000)
    assert client.get("/readyz").status_code == 200
    shutil.rmtree(placed)
    wanted = 503 if placed.name == "lance" else 200
    until(lambda: client.get("/readyz").status_code == wanted, 5)


def test_many_probes_are_one_search(serving, made, monkeypatch):
    searches = []
    search = Index.search
    monkeypatch.setattr(
        Index, "search", lambda self, *given, **named: searches.append(1) or search(self, *given, **named)
    )
    client = serving(reload_seconds=1000)
    for _ in range(50):
        assert client.get("/readyz").status_code == 200
    assert 1 <= len(searches) <= 10


def test_an_error_that_nobody_foresaw_is_no_readiness(serving, made, embedder, monkeypatch):
    client = serving(reload_seconds=1000)
    index = client.app.state.service.collection(None).live._index

    def broken(*given):
        raise ZeroDivisionError

    monkeypatch.setattr(index, "_search", broken)
    assert client.post("/v1/search", json=QUERY).status_code == 500
    assert client.get("/readyz").status_code == 503
    monkeypatch.undo()
    until(lambda: client.get("/readyz").status_code == 200)


def test_a_question_that_fits_no_index_says_nothing_of_this_one(serving):
    client = serving(reload_seconds=1000)
    assert client.post("/v1/search", json=QUERY | {"filter": "nobody=1"}).status_code == 422
    assert client.get("/readyz").status_code == 200


def test_a_write_that_is_taken_does_not_hide_that_searches_fail(serving, made, embedder):
    pytest.importorskip("lancedb")
    place = made.index.with_name("lance")
    fill(place, made, embedder)
    client = serving(replace(served_of(made, embedder), index=str(place)), reload_seconds=1000)
    live = client.app.state.service.collection(None).live
    cut(place)
    live.probe()
    assert live.trouble is not None
    live.call(lambda index: 0)
    assert live.trouble is not None
    with pytest.raises(Exception, match="damaged"):
        open_index(place).search(records_of(embedder, made.pictures)[0].vector[None], 1)


def test_a_backup_that_is_put_back_under_a_running_server_is_what_it_serves(serving, made, embedder, placed):
    record = records_of(embedder, made.pictures)[0]
    client = serving(replace(served_of(made, embedder), index=str(placed)), reload_seconds=0.05)

    def add(name: str) -> str:
        with open_index(placed) as index:
            index.add([replace(record, id=name, fields=record.fields | {"split": "late"})])
            return index.info().version

    def late() -> list[str]:
        answer = client.post("/v1/search", json=QUERY | {"filter": "split=late"})
        return [one["id"] for one in answer.json()["results"]] if answer.status_code == 200 else []

    shutil.copytree(placed, placed.with_name("backup"))
    version = add("before")
    until(lambda: late() == ["before"])
    shutil.rmtree(placed)
    shutil.copytree(placed.with_name("backup"), placed)
    assert add("after") == version
    until(lambda: late() == ["after"])
    until(lambda: says(client) == {True})
