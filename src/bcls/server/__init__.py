"""Search over HTTP: an API, and the page that uses it. Needs the extra `server`."""

from __future__ import annotations

from bcls.errors import MissingExtraError

try:
    import fastapi  # noqa: F401
    import httptools  # noqa: F401
    import prometheus_client  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError:
    raise MissingExtraError("the server", "server") from None

from bcls.server.app import create_app
from bcls.server.embedder import Embedder
from bcls.server.running import serve, take_port
from bcls.server.served import Served
from bcls.server.settings import ServerSettings

__all__ = ["Embedder", "Served", "ServerSettings", "create_app", "serve", "take_port"]
