"""DATA_UNAVAILABLE: what a check says where data behind a `.dvc` pointer cannot be had."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mergeline.core.answers import Answer, Name, answer
from mergeline.core.forks import same_repository, to_own_branch
from mergeline.errors import DataUnavailable

_PULL = re.compile("refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
# These say nothing about whose run it is: a maintainer would fare no better.
_ANYBODYS = {"absent", "no remote", "slow", "unreachable", "failed", "no plugin"}


@dataclass(frozen=True)
class Origin:
    """Where a run comes from.

    Attributes:
        fork: Whether it is of a pull request from another repository.
        pull_request: Its number; None where that is not known.
    """

    fork: bool = False
    pull_request: int | None = None


def origin_of(environ: Mapping[str, str]) -> Origin:
    """Return what the environment of a job says of the run."""
    pull = _PULL.fullmatch(environ.get("GITHUB_REF", ""))
    number = int(pull[1]) if pull else None
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        request = json.loads(Path(path).read_bytes())["pull_request"] if path else {}
        number = number or int(request["number"])
        head, base = (request[side]["repo"] for side in ("head", "base"))
        # The repository of a head may be gone; it was another one.
        fork = head is None or not same_repository(head["full_name"], base["full_name"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Origin(pull_request=number)
    return Origin(fork, number)


def unavailable(error: DataUnavailable, origin: Origin) -> Answer:
    """Return the answer of a check that has no data: nothing was trained."""
    reason = f"{error.message[:1].upper()}{error.message[1:]}. Nothing was run."
    if not origin.fork:
        return answer(Name.DATA_UNAVAILABLE, reason, error.hint)
    reason += " This is the run of a fork, which gets no credential for data."
    if error.kind in _ANYBODYS:
        return answer(Name.DATA_UNAVAILABLE, reason, error.hint)
    return Answer(
        name=Name.DATA_UNAVAILABLE,
        reason=reason,
        next_step="a maintainer who has read the change starts it: "
        f"{to_own_branch(origin.pull_request or 'N')}, then opens a pull request from that branch",
    )
