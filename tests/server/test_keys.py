"""Who may do what."""

from __future__ import annotations

import pytest

from bcls.errors import InputError
from bcls.server import ServerSettings

from .conftest import READ_KEY, WRITE_KEY, base64_of, picture_bytes


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_a_write_key_nobody_writes(client):
    new = {"image": base64_of(picture_bytes())}
    assert client.post("/v1/images", json=new, headers=bearer(WRITE_KEY)).status_code == 403
    assert client.delete("/v1/images/red-0", headers=bearer(WRITE_KEY)).status_code == 403


@pytest.mark.parametrize(
    "headers", [{}, bearer(READ_KEY), bearer(WRITE_KEY + "x"), bearer(""), {"Authorization": WRITE_KEY}]
)
def test_only_the_write_key_writes(serving, headers):
    client = serving(write_key=WRITE_KEY, read_key=READ_KEY)
    answer = client.delete("/v1/images/red-0", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/images/red-0", headers=bearer(READ_KEY)).status_code == 200


def test_a_read_key_closes_reading_but_not_the_page_and_the_probes(serving):
    client = serving(write_key=WRITE_KEY, read_key=READ_KEY)
    for path in ("/v1/collections", "/v1/images/red-0"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer(READ_KEY)).status_code == 200
        assert client.get(path, headers=bearer(WRITE_KEY)).status_code == 200
    assert client.post("/v1/search", json={"text": "red"}).status_code == 401
    assert client.post("/v1/explain", json={"text": "red", "id": "red-0"}).status_code == 401
    for path in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("key", ["short", "with a space inside it", "schlüssel-schlüssel-schlüssel"])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(InputError, match="write_key"):
        ServerSettings(write_key=key)


def test_keys_are_not_shown():
    assert WRITE_KEY not in repr(ServerSettings(write_key=WRITE_KEY))
