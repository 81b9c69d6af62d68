"""Who may read and who may write."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import Request
from fastapi.security import HTTPBearer

from bcls.server.problems import ProblemError

Guard = Callable[[Request], None]
bearer = HTTPBearer(auto_error=False, description="a key of the server: `Authorization: Bearer KEY`")


def reading_guard(read_key: str | None, write_key: str | None) -> Guard:
    """Lets pass who shows either key; everybody where no read key is set."""

    def guard(request: Request) -> None:
        if read_key is not None:
            _require(request, [key for key in (read_key, write_key) if key is not None])

    return guard


def writing_guard(write_key: str | None) -> Guard:
    """Lets pass who shows the write key; nobody where none is set."""

    def guard(request: Request) -> None:
        if write_key is None:
            raise ProblemError(403, "this server does not write: it was started without a write key")
        _require(request, [write_key])

    return guard


def _require(request: Request, keys: list[str]) -> None:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    given = shown.strip().encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(given, key.encode()) for key in keys]  # each in constant time, and always all
    if kind.lower() != "bearer" or not any(matches):
        raise ProblemError(401, "a key is needed: send `Authorization: Bearer KEY`", {"WWW-Authenticate": "Bearer"})
