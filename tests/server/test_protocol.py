"""Heads of requests that do not end, and those that are merely long."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest
import uvicorn
from fastapi import FastAPI, Request

from bcls.server.protocol import MAX_HEAD_BYTES, BoundedHeads

START = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def port():
    app = FastAPI()

    @app.post("/")
    async def size(request: Request) -> int:
        return len(await request.body())

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedHeads, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(20)


def say(port: int, *parts: bytes) -> tuple[int, bytes]:
    """How many parts could be sent, and what came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        sent = 0
        try:
            for part in parts:
                connection.sendall(part)
                sent += 1
        except OSError:
            return sent, b""
        answer = b""
        while chunk := _received(connection):
            answer += chunk
        return sent, answer


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


@pytest.mark.parametrize(
    "start",
    [b"GET /", START + b"X-Long: ", START + b"X", START + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: "],
    ids=["address", "header", "name of a header", "trailer"],
)
def test_what_does_not_end_is_not_kept(port, start):
    sent, answer = say(port, start, *([b"a" * (1 << 20)] * 100))
    assert sent < 50  # some is in the buffers of both sides
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_too_long_a_head_is_a_problem(port):
    _, answer = say(port, START + b"X-Long: " + b"a" * MAX_HEAD_BYTES)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["detail"] == "the headers are larger than 65,536 bytes"


def test_a_long_head_a_large_body_and_many_requests_on_a_connection_are_taken(port):
    head = START + b"X-Long: " + b"a" * (MAX_HEAD_BYTES - 1000) + b"\r\n"
    request = head + b"Content-Length: 300000\r\n\r\n" + b"b" * 300_000
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(5):
            connection.sendall(request)
            time.sleep(0.05)
            assert connection.recv(65536).endswith(b"300000")
