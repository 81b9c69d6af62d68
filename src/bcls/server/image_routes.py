"""`GET`, `POST` and `DELETE /v1/images`."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathPart
from fastapi.responses import JSONResponse

from bcls.server.keys import bearer, reading_guard, writing_guard
from bcls.server.messages import Added, Deleted, Name, NewImage
from bcls.server.pictures import shown
from bcls.server.problems import ProblemError, problem_answers
from bcls.server.service import Service
from bcls.server.thumbnails import tag_of
from bcls.server.writing import add_image, delete_image

PICTURE_HEADERS = {"Cache-Control": "private, max-age=60", "Content-Security-Policy": "default-src 'none'; sandbox"}
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {"description": "the picture", "content": {"image/*": {}}},
    304: {"description": "not changed"},
}
Shown: TypeAlias = tuple[bytes, str | None, str]
"""Content, media type (None = none that is shown) and ETag."""

ImageId = Annotated[Name, PathPart(description="the id of a picture in the index")]


def image_routes(service: Service) -> APIRouter:
    """The routes."""
    settings = service.settings
    reads = Depends(reading_guard(settings.read_key, settings.write_key))
    writes = Depends(writing_guard(settings.write_key))
    routes = APIRouter(prefix="/v1/images", tags=["images"], dependencies=[Depends(bearer)])

    @routes.get(
        "/{image_id:path}",
        dependencies=[reads],
        response_class=Response,
        responses=PICTURES | problem_answers(401, 404, 422, 503, 504),
    )
    async def picture(
        request: Request,
        image_id: ImageId,
        size: Literal["thumbnail", "full"] = "full",
        collection: Name | None = None,
    ) -> Response:
        """The picture of an id, whole or small."""
        asked = service.collection(collection)
        record = await service.record(image_id, asked)
        path = service.files[asked.name].find(str(record.fields["file"]))
        if path is None:
            raise ProblemError(404, "there is no picture file for that id")
        try:
            content, media_type, tag = await (_small(service, path) if size == "thumbnail" else _whole(service, path))
        except OSError:  # gone since, or not to be read
            raise ProblemError(404, "there is no picture file for that id") from None
        if media_type is None:
            raise ProblemError(404, "the file for that id is no picture that can be shown")
        headers = PICTURE_HEADERS | {"ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    @routes.post(
        "",
        status_code=201,
        dependencies=[writes],
        response_model=Added,
        responses=problem_answers(400, 401, 403, 404, 409, 413, 422, 503, 504, 507),
    )
    async def add(new: NewImage) -> JSONResponse:
        """Add a picture with captions. An answer means that it is there to stay; without one it may or may not be."""
        collection = service.collection(new.collection)
        name = new.id or hashlib.sha256(new.image).hexdigest()[:32]
        await add_image(collection, service.files[collection.name], name, new)
        answer = Added(id=name, collection=collection.name, version=collection.version)
        return JSONResponse(answer.model_dump(), 201)

    @routes.delete(
        "/{image_id:path}",
        dependencies=[writes],
        response_model=Deleted,
        responses=problem_answers(401, 403, 404, 422, 503, 504, 507),
    )
    async def delete(image_id: ImageId, collection: Name | None = None) -> JSONResponse:
        """Take a picture and its captions out of the index; a file that came in by request is removed."""
        asked = service.collection(collection)
        record = await service.record(image_id, asked)
        records = await delete_image(asked, service.files[asked.name], record)
        answer = Deleted(id=image_id, collection=asked.name, records=records, version=asked.version)
        return JSONResponse(answer.model_dump())

    return routes


async def _small(service: Service, path: Path) -> Shown:
    content = await service.thumbnails.of(path)
    return content, "image/jpeg", tag_of(content)


async def _whole(service: Service, path: Path) -> Shown:
    def read() -> Shown:
        with path.open("rb") as file:
            content, media_type = shown(file, max_pixels=service.settings.max_pixels) or (b"", None)
        return content, media_type, tag_of(content)

    return await asyncio.to_thread(read)
