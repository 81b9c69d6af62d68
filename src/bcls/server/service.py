"""What all routes share: the collections by name, their picture files, the thumbnails, the limits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from bcls.errors import InputError
from bcls.search import EngineUnavailableError, Filter, Hit, Record
from bcls.search.filters import Condition
from bcls.server.collection import Collection
from bcls.server.messages import Found, Query
from bcls.server.metrics import Metrics
from bcls.server.picture_files import PictureFiles
from bcls.server.problems import ProblemError
from bcls.server.served import Served
from bcls.server.settings import ServerSettings
from bcls.server.thumbnails import Thumbnails

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Service:
    """The state of one server.

    Args:
        served: what it serves; the first is the default.
        settings: limits.

    Raises:
        InputError: nothing to serve, a name twice, an index that cannot be used, or an uploads folder that belongs to
            another index.
    """

    def __init__(self, served: Sequence[Served], settings: ServerSettings) -> None:
        if not served or len({one.name for one in served}) != len(served):
            raise InputError("a server needs at least one model with an index, each under a name of its own")
        self.settings = settings
        self.metrics = Metrics()
        self.thumbnails = Thumbnails(
            side=settings.thumbnail_side, max_pixels=settings.max_pixels, room=settings.thumbnail_bytes
        )
        self.collections = {one.name: Collection(one, settings, self.metrics) for one in served}
        self.files = {one.name: PictureFiles(one.pictures, one.uploads) for one in served}
        self.default = served[0].name
        for one in served:
            self._check_uploads(one)

    def collection(self, name: str | None) -> Collection:
        """A collection by name; None = the first.

        Raises:
            ProblemError: 404, there is none of that name.
        """
        found = self.collections.get(self.default if name is None else name)
        if found is None:
            raise ProblemError(404, f"no collection of that name; there are: {', '.join(self.collections)}")
        return found

    async def vector(self, query: Query, collection: Collection) -> NDArray[np.float32]:
        """The vector of a query.

        Raises:
            ProblemError: not exactly one thing is looked for, a text that is empty or too long, or an unknown id.
            InputError: a picture that cannot be read.
        """
        given = [name for name in ("text", "image", "like") if getattr(query, name) is not None]
        if len(given) != 1:
            raise ProblemError(422, "look for exactly one of: text, image (a file in base64), like (an id)")
        if query.text is not None:
            return await collection.embed_text(self._text(query.text))
        if query.image is not None:
            return await collection.embed_picture(query.image)
        return (await self.record(query.like or "", collection)).vector

    async def record(self, name: str, collection: Collection) -> Record:
        """The record of an id.

        Raises:
            ProblemError: 404, there is none.
        """
        record = await collection.get(name)
        if record is None:
            raise ProblemError(404, "nothing of that id is in the index")
        return record

    async def ready(self) -> dict[str, bool]:
        """Of each collection: whether a search in it would be answered now."""
        answers = await asyncio.gather(*(collection.ready() for collection in self.collections.values()))
        return dict(zip(self.collections, answers, strict=True))

    def found(self, hit: Hit, rank: int, collection: Collection) -> Found:
        """A hit as the API tells it."""
        fields = hit.fields
        image = str(fields["image"] or hit.id)
        address = f"/v1/images/{quote(image, safe='')}" if fields["file"] else None
        if address is not None and collection.name != self.default:
            address += "?" + urlencode({"collection": collection.name})
        captions = [line for line in str(fields["text"]).split("\n") if line]
        return Found(rank=rank, id=hit.id, score=hit.score, captions=captions, image=address, fields=dict(fields))

    def close(self) -> None:
        """Finish what runs, then let go of threads and indexes."""
        for collection in self.collections.values():
            collection.close()
        self.thumbnails.close()

    def _check_uploads(self, served: Served) -> None:
        files, live = self.files[served.name], self.collections[served.name].live
        writing = self.settings.write_key is not None
        try:
            live.call(lambda index: files.check(index, chosen=served.uploads_chosen, writing=writing))
        except EngineUnavailableError:  # it is looked at when the first image comes in
            return

    def _text(self, text: str) -> str:
        text = " ".join(text.split())
        if not text:
            raise ProblemError(422, "text: the query is empty")
        if len(text) > self.settings.max_query_characters:
            raise ProblemError(
                422,
                f"text: the query has {len(text)} characters; at most {self.settings.max_query_characters} are taken",
            )
        return text


def of_kind(kind: str, where: str = "") -> Filter:
    """A filter from its text, for one kind of record.

    Raises:
        InputError: the text is no filter.
    """
    return Filter((Condition("kind", "=", kind), *Filter.parse(where).conditions))
