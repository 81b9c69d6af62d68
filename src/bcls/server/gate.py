"""The outermost layer: whom the server answers, what every answer carries, and what is written down about it."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from starlette.datastructures import MutableHeaders

from bcls.ids import control_character
from bcls.server.problems import ProblemError, problem_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bcls.server.metrics import Metrics

logger = logging.getLogger("bcls.server")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NOT_EXACT = "nothing has an address with control characters, or with bytes that are not UTF-8"
METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}


class Gate:
    """Wraps an app.

    A request for another host name is refused, so that a page elsewhere cannot reach this server by pointing a name
    of its own at it. Every answer gets security headers and an id; every request becomes one line of the log (never
    what was asked) and a count.

    Args:
        app: the app.
        hosts: names under which it answers, without ports; `*` = any.
        metrics: told about every answer.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], metrics: Metrics) -> None:
        self._app = app
        self._hosts = {_bare(host) for host in hosts}
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, started, name = time.perf_counter(), 500, False, uuid.uuid4().hex[:16]

        async def sending(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = name
                for header, value in HEADERS.items():
                    headers.setdefault(header, value)
            await send(message)

        try:
            with self._metrics.running.track_inprogress():
                refusal = self._refusal(scope)
                if refusal is None:
                    await self._app(scope, receive, sending)
                else:
                    await problem_response(refusal)(scope, receive, sending)
        except Exception:  # nobody foresaw it: it is written down, and its insides are not told
            logger.exception("unforeseen", extra={"id": name})
            if started:
                raise
            hidden = ProblemError(500, f"something went wrong inside the server; its log says what, under {name}")
            await problem_response(hidden)(scope, receive, sending)
        finally:
            self._note(scope, status, time.perf_counter() - start, name)

    def _refusal(self, scope: Scope) -> ProblemError | None:
        if not self._knows_host(scope):
            return ProblemError(421, "this server does not answer under that host name (--allowed_hosts)")
        return None if _is_exact(scope) else ProblemError(404, NOT_EXACT)

    def _knows_host(self, scope: Scope) -> bool:
        host = next((value for header, value in scope["headers"] if header == b"host"), b"").decode("latin-1")
        return "*" in self._hosts or _bare(host) in self._hosts

    def _note(self, scope: Scope, status: int, seconds: float, name: str) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        about = {"id": name, "method": method, "route": route, "status": status, "ms": round(1000 * seconds, 2)}
        logger.info("request", extra=about)


def _is_exact(scope: Scope) -> bool:
    """Whether a request's path means one thing only.

    The routes' regular expressions end in `$`, which matches before a line break too, and bytes that are not UTF-8
    have become U+FFFD in the path: without this check `victim%0A` would be `victim`.
    """
    try:
        unquote_to_bytes(scope.get("raw_path") or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return control_character(scope["path"]) is None


def _bare(host: str) -> str:
    """A host without its port, and an address of IPv6 without its brackets: some have them and some have not."""
    name = host.lower()
    if name.startswith("[") and "]" in name:
        return name[1 : name.index("]")]
    return name if name.count(":") > 1 else name.partition(":")[0]
