"""Runs an app until it is told to stop."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from bcls.errors import InputError
from bcls.server.logs import JsonLines
from bcls.server.protocol import BoundedHeads


@dataclass(frozen=True)
class TakenPort:
    """A port that is this process's own.

    Args:
        host: as a person named it.
        socket: bound to it.
    """

    host: str
    socket: socket.socket

    @property
    def port(self) -> int:
        """Its number."""
        number: int = self.socket.getsockname()[1]
        return number

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def take_port(host: str = "127.0.0.1", port: int = 8000) -> TakenPort:
    """An address to serve on, taken before anything is loaded: one that cannot be had is known at once.

    Nobody is heard yet; `serve` begins to listen.

    Args:
        host: the default is reached from this machine alone.
        port: 0 = any that is free.

    Raises:
        InputError: the address cannot be had.
    """
    if not 0 <= port < 1 << 16:  # some systems would take the remainder
        raise InputError(f"--port {port}: a port is 0 (any that is free) to 65535")
    with _refusing(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    return TakenPort(host, bound)


def serve(app: FastAPI, taken: TakenPort, *, stop_seconds: float = 10.0, ready: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests that were taken.

    Args:
        app: of `create_app`.
        taken: of `take_port`.
        stop_seconds: how long to wait for requests that were taken.
        ready: told the address once it is listened on.

    Raises:
        InputError: another process listens there by now.
    """
    with _refusing(taken.host, taken.port):
        taken.socket.listen(2048)
    ready(taken.address)
    log_as_json()
    config = uvicorn.Config(
        app,
        http=BoundedHeads,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(stop_seconds),
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run(sockets=[taken.socket])


def log_as_json() -> None:
    """Write the log of the server, and of whatever it works with, to standard error: one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.captureWarnings(capture=True)
    for name in ("bcls", "uvicorn", "asyncio", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


@contextmanager
def _refusing(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}:{port} ({error}); choose another --host or --port") from None
