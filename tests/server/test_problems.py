"""Errors as a client sees them."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

from bcls.errors import InputError, MissingExtraError
from bcls.search import EngineUnavailableError, WriteFailedError
from bcls.search.errors import IndexDamagedError, IndexMissingError
from bcls.server.problems import (
    MEDIA_TYPE,
    ProblemBody,
    ProblemError,
    UnavailableError,
    explain_problems,
    problem_answers,
    problem_response,
)

UNREADABLE = "the index cannot be read now; the server's log says why"


class Asked(BaseModel):
    """A body with four numbers."""

    a: int
    b: int
    c: int
    d: int


@pytest.fixture
def ask():
    """Answers of an app in which this error happens."""

    def with_error(error):
        app = FastAPI()
        explain_problems(app)

        @app.get("/")
        def fails():
            raise error

        @app.post("/asked")
        def takes(asked: Asked):
            return asked

        return TestClient(app, raise_server_exceptions=False)

    return with_error


@pytest.mark.parametrize(
    ("error", "status", "title", "detail"),
    [
        (ProblemError(404, "no such picture"), 404, "Not Found", "no such picture"),
        (UnavailableError("too many wait"), 503, "Service Unavailable", "too many wait"),
        (InputError("k is 0"), 422, "Unprocessable", "k is 0"),
        (IndexDamagedError("/srv/index: damaged"), 503, "Service Unavailable", UNREADABLE),
        (IndexMissingError("/srv/index: no index"), 503, "Service Unavailable", UNREADABLE),
        (EngineUnavailableError("no route"), 503, "Service Unavailable", "the index does not answer now: no route"),
        (WriteFailedError("disk full"), 507, "Insufficient Storage", "not written: disk full"),
        (HTTPException(405, "not so"), 405, "Method Not Allowed", "not so"),
    ],
)
def test_each_foreseen_error_has_its_status_and_words(ask, error, status, title, detail):
    answer = ask(error).get("/")
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert body.keys() == ProblemBody.model_fields.keys()
    assert body["title"].startswith(title)
    assert (body["status"], body["detail"]) == (status, detail)


@pytest.mark.parametrize("error", [UnavailableError("later"), EngineUnavailableError("later")])
def test_what_passes_says_when_to_ask_again(ask, error):
    assert ask(error).get("/").headers["retry-after"] == "1"


def test_headers_of_a_refusal_are_sent(ask):
    error = ProblemError(401, "who?", {"WWW-Authenticate": "Bearer"})
    assert ask(error).get("/").headers["www-authenticate"] == "Bearer"
    assert ask(HTTPException(405, "no", {"Allow": "GET"})).get("/").headers["allow"] == "GET"


def test_an_address_that_there_is_not_is_a_problem_too(ask):
    answer = ask(None).get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.json()["detail"] == "Not Found"


@pytest.mark.parametrize("error", [RuntimeError("secret"), MissingExtraError("this", "fast")])
def test_what_was_not_foreseen_is_told_to_nobody(ask, error):
    answer = ask(error).get("/")
    assert answer.status_code == 500
    assert str(error) not in answer.text


def test_the_first_three_wrong_fields_are_told_with_their_place(ask):
    answer = ask(None).post("/asked", json={"a": "x"})
    assert answer.status_code == 422
    told = answer.json()["detail"].split("; ")
    assert [part.split(":")[0] for part in told] == ["body.a", "body.b", "body.c"]
    assert told[1] == "body.b: Field required"


def test_what_is_no_text_does_not_break_the_answer():
    body = json.loads(problem_response(ProblemError(422, "no 'a\ud800'")).body)
    assert body["detail"] == "no 'a?'"


def test_the_description_of_problems_names_each_status():
    told = problem_answers(404, 503)
    assert [told[status]["description"] for status in (404, 503)] == ["Not Found", "Service Unavailable"]
    schema = told[404]["content"][MEDIA_TYPE]["schema"]
    assert schema == {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}
