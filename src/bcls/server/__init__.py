"""Search over HTTP: an API, and the page that uses it. Needs the extra `server`."""

from __future__ import annotations

from bcls.server.app import create_app
from bcls.server.embedder import Embedder
from bcls.server.running import serve, take_port
from bcls.server.served import Served
from bcls.server.settings import ServerSettings

__all__ = ["Embedder", "Served", "ServerSettings", "create_app", "serve", "take_port"]
