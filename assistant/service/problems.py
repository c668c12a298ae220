"""What a client is told where its request isn't answered: RFC 9457, and below `/v1` in OpenAI's form."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from assistant.telemetry import log
from corpus.errors import (
    AssistantError,
    Closed,
    DeadlineExceeded,
    IndexUnavailable,
    Overloaded,
    UnknownAudience,
    UsageError,
)

_ADVICE = {
    404: "There is nothing here that you may see: `/openapi.json` says what can be asked for, `/documents` lists the "
    "documents.",
    405: "This method isn't known here: `/openapi.json` says which is.",
}


class Problem(Exception):
    """A request that isn't answered, and why, in words that are the client's to read."""

    def __init__(
        self, status: int, detail: str, parameter: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.parameter = parameter
        """The part of the request that is meant, such as `messages.0.role`."""
        self.headers = dict(headers or {})


def problem_of(error: Exception) -> Problem:
    """What is told of an error. Of what is wrong here and not with the request only the kind: no path, no text."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return Problem(error.status_code, _ADVICE.get(error.status_code, error.detail), None, error.headers)
        case Overloaded():
            wait = math.ceil(getattr(error, "retry_after", None) or 1)
            return Problem(503, f"Too many questions wait: ask again in {wait} s.", None, {"Retry-After": str(wait)})
        case DeadlineExceeded():
            return Problem(504, "There was no answer in the time given: ask again, or give a longer `timeout`.")
        case IndexUnavailable():
            return Problem(503, "The index can't be read now: ask again later.", None, {"Retry-After": "10"})
        case UnknownAudience():
            return Problem(403, "The audience names what this token may not see, or what no document is for.")
        case Closed():
            return Problem(503, "The service is ending: ask again later.")
        case UsageError():
            return Problem(422, str(error))
        case AssistantError():
            return Problem(503, "Something that answers need isn't there now: ask again later.")
        case _:
            return Problem(500, "Something went wrong here; it was logged.")


def log_failure(error: Exception) -> None:
    """What clients aren't told. The text of an error may be a document's or a model's: kind and place are told."""
    if isinstance(error, AssistantError):
        reason = str(error) if isinstance(error, IndexUnavailable) else None
        log("unavailable", logging.WARNING, error=type(error).__name__, reason=reason)
    else:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        place = " ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames)
        log("failed", logging.ERROR, error=type(error).__name__, place=place)


def body_of(problem: Problem, path: str) -> dict[str, Any]:
    """The JSON of a problem, as clients of that path read it."""
    if not path.startswith("/v1/"):
        title = HTTPStatus(problem.status).phrase
        return {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail}
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    code = "invalid_api_key" if problem.status == 401 else None
    return {"error": {"message": problem.detail, "type": kind, "param": problem.parameter, "code": code}}


def response_to(problem: Problem, path: str) -> JSONResponse:
    """The whole response; OpenAI's interface knows 400 and not 422."""
    mine = not path.startswith("/v1/")
    status = problem.status if mine or problem.status != 422 else 400
    kind = "application/problem+json" if mine else "application/json"
    return JSONResponse(body_of(problem, path), status, problem.headers, kind)
