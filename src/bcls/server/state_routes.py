"""`/healthz`, `/readyz`, `/metrics` and `GET /v1/collections`: how the server is, and what it offers."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from bcls.server.collection import Collection
from bcls.server.keys import bearer, reading_guard
from bcls.server.messages import CollectionState, ServerState
from bcls.server.problems import UnavailableError, problem_answers
from bcls.server.service import Service

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def state_routes(service: Service) -> APIRouter:
    """The routes."""
    settings = service.settings
    routes = APIRouter(tags=["state"])

    @routes.get("/healthz")
    async def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "alive"}

    @routes.get("/readyz", responses=problem_answers(503))
    async def ready() -> JSONResponse:
        """Every index answers searches; send requests here."""
        away = [name for name, is_ready in (await service.ready()).items() if not is_ready]
        if away:
            raise UnavailableError(f"the index does not answer now: {', '.join(away)}")
        return JSONResponse(dict.fromkeys(service.collections, True))

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Counters for Prometheus."""
        await service.ready()
        return Response(service.metrics.text(), media_type=PROMETHEUS)

    @routes.get(
        "/v1/collections",
        response_model=ServerState,
        dependencies=[Depends(bearer), Depends(reading_guard(settings.read_key, settings.write_key))],
        responses=problem_answers(401),
    )
    async def collections() -> JSONResponse:
        """What can be searched, and within which limits."""
        ready = await service.ready()
        state = ServerState(
            collections=[_state(one, ready=ready[name]) for name, one in service.collections.items()],
            writing=settings.write_key is not None,
            max_k=settings.max_k,
            max_query_characters=settings.max_query_characters,
            max_body_bytes=settings.max_body_bytes,
        )
        return JSONResponse(state.model_dump())

    return routes


def _state(collection: Collection, *, ready: bool) -> CollectionState:
    info = collection.live.info
    return CollectionState(
        name=collection.name,
        ready=ready,
        records=0 if info is None else info.count,
        dim=collection.embedder.dim,
        version=collection.version,
        engine="" if info is None else info.engine,
        exact=info is not None and info.exact,
        takes_pictures=collection.embedder.takes_pictures,
        fields={} if info is None else dict(info.fields),
    )
