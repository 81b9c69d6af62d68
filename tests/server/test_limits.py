"""Time: a late answer is given up, a long one is not."""

from __future__ import annotations

import asyncio

from bcls.server.limits import Limits


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


def test_an_answer_that_has_begun_may_take_its_time():
    async def slow(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"whole"})

    assert [message.get("status", message.get("body")) for message in run(slow)] == [200, b"whole"]
