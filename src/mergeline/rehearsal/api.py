"""From an HTTP request to GitHub's answer: who asks, what for, may they."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from mergeline.rehearsal.answers import Answer, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.recorder import READS
from mergeline.rehearsal.resources import ROUTES
from mergeline.rehearsal.state import Token
from mergeline.rehearsal.watching import notice_pushes
from mergeline.rehearsal.world import World

PREFIX = "/api/v3"
_RANK = {"none": 0, "read": 1, "write": 2, "admin": 3}
_NOT_ACCESSIBLE = "Resource not accessible by integration"


@dataclass(frozen=True)
class Request:
    """What came in.

    Attributes:
        method: `GET`, `POST`, ...
        path: As sent, without the query.
        query: What stands after the question mark.
        headers: By name in small letters.
        body: The bytes.
        origin: `http://HOST:PORT` as the client wrote it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str

    @property
    def plain_path(self) -> str:
        """The path without `/api/v3`."""
        has_prefix = self.path.startswith(f"{PREFIX}/")
        return self.path.removeprefix(PREFIX) if has_prefix else self.path

    def json(self) -> Any:
        """Return the parsed body; None when there is none.

        Raises:
            Refusal: It is not JSON.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, "Problems parsing JSON") from error


def token_of(world: World, request: Request) -> Token | None:
    """Return the token that a request carries; None when it carries none.

    Raises:
        Refusal: Nobody knows that token.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, value = header.partition(" ")
    if kind.lower() == "basic":
        value = _password(value)
    token = world.tokens.get(value.strip())
    if token is None:
        raise Refusal(401, "Bad credentials")
    return token


def _password(value: str) -> str:
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refusal(401, "Bad credentials") from error


def answer(world: World, request: Request) -> Answer:
    """Answer a call of the API, or refuse it as GitHub does."""
    try:
        with world.lock:
            return _with_scopes(world, request, _answer(world, request))
    except Refusal as refusal:
        return refusal.answer()


def _with_scopes(world: World, request: Request, said: Answer) -> Answer:
    """Return the answer with the scopes of a classic token, as GitHub states them."""
    token = token_of(world, request)
    if token is None or token.classic is None:
        return said
    stated = {"X-OAuth-Scopes": ", ".join(token.classic)}
    return replace(said, headers={**said.headers, **stated})


def _answer(world: World, request: Request) -> Answer:
    token = token_of(world, request)
    if token is None:
        raise Refusal(401, "Requires authentication")
    body = request.json()
    if body is not None and not isinstance(body, dict):
        raise Refusal(422, "Invalid request.\n\nThe body is not an object.")
    method = "GET" if request.method == "HEAD" else request.method
    for route in ROUTES:
        parameters = route.match(method, request.plain_path)
        if parameters is None:
            continue
        prefix = PREFIX if request.path.startswith(f"{PREFIX}/") else ""
        call = Call(
            world,
            method,
            request.plain_path,
            dict(parse_qsl(request.query, keep_blank_values=True)),
            body or {},
            token,
            request.origin + prefix,
            request.origin,
            parameters,
        )
        _permit(call, route)
        notice_pushes(world)
        result = route.handler(call)
        if request.method not in READS:
            notice_pushes(world)
        return result
    raise not_found()


def _permit(call: Call, route: Route) -> None:
    """Refuse what the token may not do: 404 for what it may not see, 403 for the rest."""
    if "repo" in call.parameters and not call.world.reads(call.repo, call.token):
        raise not_found()
    if call.method not in READS and not may_write(call.token, route.scopes):
        raise Refusal(403, _NOT_ACCESSIBLE)


def may_write(token: Token, scopes: tuple[str, ...]) -> bool:
    """Return whether a token may write what one of these permissions of a workflow opens."""
    if _RANK[token.permission] < _RANK["write"]:
        return False
    return token.scopes is None or any(token.scopes.get(one) == "write" for one in scopes)
