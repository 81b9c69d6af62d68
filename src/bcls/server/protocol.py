"""HTTP as uvicorn speaks it, with an end to what comes before a request can be looked at."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bcls.server.problems import ProblemError, problem_response

MAX_HEAD_BYTES = 64 << 10


class BoundedHeads(HttpToolsProtocol):
    """Closes a connection on which a line, headers or trailers do not end: the parser would keep them, however long."""

    _held = 0

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        self._held += len(data)
        super().data_received(data)
        if self._held > MAX_HEAD_BYTES and not self.transport.is_closing():
            refusal = problem_response(ProblemError(431, f"the headers are larger than {MAX_HEAD_BYTES:,} bytes"))
            lines = [b"HTTP/1.1 431 Request Header Fields Too Large", b"connection: close"]
            lines += [name + b": " + value for name, value in refusal.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"", bytes(refusal.body)]))
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._held = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body has come, which the app takes or refuses."""
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has ended."""
        self._held = 0
        super().on_message_complete()
