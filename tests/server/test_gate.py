"""What every answer carries, and whom the server does not answer."""

from __future__ import annotations

import json
import logging

import pytest

from bcls.server.logs import JsonLines

PATHS = ["/", "/healthz", "/v1/collections", "/v1/images/red-0", "/nothing", "/v1/images/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_security_headers_are_on_every_answer(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 16
    assert "access-control-allow-origin" not in client.get(path, headers={"Origin": "http://elsewhere.example"}).headers


def test_cors_only_where_it_is_wanted(serving):
    client = serving(cors_origins=("http://friend.example",))
    for origin, allowed in (("http://friend.example", "http://friend.example"), ("http://foe.example", None)):
        answer = client.get("/healthz", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed

    asks = {"Origin": "http://friend.example", "Access-Control-Request-Method": "POST"}
    asks["Access-Control-Request-Headers"] = "content-type,authorization"
    assert client.options("/v1/search", headers=asks).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8000", 200),
        ("[::1]:8000", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("", 421),
    ],
)
def test_only_known_hosts_are_answered(client, host, status):
    assert client.get("/healthz", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("::", "[::]:8000"),
        ("fe80::1", "[FE80::1]"),
        ("[fe80::1]", "[fe80::1]:80"),
        ("Pictures.example", "pictures.example"),
        ("pictures.example:8000", "pictures.example:8000"),
    ],
)
def test_a_host_is_known_however_it_was_written(serving, allowed, host):
    client = serving(allowed_hosts=(allowed,))
    assert client.get("/healthz", headers={"Host": host}).status_code == 200
    for other in ("[::2]:8000", "evil.example:8000", "[", "", ":", "::ffff"):
        assert client.get("/healthz", headers={"Host": other}).status_code == 421


def test_any_host_where_that_is_wanted(serving):
    assert serving(allowed_hosts=("*",)).get("/healthz", headers={"Host": "any.example"}).status_code == 200


def test_the_log_has_one_line_a_request_and_not_what_was_asked(client, caplog):
    with caplog.at_level(logging.INFO, "bcls.server"):
        answer = client.post("/v1/search", json={"text": "something secret"})
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.message == "request"]
    (line,) = lines
    assert line["route"] == "/v1/search"
    assert line["status"] == 200
    assert line["id"] == answer.headers["x-request-id"]
    assert "secret" not in json.dumps(lines)


def test_an_unforeseen_error_is_logged_and_its_insides_are_not_told(client, monkeypatch, caplog):
    service = client.app.state.service
    monkeypatch.setattr(service, "found", lambda *_: 1 / 0)
    answer = client.post("/v1/search", json={"text": "red"})
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert any(record.exc_info for record in caplog.records)
