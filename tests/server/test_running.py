"""What cannot be listened on is refused in words; what is logged is JSON, whoever logs it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from bcls.errors import InputError
from bcls.server.running import TakenPort, serve, take_port


@pytest.mark.parametrize("port", [-1, 65_536, 100_000])
def test_a_port_that_there_cannot_be_is_refused(port):
    with pytest.raises(InputError, match=rf"--port {port}: a port is 0 .* to 65535"):
        take_port(port=port)


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1:.*choose another"):
            take_port(port=other.getsockname()[1])


def test_a_port_that_another_process_listens_on_by_now_is_refused():
    first = take_port(port=0)
    with first.socket, take_port(port=first.port).socket as second:
        first.socket.listen()
        with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1:.*choose another"):
            serve(None, TakenPort("127.0.0.1", second))


@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("::1", "[::1]")])
def test_the_address_is_that_of_the_host_as_it_was_named(host, shown):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        assert TakenPort(host, one).address == f"http://{shown}:{one.getsockname()[1]}"


def test_a_host_that_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"cannot listen on no-such-host\.invalid:0"):
        take_port("no-such-host.invalid", 0)


LOGGING = """
import logging, warnings
from bcls.server.running import log_as_json
logging.basicConfig(format="%(message)s", level=logging.WARNING)
log_as_json()
for name in ("bcls.server", "bcls.search.index", "bcls", "uvicorn.error", "asyncio"):
    logging.getLogger(name).warning("of %s", name)
warnings.warn("of a library")
"""


def test_every_line_of_the_log_is_json_once():
    told = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True).stderr
    events = [json.loads(line)["event"] for line in told.splitlines()]
    assert events[:-1] == [
        f"of {name}" for name in ("bcls.server", "bcls.search.index", "bcls", "uvicorn.error", "asyncio")
    ]
    assert "of a library" in events[-1]
