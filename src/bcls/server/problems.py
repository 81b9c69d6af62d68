"""Errors as the server tells them: one JSON shape for all, after RFC 9457."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from bcls.errors import InputError
from bcls.search import EngineUnavailableError, IndexDamagedError, IndexMissingError, WriteFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

logger = logging.getLogger("bcls.server")
MEDIA_TYPE = "application/problem+json"


class ProblemBody(BaseModel):
    """What a client gets instead of an answer."""

    title: str = Field(description="the kind of problem, as HTTP names it")
    status: int = Field(description="the status code, again")
    detail: str = Field(description="what is wrong, where, and what to do")


class ProblemError(Exception):
    """A refusal with a status code.

    Args:
        status: of the answer.
        detail: what is wrong and what to do.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


class UnavailableError(ProblemError):
    """503: not now; ask again in a moment."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, {"Retry-After": "1"})


def problem_response(problem: ProblemError) -> JSONResponse:
    """The answer for a problem."""
    detail = problem.detail.encode("utf-8", "replace").decode()  # a client may have sent what is no text
    body = {"title": HTTPStatus(problem.status).phrase, "status": problem.status, "detail": detail}
    return JSONResponse(body, problem.status, problem.headers, MEDIA_TYPE)


def explain_problems(app: FastAPI) -> None:
    """Make every error that was foreseen a problem."""

    @app.exception_handler(ProblemError)
    async def refused(_: Request, error: ProblemError) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError) -> JSONResponse:
        return problem_response(ProblemError(422, str(error)))

    @app.exception_handler(IndexMissingError)
    @app.exception_handler(IndexDamagedError)
    async def damaged(_: Request, error: InputError) -> JSONResponse:
        logger.error("index damaged or gone", extra={"reason": str(error)})  # where it lies is not a client's to know
        return problem_response(UnavailableError("the index cannot be read now; the server's log says why"))

    @app.exception_handler(EngineUnavailableError)
    async def away(_: Request, error: EngineUnavailableError) -> JSONResponse:
        return problem_response(UnavailableError(f"the index does not answer now: {error}"))

    @app.exception_handler(WriteFailedError)
    async def unwritten(_: Request, error: WriteFailedError) -> JSONResponse:
        return problem_response(ProblemError(507, f"not written: {error}"))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(ProblemError(422, validation_detail(error)))

    @app.exception_handler(HTTPException)
    async def unknown(_: Request, error: HTTPException) -> JSONResponse:
        return problem_response(ProblemError(error.status_code, str(error.detail), error.headers))


def validation_detail(error: RequestValidationError) -> str:
    """The first things that are wrong, each with its place."""
    told = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:3]]
    return "; ".join(told)


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of problems for the OpenAPI document."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }
