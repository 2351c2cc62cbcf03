"""Whether a page is that of a plan: told by a digest in its head, without making it again."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from mergeline.core.digest import json_digest, sha256
from mergeline.core.evidence import STAGES
from mergeline.core.plan import Plan

if TYPE_CHECKING:
    from pydantic.main import IncEx

META = '<meta name="mergeline-plan" content="{}">'
_HEAD = 4_000  # characters within which it stands

# What differs from check to check of the same thing; the page does not show it.
_TIMINGS: "dict[str, IncEx | bool]" = {stage: {"timing"} for stage in STAGES}
_NOT_SHOWN: "dict[str, IncEx | bool]" = {
    "stages": True,
    "notices": True,
    "evidence": _TIMINGS,
    "baseline_evidence": _TIMINGS,
}


def plan_digest(plan: Plan) -> str:
    """Return the digest of everything that a page is made from: the plan and this code."""
    # What is never handed over stands in no JSON of the plan.
    ours = (plan.forecast, plan.reuse, plan.previous, *plan.ledger)
    return json_digest(
        {
            "plan": sha256(plan.model_dump_json(exclude=_NOT_SHOWN).encode()),
            "ours": [None if each is None else each.as_json() for each in ours],
            "page": plan.page,
            "code": _code(),
        }
    )


def is_page_of(text: str, digest: str) -> bool:
    """Whether a page, or the beginning of one, is that of a plan with this digest."""
    return META.format(digest) in text[:_HEAD]


@cache
def _code() -> str:
    """Return the digest of what renders, so that a newer version's page is another one."""
    found = hashlib.sha256()
    for file in sorted(_files(files("mergeline.report")), key=str):
        found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def _files(folder: Traversable) -> Iterator[Traversable]:
    for each in folder.iterdir():
        if each.name.endswith((".py", ".html", ".css", ".js")):
            yield each
        elif each.is_dir():
            yield from _files(each)
