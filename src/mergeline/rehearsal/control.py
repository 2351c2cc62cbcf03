"""The rehearsal's own addresses, for tests and demos that run it as a process of its own.

They need `Authorization: Bearer SECRET`. `/_rehearsal/faults` takes a fault (POST) or
forgets all (DELETE); `/_rehearsal/writes` lists the writes; `/_rehearsal/do/NAME` lets an
actor act, with the arguments as JSON. `/_rehearsal/downloads/KEY` is the storage that
GitHub sends to for an artifact: no token, or it is refused; faults strike it too.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from mergeline.errors import MergelineError
from mergeline.rehearsal.answers import Answer, Refusal, not_found
from mergeline.rehearsal.api import Request
from mergeline.rehearsal.faults import Fault
from mergeline.rehearsal.recorder import READS
from mergeline.rehearsal.resources.actions import DOWNLOADS
from mergeline.rehearsal.world import World

CONTROL = "/_rehearsal/"
_DO = f"{CONTROL}do/"
Acts = Mapping[str, Callable[..., Any]]


def answer_control(world: World, acts: Acts, request: Request) -> Answer:
    """Answer one of the rehearsal's own calls."""
    try:
        return _answer(world, acts, request)
    except Refusal as refusal:
        return refusal.answer()


def answer_download(world: World, request: Request) -> Answer:
    """Answer as the storage that GitHub sends to for an artifact."""
    # The real one refuses a request that brings GitHub's token along.
    if "authorization" in request.headers:
        return Refusal(400, "Authentication information is not in the correct format.").answer()
    data = world.downloads.get(request.path.removeprefix(DOWNLOADS))
    if data is None or request.method not in READS:
        return not_found().answer()
    return Answer(200, data, {"Content-Type": "application/zip"})


def _answer(world: World, acts: Acts, request: Request) -> Answer:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {world.secret}".encode()):
        raise Refusal(401, "Bad credentials")
    match request.method, request.path:
        case "GET", "/_rehearsal/writes":
            return Answer(200, [asdict(one) for one in world.recorder.writes()])
        case "POST", "/_rehearsal/faults":
            world.faults.add(Fault.parse(request.json() or {}))
            return Answer(204)
        case "DELETE", "/_rehearsal/faults":
            world.faults.clear()
            return Answer(204)
        case "POST", path if path.removeprefix(_DO) in acts:
            return _act(acts[path.removeprefix(_DO)], request)
    raise not_found()


def _act(actor: Callable[..., Any], request: Request) -> Answer:
    arguments = request.json() or {}
    try:
        return Answer(200, {"result": actor(**arguments)})
    except (TypeError, ValueError, LookupError, MergelineError) as error:
        raise Refusal(422, f"{type(error).__name__}: {error}") from error
