"""Runs an app until it is told to stop."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from bcls.errors import InputError
from bcls.server.logs import JsonLines
from bcls.server.protocol import BoundedHeads


def serve(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    stop_seconds: float = 10.0,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests that were taken.

    Args:
        app: of `create_app`.
        host: where to listen; the default is reached from this machine alone.
        port: 0 = any that is free.
        stop_seconds: how long to wait for requests that were taken.
        ready: told the address once it is listened on.

    Raises:
        InputError: the address cannot be listened on.
    """
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{listener.getsockname()[1]}")
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
    uvicorn.Server(config).run(sockets=[listener])


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


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 1 << 16:  # some systems would take the remainder
        raise InputError(f"--port {port}: a port is 0 (any that is free) to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}:{port} ({error}); choose another --host or --port") from None
    return listener
