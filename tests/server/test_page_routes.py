"""The page's files, and no others."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bcls.server.page_routes import KINDS, page_routes

FILES = {file.name: file.read_bytes() for file in resources.files("bcls.server").joinpath("page").iterdir()}
SHOWN = sorted(name for name in FILES if name.rpartition(".")[2] in KINDS)


@pytest.fixture(scope="module")
def page() -> TestClient:
    app = FastAPI()
    app.include_router(page_routes())
    return TestClient(app)


def address_of(name: str) -> str:
    return "/" if name == "index.html" else f"/{name}"


@pytest.mark.parametrize("name", SHOWN)
def test_each_file_comes_whole_with_its_kind(page, name):
    answer = page.get(address_of(name))
    assert (answer.status_code, answer.content) == (200, FILES[name])
    assert answer.headers["content-type"] == KINDS[name.rpartition(".")[2]]
    assert answer.headers["cache-control"] == "no-cache"


def test_who_has_it_already_is_not_sent_it_again(page):
    tags = {name: page.get(address_of(name)).headers["etag"] for name in SHOWN}
    assert len(set(tags.values())) == len(SHOWN)
    known = page.get("/main.js", headers={"If-None-Match": tags["main.js"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tags["main.js"])
    assert page.get("/main.js", headers={"If-None-Match": tags["style.css"]}).status_code == 200


def test_a_head_has_the_headers_alone(page):
    answer = page.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == page.get("/").headers["etag"]


def test_every_file_that_the_page_names_is_there(page):
    named = set(re.findall(r'(?:src|href)="([\w-]+\.\w+)"', FILES["index.html"].decode()))
    for name in SHOWN:
        if name.endswith(".js"):
            named |= set(re.findall(r'from "\./([\w-]+\.js)"', FILES[name].decode()))
    assert named >= {"main.js", "style.css", "icon.svg", "api.js"}
    for name in named:
        assert page.get(f"/{name}").status_code == 200, name


def test_every_file_of_the_folder_is_of_a_kind_that_is_shown():
    assert sorted(FILES) == SHOWN


@pytest.mark.parametrize(
    "address",
    [
        "/index.html",
        "/app.py",
        "/../app.py",
        "/%2e%2e/app.py",
        "/..%2fapp.py",
        "/page/main.js",
        "/MAIN.JS",
    ],
)
def test_nothing_else_is_given_out(page, address):
    assert page.get(address).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_taken(page, method):
    assert page.request(method, "/").status_code == 405


def test_the_api_does_not_describe_it(page):
    assert page.get("/openapi.json").json()["paths"] == {}
