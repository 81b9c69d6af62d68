"""`POST /v1/search` and `POST /v1/explain`."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from bcls.search import Hit
from bcls.server.collection import Collection
from bcls.server.keys import bearer, reading_guard
from bcls.server.messages import CaptionPart, ExplainRequest, Explanation, SearchRequest, SearchResponse, WordPart
from bcls.server.problems import ProblemError, problem_answers
from bcls.server.service import Service, of_kind

DEFAULT_K = 20
NEIGHBOURS = 12
MAX_WORDS = 40


def search_routes(service: Service) -> APIRouter:
    """The routes."""
    settings = service.settings
    guard = reading_guard(settings.read_key, settings.write_key)
    routes = APIRouter(
        prefix="/v1",
        tags=["search"],
        dependencies=[Depends(bearer), Depends(guard)],
        responses=problem_answers(400, 401, 404, 413, 422, 503, 504),
    )

    @routes.post("/search", response_model=SearchResponse)
    async def search(asked: SearchRequest) -> JSONResponse:
        """Find pictures or captions by words, by a picture, or by something in the index."""
        start = time.perf_counter()
        collection = service.collection(asked.collection)
        k = min(DEFAULT_K, settings.max_k) if asked.k is None else asked.k
        if k > settings.max_k:
            raise ProblemError(422, f"k: this server gives at most {settings.max_k} results")
        where = of_kind(asked.kind, asked.filter)
        hits = await collection.search(await service.vector(asked, collection), k, where)
        found = [service.found(hit, rank, collection).model_dump() for rank, hit in enumerate(hits, start=1)]
        return JSONResponse(
            {
                "collection": collection.name,
                "version": collection.version,
                "milliseconds": round(1000 * (time.perf_counter() - start), 2),
                "results": found,
            }
        )

    @routes.post("/explain", response_model=Explanation)
    async def explain(asked: ExplainRequest) -> JSONResponse:
        """Say why a picture ranks where it does: what each word does for it, its nearest captions, its neighbours."""
        collection = service.collection(asked.collection)
        record = await service.record(asked.id, collection)
        vector = await service.vector(asked, collection)
        score = float(vector @ record.vector)
        better = of_kind("image")
        captions = [line for line in str(record.fields["text"]).split("\n") if line]
        words, of_captions, near = await asyncio.gather(
            _word_parts(collection, asked.text or "", record.vector, score),
            asyncio.gather(*(collection.embed_text(caption) for caption in captions)),
            collection.search(record.vector, NEIGHBOURS + 1, better),
        )
        parts = [
            CaptionPart(text=text, score=float(vector @ own)) for text, own in zip(captions, of_captions, strict=True)
        ]
        neighbours = [hit for hit in near if hit.id != record.id][:NEIGHBOURS]
        hit = Hit(record.id, score, record.fields)
        answer = Explanation(
            collection=collection.name,
            result=service.found(hit, 1, collection),
            words=words,
            captions=sorted(parts, key=lambda part: -part.score),
            neighbours=[service.found(hit, rank, collection) for rank, hit in enumerate(neighbours, start=1)],
        )
        return JSONResponse(answer.model_dump())

    return routes


async def _word_parts(collection: Collection, text: str, result: np.ndarray, score: float) -> list[WordPart]:
    """By how much the score falls without each of the first words; one word alone has nothing to leave out."""
    words = text.split()
    if len(words) < 2:
        return [WordPart(word=word, part=score) for word in words]
    told = words[:MAX_WORDS]
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(told))]
    vectors = await asyncio.gather(*(collection.embed_text(rest) for rest in without))
    return [
        WordPart(word=word, part=score - float(vector @ result)) for word, vector in zip(told, vectors, strict=True)
    ]
