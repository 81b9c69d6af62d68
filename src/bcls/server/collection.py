"""A model and an index that belong together, asked by many at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bcls.errors import InputError
from bcls.search import Filter, Hit, Index, IndexDamagedError, IndexMissingError, Record, made_at, open_index
from bcls.search.records import check_ids
from bcls.server.batching import Batcher
from bcls.server.live_index import LiveIndex
from bcls.server.pictures import decode_picture, encode_picture
from bcls.server.recent import Recent

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from PIL import Image

    from bcls.server.metrics import Metrics
    from bcls.server.served import Served
    from bcls.server.settings import ServerSettings

    Vector = NDArray[np.float32]

logger = logging.getLogger("bcls.server")

PROBE_EVERY_SECONDS = 1.0
PROBE_PATIENCE_SECONDS = 2.0
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Search:
    """One search of an index; `where` is already held against the index's fields."""

    vector: Vector
    k: int
    where: Filter


class Collection:
    """Answers texts and pictures with what the index holds.

    The model runs in one thread, searches in another, writes and reloads in a third: a search never waits for a
    write. Within a thread, whatever waits is done in one call.

    Args:
        served: the model and where its index is.
        settings: limits.
        metrics: told what happens.

    Raises:
        InputError: the index is missing, damaged, of another model, or lacks fields that `bcls index` writes.
    """

    def __init__(self, served: Served, settings: ServerSettings, metrics: Metrics) -> None:
        self.name = served.name
        self.embedder = served.embedder
        self._settings = settings
        self._metrics = metrics
        self._modelling, self._searching, self._writing = (
            ThreadPoolExecutor(1, f"bcls-{what}") for what in ("model", "search", "write")
        )
        self._decoding = ThreadPoolExecutor(2, "bcls-decode")
        self.live = LiveIndex(
            served.name,
            open_index=partial(open_index, served.index),
            made=partial(made_at, served.index),
            model=served.model,
            retire=lambda index: self._searching.submit(index.close),
        )
        self._known: Recent[str, Vector] = Recent(settings.cached_queries)
        self._embed_texts = self._batcher("text", self.embedder.texts, self._modelling)
        self._embed_pictures = self._batcher("picture", self.embedder.pictures, self._modelling)
        self._search = self._batcher("search", self._search_all, self._searching)
        self._probing: asyncio.Future[None] | None = None
        self._next_probe = 0.0
        self._get = self._batcher("get", self._get_all, self._searching)
        self._note()

    @property
    def version(self) -> str:
        """Of the index, as last seen."""
        return "" if self.live.info is None else self.live.info.version

    async def embed_text(self, text: str) -> Vector:
        """The vector of a text; of texts that were asked for lately it is known."""
        known = self._known.get(text)
        self._metrics.query_cache.labels("miss" if known is None else "hit").inc()
        if known is None:
            known = await self._embed_texts(text)
            self._known.put(text, known)
        return known

    async def embed_picture(self, content: bytes) -> Vector:
        """The vector of a picture file.

        Raises:
            InputError: not a picture that is taken, or the model takes none.
        """
        loop = asyncio.get_running_loop()
        return await self._embed_pictures(await loop.run_in_executor(self._decoding, self._prepared, content))

    async def encode_anew(self, content: bytes) -> bytes:
        """A picture file written again, without whatever hid in it.

        Raises:
            InputError: not a picture that is taken.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._decoding, lambda: encode_picture(self._decoded(content)))

    async def search(self, vector: Vector, k: int, where: Filter) -> list[Hit]:
        """The nearest k records that a filter lets through, the best first.

        Raises:
            InputError: a filter that does not fit the index's fields.
            EngineUnavailableError: the index's engine does not answer now.
        """
        if self.live.info is not None:  # here, so that a wrong filter spoils no other search of the batch
            where = where.typed(self.live.info.fields)
        found = await self._search(Search(vector, k, where))
        if isinstance(found, InputError):
            raise found
        return found

    async def get(self, name: str) -> Record | None:
        """The record of an id; None = there is none.

        Raises:
            InputError: no id can be so.
        """
        check_ids([name])  # here, so that a wrong id spoils no other question of the batch
        return await self._get(name)

    async def write(self, work: Callable[[Index], int]) -> int:
        """Change the index; returns when the change is there to stay."""
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._writing, self._write, work)
        await self.refresh()
        return answer

    async def refresh(self) -> None:
        """See what other processes have written to the index, or whether it is back."""
        loop = asyncio.get_running_loop()
        try:
            if await loop.run_in_executor(self._writing, self.live.refresh):
                self._metrics.reloads.labels(self.name).inc()
        except Exception:  # whatever it was, a write before it is there to stay, and the next look may succeed
            logger.exception("reload failed", extra={"collection": self.name})
        self._note()

    async def watch(self) -> None:
        """`refresh` and `ready` again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.reload_seconds)
            await self.refresh()
            await self.ready()

    async def ready(self) -> bool:
        """Whether a search would be answered now: one is tried, at most once a second."""
        now = time.monotonic()
        if self._probing is None or (self._probing.done() and now >= self._next_probe):
            self._next_probe = now + PROBE_EVERY_SECONDS
            self._probing = asyncio.get_running_loop().run_in_executor(self._searching, self.live.probe)
        answered, _ = await asyncio.wait({self._probing}, timeout=PROBE_PATIENCE_SECONDS)
        self._note()
        return bool(answered) and self.live.trouble is None

    def close(self) -> None:
        """Finish what runs, then let go of the index."""
        for thread in (self._decoding, self._modelling, self._searching, self._writing):
            thread.shutdown()
        with contextlib.suppress(Exception):
            self.live.close()

    def _batcher(
        self, name: str, work: Callable[[list[Item]], Sequence[Result]], thread: ThreadPoolExecutor
    ) -> Batcher[Item, Result]:
        return Batcher(
            work,
            thread,
            max_batch=self._settings.max_batch,
            max_waiting=self._settings.max_waiting,
            observe=self._metrics.batch_size.labels(name).observe,
        )

    def _prepared(self, content: bytes) -> torch.Tensor:
        return self.embedder.prepared(self._decoded(content))

    def _decoded(self, content: bytes) -> Image.Image:
        return decode_picture(content, max_pixels=self._settings.max_pixels)

    def _write(self, work: Callable[[Index], int]) -> int:
        try:
            return self.live.call(work)
        except IndexMissingError:  # perhaps another was made in its place just now
            self.live.refresh()
            return self.live.call(work)

    def _search_all(self, searches: list[Search]) -> list[list[Hit] | InputError]:
        """Searches with the same filter go to the index in one call, for as many hits as any of them wants.

        What an engine refuses is the answer of those that asked for it, and spoils no other search of the batch.
        """
        together: dict[Filter, list[int]] = {}
        for place, search in enumerate(searches):
            together.setdefault(search.where, []).append(place)
        found: dict[int, list[Hit] | InputError] = {}
        for places in together.values():
            try:
                hits = self._search_with([searches[place] for place in places])
            except IndexDamagedError:
                raise
            except InputError as error:
                found |= dict.fromkeys(places, error)
            else:
                found |= {place: of[: searches[place].k] for place, of in zip(places, hits, strict=True)}
        return [found[place] for place in range(len(searches))]

    def _search_with(self, searches: list[Search]) -> list[list[Hit]]:
        vectors = np.stack([search.vector for search in searches])
        most = max(search.k for search in searches)
        return self.live.ask(lambda index: index.search(vectors, most, where=searches[0].where))

    def _get_all(self, names: list[str]) -> Sequence[Record | None]:
        return self.live.ask(lambda index: index.get(names))

    def _note(self) -> None:
        self._metrics.ready.labels(self.name).set(self.live.trouble is None)
        if self.live.info is not None:
            self._metrics.records.labels(self.name).set(self.live.info.count)
