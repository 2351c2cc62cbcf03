"""The HTTP side: MLflow's scoring protocol, what is live, and metrics.

    POST /invocations   score rows: see `mergeline.serve.payload`
    GET  /ping /health  200 while a release can answer, else 503
    GET  /version       MLflow's version, which its protocol asks for
    GET  /release       what answers requests, and what should
    GET  /metrics       for Prometheus

Every answer that a release gave, or that came while one was live, names it in the header
`X-Mergeline-Release`: the version and the first 12 digits of its digest M.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mergeline.serve.front import Front
from mergeline.serve.replies import JSON, Reply, problem

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

RELEASE_HEADER = "x-mergeline-release"
_ROUTES = ("/invocations", "/ping", "/health", "/version", "/release", "/metrics")
_SERVER_ERROR = 500

_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Limits:
    """What a client may ask of the server.

    Attributes:
        body_bytes: Of one request; 413 beyond.
        body_seconds: For a client to send its body; 408 beyond.
        at_once: Scoring requests, those that wait included; 503 beyond.
    """

    body_bytes: int = 16 * 2**20
    body_seconds: float = 30.0
    at_once: int = 64


def make_app(front: Front, limits: Limits | None = None) -> "FastAPI":
    """Return the application over a front."""
    from fastapi import FastAPI, Request, Response
    from starlette.exceptions import HTTPException

    scoring = _Scoring(front, limits or Limits())
    app = FastAPI(title="Mergeline", docs_url=None, redoc_url=None)

    # Set here and not as annotations of text: FastAPI looks types up in the module.
    async def invocations(request: Request) -> Response:
        return await scoring.answer(request)

    async def health() -> Response:
        if front.alive:
            return _response(Reply(200, JSON, b"\n"), front.label)
        return _response(problem(503, "no release can answer", "see GET /release"), front.label)

    async def mlflow_version() -> Response:
        return _response(Reply(200, JSON, version("mlflow").encode()), front.label)

    async def release() -> Response:
        said = front.standing.model_dump_json().encode()
        return _response(Reply(200, JSON, said), front.label)

    async def metrics() -> Response:
        text = "text/plain; version=0.0.4; charset=utf-8"
        return _response(Reply(200, text, front.metrics.page()), front.label)

    async def refuse(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else _SERVER_ERROR
        said = error.detail if isinstance(error, HTTPException) else "the server failed"
        hint = f"the routes are: POST {_ROUTES[0]}, GET {' '.join(_ROUTES[1:])}"
        return _response(problem(status, said, hint), front.label)

    app.add_api_route("/invocations", invocations, methods=["POST"], openapi_extra=_BODY)
    for path in ("/ping", "/health"):
        app.add_api_route(path, health, methods=["GET"])
    app.add_api_route("/version", mlflow_version, methods=["GET"])
    app.add_api_route("/release", release, methods=["GET"])
    app.add_api_route("/metrics", metrics, methods=["GET"])
    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(Exception, refuse)
    app.add_middleware(_Counting, front=front)
    return app


_BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": {"type": "object"}}, "text/csv": {}},
    }
}


class _Scoring:
    """`POST /invocations`: bounds first, then the front."""

    def __init__(self, front: Front, limits: Limits) -> None:
        self._front = front
        self._limits = limits
        self._at_once = 0

    async def answer(self, request: "Request") -> "Response":
        front = self._front
        if self._at_once >= self._limits.at_once:
            busy = problem(
                503,
                f"{self._at_once} requests are being answered already",
                "send it again in a moment",
                retry_after="1",
            )
            return _response(busy, front.label)
        self._at_once += 1
        try:
            with front.metrics.in_flight.track_inprogress():
                body = await self._body(request)
                if isinstance(body, Reply):
                    return _response(body, front.label)
                content_type = request.headers.get("content-type", "")
                answer = await front.answer(content_type, body)
                return _response(answer.reply, answer.label or front.label)
        finally:
            self._at_once -= 1

    async def _body(self, request: "Request") -> bytes | Reply:
        """Return the body, or why it is not read to its end."""
        most = self._limits.body_bytes
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said[:20]) > most:
            return self._too_large()
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for piece in request.stream():
                    size += len(piece)
                    if size > most:
                        return self._too_large()
                    pieces.append(piece)
        except TimeoutError:
            return problem(
                408,
                f"the body did not arrive within {self._limits.body_seconds:g} seconds",
                "send it faster, or fewer rows at once",
                connection="close",
            )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _too_large(self) -> Reply:
        return problem(
            413,
            f"the body is larger than {self._limits.body_bytes} bytes",
            "send fewer rows in one request",
        )


def _response(reply: Reply, label: str) -> "Response":
    from starlette.responses import Response

    headers = dict(reply.headers)
    if label:
        headers[RELEASE_HEADER] = label
    # Not as `media_type`, to which Starlette would add a charset.
    headers["content-type"] = reply.content_type
    return Response(reply.body, reply.status, headers)


class _Counting:
    """Counts and times every answer, whoever gave it."""

    def __init__(self, app: Any, front: Front) -> None:
        self._app = app
        self._metrics = front.metrics

    async def __call__(self, scope: Any, receive: Any, send: _Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in _ROUTES else "other"
        start = time.perf_counter()

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._metrics.count(route, message["status"], time.perf_counter() - start)
            await send(message)

        await self._app(scope, receive, counted)
