"""Time: a late answer is given up, a long one is not. Size: what comes at once has its limit too."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request

from bcls.server.limits import LARGEST_AT_ONCE, Limits


def run(app, seconds: float = 0.05) -> list[dict]:
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Limits(app, max_body_bytes=10, seconds=seconds)(scope, receive, send))
    return sent


def test_no_answer_in_time_is_504():
    async def late(scope, receive, send):
        await asyncio.sleep(5)

    sent = run(late)
    assert sent[0]["status"] == 504
    assert b"no answer within 0.05 s" in sent[1]["body"]


def test_bodies_that_are_too_much_together_are_asked_to_come_later():
    held, statuses = [], []
    app = FastAPI()
    enough = asyncio.Event()

    @app.post("/")
    async def holds(request: Request) -> int:
        held.append(await request.body())
        await enough.wait()
        return len(held[-1])

    limits = Limits(app, max_body_bytes=10, seconds=10)

    async def one(size: int) -> None:
        async def receive() -> dict:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        async def send(message: dict) -> None:
            statuses.append(message.get("status"))

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
        await limits(scope, receive, send)

    async def many() -> None:
        asking = [asyncio.create_task(one(10)) for _ in range(LARGEST_AT_ONCE + 4)]
        await asyncio.sleep(0.1)
        assert [status for status in statuses if status] == [503] * 4
        assert len(held) == LARGEST_AT_ONCE
        enough.set()
        await asyncio.gather(*asking)
        statuses.clear()
        await one(10)
        await one(11)

    asyncio.run(many())
    assert [status for status in statuses if status] == [200, 413]


def test_an_answer_that_has_begun_may_take_its_time():
    async def slow(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"whole"})

    assert [message.get("status", message.get("body")) for message in run(slow)] == [200, b"whole"]
