"""The app: routes, layers, and what happens when it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from bcls.server.gate import Gate
from bcls.server.image_routes import image_routes
from bcls.server.limits import Limits
from bcls.server.page_routes import page_routes
from bcls.server.problems import ProblemBody, explain_problems
from bcls.server.search_routes import search_routes
from bcls.server.served import Served
from bcls.server.service import Service
from bcls.server.settings import ServerSettings
from bcls.server.state_routes import state_routes


def create_app(served: Sequence[Served], settings: ServerSettings | None = None) -> FastAPI:
    """An ASGI app that searches, and serves the page.

    Args:
        served: models with their indexes; the first is the default.
        settings: limits and keys; None = the defaults.

    Raises:
        InputError: nothing to serve, or an index that cannot be used.
    """
    settings = settings or ServerSettings()
    service = Service(served, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = [asyncio.create_task(one.watch()) for one in service.collections.values()]
        try:
            yield
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await asyncio.to_thread(service.close)

    app = FastAPI(
        title="BCLS search",
        summary="Finds pictures by words or by a picture.",
        version="1",
        lifespan=lifespan,
        docs_url=None,  # the usual pages load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    explain_problems(app)
    for routes in (search_routes(service), image_routes(service), state_routes(service), page_routes()):
        app.include_router(routes)
    _describe_problems(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization"],
        )
    app.add_middleware(Limits, max_body_bytes=settings.max_body_bytes, seconds=settings.request_seconds)
    app.add_middleware(Gate, hosts=settings.allowed_hosts, metrics=service.metrics)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the shape of problems into the OpenAPI document in place of FastAPI's own."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        schemas = document["components"]["schemas"]
        schemas["ProblemBody"] = ProblemBody.model_json_schema()
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
