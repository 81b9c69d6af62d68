"""The app as a whole: what it is made of, what it describes, what it does when it starts and stops."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bcls.errors import InputError
from bcls.server import ServerSettings, create_app
from bcls.server.problems import MEDIA_TYPE

from .conftest import COLOURS, base64_of, picture_bytes, served_of


@pytest.mark.parametrize("names", [(), ("one", "one"), ("one", "two", "one")])
def test_nothing_to_serve_or_a_name_twice_is_refused(made, embedder, names):
    with pytest.raises(InputError, match="at least one model with an index, each under a name of its own"):
        create_app([served_of(made, embedder, name) for name in names])


def test_an_index_that_is_not_there_is_refused(made, embedder, tmp_path):
    with pytest.raises(InputError, match=r"nowhere: no index is there"):
        create_app([replace(served_of(made, embedder), index=str(tmp_path / "nowhere"))])


def test_without_settings_it_has_the_defaults(made, embedder):
    app = create_app([served_of(made, embedder)])
    with TestClient(app, base_url="http://localhost") as client:
        state = client.get("/v1/collections").json()
        assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 421
    defaults = ServerSettings()
    assert (state["max_k"], state["max_body_bytes"], state["writing"]) == (
        defaults.max_k,
        defaults.max_body_bytes,
        False,
    )


def test_the_openapi_document_tells_problems(client):
    document = client.get("/openapi.json").json()
    assert "ProblemBody" in document["components"]["schemas"]
    search = document["paths"]["/v1/search"]["post"]["responses"]
    assert set(search) >= {"200", "401", "413", "422", "503"}
    assert "ValidationError" not in str(document)


def test_every_answer_that_the_document_describes_is_a_problem_or_a_success(client):
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, told in methods.items():
            for status, answer in told["responses"].items():
                assert int(status) < 400 or list(answer["content"]) == [MEDIA_TYPE], (path, method, status)


def test_no_page_of_another_maker_is_served(client):
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_beyond_the_limit_is_refused(serving, declared):
    client = serving(max_body_bytes=1000)
    client.headers["Content-Type"] = "application/json"
    body = b'{"text": "' + b"a" * 400 + b'"}'
    assert client.post("/v1/search", content=body).status_code == 200
    long = body + b" " * 1000
    answer = client.post("/v1/search", content=long if declared else iter([long[:900], long[900:]]))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_stopping_closes_the_indexes_and_ends_all_threads(made, embedder):
    before = set(threading.enumerate())
    app = create_app([served_of(made, embedder)], ServerSettings())
    closed = []
    with TestClient(app, base_url="http://127.0.0.1") as client:
        index = app.state.service.collection(None).live._index
        index.close = lambda: closed.append(True)
        client.post("/v1/search", json={"image": base64_of(picture_bytes())})
        client.get("/v1/images/red-0?size=thumbnail")
        assert {"bcls-model_0", "bcls-search_0"} <= {thread.name for thread in threading.enumerate()}
    assert closed == [True]
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("bcls")]
    assert left == []


def test_a_start_removes_no_file_whether_a_record_names_it_or_not(writer, serving, made):
    new = {"id": "kept", "image": base64_of(picture_bytes("yellow"))}
    assert writer.post("/v1/images", json=new).status_code == 201
    (made.uploads / f"{'a' * 64}.jpg").write_bytes(b"x")
    before = {file.name for file in made.uploads.iterdir()}
    for file in made.uploads.iterdir():
        os.utime(file, (time.time() - 7200,) * 2)
    again = serving()
    assert again.get("/v1/images/kept").status_code == 200
    assert {file.name for file in made.uploads.iterdir()} == before


def test_all_routes_are_there(client):
    assert isinstance(client.app, FastAPI)
    for path in ("/", "/healthz", "/readyz", "/metrics", "/v1/collections", "/v1/images/red-0"):
        assert client.get(path).status_code == 200, path
    assert client.get("/v1/collections").json()["collections"][0]["records"] == 6 * len(COLOURS)
