"""Templates to pages: whatever is put into one is escaped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from mergeline.project.line import AUTHOR, REVIEWER
from mergeline.project.rehearse.lanes import Job
from mergeline.report.templates import templates_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.responses import Response

PEOPLE = {REVIEWER: "Grace, who reviews", AUTHOR: "Ada, who writes models"}


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        number: In its path: of a pull request, a job or a run; 0 without one.
        form: The fields of a POST.
        going_on: Jobs that waited or ran when it came. A page that is made from what comes
            after must not say that all has ended.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    form: Mapping[str, str] = field(default_factory=dict)
    going_on: tuple[Job, ...] = ()


def render(name: str, about: Mapping[str, Any]) -> str:
    """Return a page as HTML."""
    return _environment().get_template(name).render(about)


def response(
    body: bytes, headers: Mapping[str, str], status: int = 200, *, kind: str = "text/html"
) -> "Response":
    """Return an answer."""
    from starlette.responses import Response

    return Response(body, status, dict(headers), kind)


@cache
def _environment() -> "Environment":
    made = templates_of("mergeline.project.rehearse")
    made.filters["when"] = lambda time: f"{time:%Y-%m-%d %H:%M:%S} UTC"
    made.filters["person"] = lambda login: login.title() if login in PEOPLE else login
    return made
