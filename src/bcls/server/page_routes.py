"""The page: a few files of this package, read once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

from fastapi import APIRouter, Request, Response

from bcls.server.thumbnails import tag_of

KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def page_routes() -> APIRouter:
    """`/` and the files that it names. The set of files is closed: a request picks one or none."""
    routes = APIRouter(include_in_schema=False)
    for entry in resources.files("bcls.server").joinpath("page").iterdir():
        kind = KINDS.get(entry.name.rpartition(".")[2])
        if kind is not None:
            address = "/" if entry.name == "index.html" else f"/{entry.name}"
            routes.add_api_route(address, _answer(entry.read_bytes(), kind), methods=["GET", "HEAD"])
    return routes


def _answer(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    headers = {"ETag": tag_of(content), "Cache-Control": "no-cache", "Content-Type": kind}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers)

    return answer
