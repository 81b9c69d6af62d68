"""What cannot be listened on is refused in words."""

from __future__ import annotations

import socket

import pytest

from bcls.errors import InputError
from bcls.server.running import serve


@pytest.mark.parametrize("port", [-1, 65_536, 100_000])
def test_a_port_that_there_cannot_be_is_refused(port):
    with pytest.raises(InputError, match=rf"--port {port}: a port is 0 .* to 65535"):
        serve(None, port=port)


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1:.*choose another"):
            serve(None, port=other.getsockname()[1])


def test_a_host_that_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"cannot listen on no-such-host\.invalid:0"):
        serve(None, host="no-such-host.invalid", port=0)
