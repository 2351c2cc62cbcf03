"""Addresses to handlers: the application that a server runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mergeline.project.rehearse.rendering import Asked
from mergeline.project.rehearse.site import Handler, Site

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_BODY = 64 * 1024
_MOST_FIELDS = 2000  # a form with more is no use to anybody
_MOST_DIGITS = 9
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", Site.pulls),
    ("GET", "/pulls/{number}", Site.pull),
    ("POST", "/pulls/{number}/approve", Site.approve),
    ("POST", "/pulls/{number}/merge", Site.merge),
    ("POST", "/pulls/{number}/rerun", Site.rerun),
    ("GET", "/runs/{number}/report.html", Site.report),
    ("GET", "/live", Site.live),
    ("GET", "/predict", Site.predict),
    ("POST", "/predict", Site.predict),
    ("GET", "/ledger", Site.ledger),
    ("GET", "/rollback", Site.back),
    ("POST", "/rollback", Site.rollback),
    ("GET", "/jobs", Site.jobs),
    ("GET", "/jobs/{number}", Site.job),
    ("GET", "/style.css", Site.style),
)


def make_app(site: Site) -> "Starlette":
    """Return the application."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    def route(method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: "Request") -> "Response":
            return await run_in_threadpool(site.answer, handler, await _asked(request))

        return Route(path, endpoint, methods=[method])

    async def missing(request: "Request", _: Exception) -> "Response":
        return await run_in_threadpool(site.answer, Site.missing, await _asked(request))

    app = Starlette(
        routes=[route(*one) for one in _ROUTES], exception_handlers={404: missing, 405: missing}
    )
    # A redirection would be answered to anybody, to whatever address they call this by.
    app.router.redirect_slashes = False
    return app


async def _asked(request: "Request") -> Asked:
    form = await _form(request) if request.method == "POST" else {}
    number = _number(request.path_params.get("number", ""))
    path, query = request.url.path, request.query_params
    return Asked(request.method, path, request.headers, query, number, form)


def _number(text: str) -> int:
    """Return the number in a path; 0, which nothing has, for what can be none of ours."""
    fits = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if fits else 0


async def _form(request: "Request") -> Mapping[str, str]:
    """Read a form; one that is too large is none, and so lacks its token."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BODY:
            return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}
