"""A real server process: killed while it writes, stopped while it answers, fed with too much."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from bcls.search import Filter, open_index

from .conftest import WRITE_KEY, base64_of
from .process import running

MEGABYTE = 1 << 20


def ask(port: int, method: str, path: str, body: object = None, seconds: float = 30.0) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {WRITE_KEY}"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def noise(number: int, side: int = 48) -> bytes:
    held = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize("engine", [pytest.param("memory", marks=pytest.mark.slow), "lancedb"])
def test_killed_while_it_writes_it_keeps_all_that_it_acknowledged_and_nothing_half(collection, model, tmp_path, engine):
    place, pictures = collection(engine)
    acknowledged: list[str] = []
    sent: list[str] = []

    def post(port: int, worker: int) -> None:
        for number in range(1000):
            name = f"new-{worker}-{number}"
            sent.append(name)
            new = {"id": name, "image": base64_of(noise(100 * worker + number)), "captions": ["one", "two"]}
            try:
                status, _ = ask(port, "POST", "/v1/images", new)
            except (OSError, http.client.HTTPException):
                return
            if status == 201:
                acknowledged.append(name)

    with running(model, place, pictures, BCLS_WRITE_KEY=WRITE_KEY) as server:
        workers = [threading.Thread(target=post, args=(server.port, worker)) for worker in range(4)]
        for worker in workers:
            worker.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < 12 and time.monotonic() < deadline:
            time.sleep(0.005)
        server.kill()
        for worker in workers:
            worker.join()

    assert len(acknowledged) >= 12
    uploads = tmp_path / "index-uploads"
    with open_index(place) as index:
        for name in sent:
            there = index.count(Filter.parse(f"image={name}"))
            assert there == 3 if name in acknowledged else there in {0, 3}, name
            record = index.get([name])[0]
            if record is not None:
                Image.open(uploads / record.fields["file"].removeprefix("uploaded:")).load()
    with running(model, place, pictures, BCLS_WRITE_KEY=WRITE_KEY) as server:
        assert ask(server.port, "GET", f"/v1/images/{acknowledged[-1]}?size=thumbnail")[0] == 200
        found = json.loads(ask(server.port, "POST", "/v1/search", {"like": acknowledged[0], "k": 1})[1])["results"]
        assert found[0]["id"] == acknowledged[0]
        assert ask(server.port, "DELETE", f"/v1/images/{acknowledged[0]}")[0] == 200


def test_stopped_it_finishes_what_it_took(collection, model):
    place, pictures = collection("memory")
    answers: list[int] = []
    body = {"image": base64_of(noise(0, side=1400))}
    with running(model, place, pictures) as server:
        asking = [
            threading.Thread(target=lambda: answers.append(ask(server.port, "POST", "/v1/search", body)[0]))
            for _ in range(4)
        ]
        for thread in asking:
            thread.start()
        deadline = time.monotonic() + 30
        while b"bcls_requests_running 5.0" not in ask(server.port, "GET", "/metrics")[1] and not answers:
            assert time.monotonic() < deadline
        server.process.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join()
        assert server.process.wait(30) in {0, -signal.SIGTERM}
    assert answers == [200] * 4


def test_too_much_is_refused_early_and_never_held(collection, model):
    place, pictures = collection("memory")
    with running(model, place, pictures) as server:
        assert ask(server.port, "GET", "/healthz")[0] == 200
        before = server.memory()
        _, announced = _raw(server.port, b"Content-Length: 209715200\r\n", [])
        assert announced.startswith(b"HTTP/1.1 413")
        assert b"application/problem+json" in announced
        chunk = b"100000\r\n" + b" " * MEGABYTE + b"\r\n"
        sent, answer = _raw(server.port, b"Transfer-Encoding: chunked\r\n", [chunk] * 200)
        assert sent < 60 * MEGABYTE  # 10 are taken; what lies between is in the buffers of both sides
        assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
        assert ask(server.port, "POST", "/v1/search", {"text": "still here"})[0] == 200
        assert server.memory() - before < 48 * MEGABYTE


def _raw(port: int, header: bytes, chunks: list[bytes]) -> tuple[int, bytes]:
    """How much could be sent until the server had enough of it, and what came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        start = b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        connection.sendall(start + header + b"\r\n")
        sent = 0
        try:
            for chunk in chunks:
                connection.sendall(chunk)
                sent += len(chunk)
            return sent, connection.recv(65536)
        except OSError:
            return sent, b""
