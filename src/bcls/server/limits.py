"""Refuses what is too large or takes too long, before and while it is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from bcls.server.problems import ProblemError, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


LARGEST_AT_ONCE = 16
"""As many bodies of the largest size are held at once, or more of smaller ones: memory is not a client's to fill."""
BUSY = "too many large requests are being answered; ask again in a moment"


class Limits:
    """Wraps an app.

    A body that is announced as too large is refused without a byte of it being read, and one that turns out too large
    as soon as it does; the connection is then closed. Where the bodies of all requests together are too much, another
    is asked to come later. A request that takes too long is given up.

    Args:
        app: the app.
        max_body_bytes: of a request.
        seconds: from the first byte of a request to the start of its answer.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._seconds = seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length[:20]) > self._max_body_bytes:
            await problem_response(self._too_large())(scope, receive, send)
            return
        started, taken = False, 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            size = len(message.get("body", b""))
            taken += size
            self._held += size
            if taken > self._max_body_bytes:
                problem = self._too_large()
                raise HTTPException(problem.status, problem.detail, problem.headers)
            if self._held > LARGEST_AT_ONCE * self._max_body_bytes:
                raise HTTPException(503, BUSY, {"Retry-After": "1", "Connection": "close"})
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                deadline.reschedule(None)  # a slow reader of a large answer is no fault
            await send(message)

        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                await self._app(scope, counted, sending)
        except TimeoutError:
            if started:
                raise
            late = ProblemError(504, f"no answer within {self._seconds:g} s", {"Connection": "close"})
            await problem_response(late)(scope, receive, send)
        finally:
            self._held -= taken

    def _too_large(self) -> ProblemError:
        return ProblemError(413, f"the body is larger than {self._max_body_bytes:,} bytes", {"Connection": "close"})
