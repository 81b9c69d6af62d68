"""Whatever comes in, the answer is no 5xx and looks as the OpenAPI document says."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcls.server import ServerSettings, create_app

from .conftest import WRITE_KEY, served_of

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(["text", "image", "like", "k", "kind", "filter", "collection", "id", "captions", "split", "x"])
PATHS = st.sampled_from(["/v1/search", "/v1/explain", "/v1/images"])
TOKEN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1, max_size=12)
HEADERS = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Type", "Accept", "If-None-Match", "Range", "X-Forwarded-Host", "Origin"])
    | TOKEN.filter(str.isalpha),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(path=PATHS, body=st.dictionaries(NAMES, ANYTHING, max_size=5) | ANYTHING)
def test_any_json(writer, path, body):
    answer = writer.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert answer.json()["status"] == answer.status_code


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(
    path=PATHS, body=st.binary(max_size=60), kind=st.sampled_from(["application/json", "text/plain", "image/png", ""])
)
def test_any_bytes(writer, path, body, kind):
    assert writer.post(path, content=body, headers={"Content-Type": kind}).status_code < 500


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(headers=HEADERS, path=st.sampled_from(["/", "/v1/images/red-0", "/v1/collections", "/metrics"]))
def test_any_headers(client, headers, path):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert client.get(path, headers=raw).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"k": ' + b"9" * 5000 + b"}",
        b'{"text": "\\ud800"}',
        b"\xff\xfe",
        b'{"k": NaN}',
        b'{"k": 1e999}',
        b"",
    ],
    ids=["deep", "long number", "half a pair", "no UTF-8", "NaN", "infinite", "empty"],
)
def test_json_that_breaks_parsers(writer, body):
    for path in ("/v1/search", "/v1/explain", "/v1/images"):
        answer = writer.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, (path, answer.text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation", ["/v1/search", "/v1/explain", "/v1/images", "/v1/images/{image_id}", "/v1/collections"]
)
def test_schemathesis(made, embedder, operation):
    schemathesis = pytest.importorskip("schemathesis")
    app = create_app([served_of(made, embedder)], ServerSettings(write_key=WRITE_KEY, allowed_hosts=("*",)))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app).include(path=operation)
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]

    for found in schema.get_all_operations():
        _fuzz(found.ok(), checks)


def _fuzz(operation, checks) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def whatever(case):
        case.call_and_validate(checks=checks, headers={"Authorization": f"Bearer {WRITE_KEY}"})

    whatever()
