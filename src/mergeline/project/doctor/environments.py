"""The environments that jobs run in, and the secrets that they need there, by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mergeline.config.settings import Settings
from mergeline.ledger.store import BRANCH
from mergeline.project.doctor.asking import Room, Seen, Unknown
from mergeline.project.doctor.data import pointer_of
from mergeline.project.doctor.finding import Finding, missing, ok, unknown, warn
from mergeline.project.doctor.ledger_branches import is_closed
from mergeline.project.doctor.place import Where
from mergeline.project.doctor.remotes import has_remote
from mergeline.project.doctor.workflows import READS, TOKEN, Workflow, read_workflows

PROMOTION, COMMENT = "production", "mergeline"
WRITES = "MERGELINE_DVC_CONFIG_WRITE"
REGISTRY = "MLFLOW_TRACKING_URI"
# Where the files of a project do not say it, the called workflows do.
_CALLED = {"comment.yml": COMMENT, "promote.yml": PROMOTION, "rollback.yml": PROMOTION}
# A workflow of any branch reads the repository's secrets; these may write.
_ONLY_ROOMS = (TOKEN, WRITES, "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@dataclass(frozen=True)
class _Need:
    """A secret that a job reads.

    Attributes:
        rooms: The environments of those jobs; empty for a job without one.
        why: What it is for.
        must: Whether nothing works without it.
    """

    name: str
    rooms: tuple[str, ...]
    why: str
    must: bool


def environments_of(root: Path | None) -> tuple[str, ...]:
    """Return the environments that the project's jobs run in."""
    files = read_workflows(root)[0] if root is not None else {}
    names = {name: _named(files[file]) for file, name in _CALLED.items() if file in files}
    found = {named or name for name, named in names.items()} or {PROMOTION, COMMENT}
    return tuple(sorted(found))


def environment_findings(
    where: Where, seen: Seen, root: Path | None, settings: Settings | None
) -> Iterator[Finding]:
    """Look at the environments and at the names of their secrets."""
    for room in seen.rooms:
        yield _room(where, seen, room)
    if settings and settings.deploy.environment not in [room.name for room in seen.rooms]:
        rooms = ", ".join(room.name for room in seen.rooms)
        yield warn(
            "deploy",
            f"params.yaml deploys to {settings.deploy.environment}, the jobs run in {rooms}: the "
            "rules of the first guard nothing",
            f"`deploy: {{environment: {PROMOTION}}}` in params.yaml",
        )
    if root is not None and settings is not None:
        for need in _needs(seen, root, settings):
            yield _secret(where, seen, need)
    yield from _misplaced(where, seen)


def _named(workflow: Workflow) -> str:
    said = [job.get("environment") for job in workflow.jobs.values()]
    names = [one.get("name") if isinstance(one, dict) else one for one in said]
    return next((str(name) for name in names if name and "${{" not in str(name)), "")


def _room(where: Where, seen: Seen, room: Room) -> Finding:
    name, main = f"environment {room.name}", seen.facts.default_branch
    step, block = "this makes it so:", _block(where, room.name, main)
    if isinstance(room.facts, Unknown):
        return unknown(name, room.facts.why)
    if room.facts is None and seen.facts.private:
        detail = "not there (some plans have none for a private repository): its secrets guard none"
        return warn(name, detail, step, block)
    if room.facts is None:
        detail = f"not there: a job of any branch may make it; it is to admit {main} only"
        return missing(name, detail, step, block)
    policy = room.facts.policy
    if policy.get("protected_branches"):
        return _protected_only(seen, room, step, block)
    if not policy.get("custom_branch_policies"):
        detail = (
            f"admits every branch: a pull request's workflow may read its secrets; {main} is to"
        )
        return missing(name, f"{detail} be the only one", step, block)
    if isinstance(room.branches, Unknown):
        return unknown(name, f"admits branches of a list; {room.branches.why}")
    others = sorted(room.branches - {main})
    if others or main not in room.branches:
        detail = (
            f"admits {', '.join(sorted(room.branches)) or 'no branch'}; {main} is to be the one"
        )
        page = f"https://{where.host}/{where.place.repository}/settings/environments"
        return missing(name, detail, f"{page}: {room.name}, Deployment branches and tags")
    return ok(name, f"admits {main} only")


def _protected_only(seen: Seen, room: Room, step: str, block: str) -> Finding:
    """GitHub counts classic protection here, and admits every branch where there is none."""
    name, classic = f"environment {room.name}", seen.main.classic
    if isinstance(classic, Unknown):
        return unknown(name, f"admits protected branches; which those are: {classic.why}")
    if classic is None:
        detail = "admits branches with classic protection, and every branch where none has it"
        return warn(name, detail, step, block)
    return ok(name, "admits branches with classic protection only")


def _block(where: Where, room: str, main: str) -> str:
    path = f"repos/{where.place.repository}/environments/{quote(room, safe='')}"
    policy = '{"protected_branches": false, "custom_branch_policies": true}'
    return (
        f"gh api --method PUT {path} --input - <<'JSON'\n"
        f'{{"deployment_branch_policy": {policy}}}\nJSON\n'
        f"gh api --method POST {path}/deployment-branch-policies -f name={main}"
    )


def _needs(seen: Seen, root: Path, settings: Settings) -> Iterator[_Need]:
    rooms = [room.name for room in seen.rooms]
    both = tuple(name for name in (COMMENT, PROMOTION) if name in rooms) or tuple(rooms)
    production = tuple(name for name in rooms if name != COMMENT) or tuple(rooms)
    if any(branch.name == BRANCH and is_closed(branch) for branch in seen.lines):
        yield _Need(TOKEN, both, "the ledger is protected: the line pushes it with that", must=True)
    if not settings.registry.uri.startswith(("http://", "https://")):
        why = f"registry.uri is {settings.registry.uri}, which a hosted runner does not keep"
        yield _Need(REGISTRY, production, why, must=True)
    if has_remote(root):
        yield _Need(WRITES, production, "without it nothing is published to DVC", must=False)
        if pointer_of(root, settings.data.source):
            why = "without it builds read a remote that is public, or end DATA_UNAVAILABLE"
            yield _Need(READS, (), why, must=False)


def _secret(where: Where, seen: Seen, need: _Need) -> Finding:
    name = f"secret {need.name}"
    rooms = {room.name: room.secrets for room in seen.rooms if room.name in need.rooms}
    everywhere = seen.secrets if not isinstance(seen.secrets, Unknown) else frozenset()
    if need.name in everywhere:
        return ok(name, "among the repository's secrets")
    places: Mapping[str, Any] = rooms or {"": seen.secrets}
    hidden = [said for said in (*places.values(), seen.secrets) if isinstance(said, Unknown)]
    lacks = [
        room
        for room, names in places.items()
        if not isinstance(names, Unknown) and need.name not in names
    ]
    if not lacks and not any(isinstance(names, Unknown) for names in places.values()):
        return ok(name, f"in {', '.join(places)}")
    if hidden:
        return unknown(name, f"cannot be seen: {hidden[0].why}; {need.why}")
    more = ""
    if not isinstance(seen.variables, Unknown) and need.name in seen.variables:
        more = "; it is a variable, and the jobs read a secret"
    steps = [_set(where, need.name, room) for room in lacks]
    say = missing if need.must else warn
    return say(name, f"not there: {need.why}{more}", "; ".join(steps))


def _set(where: Where, name: str, room: str) -> str:
    at = f" --env {room}" if room else ""
    return f"gh secret set {name} --repo {where.place.repository}{at}"


def _misplaced(where: Where, seen: Seen) -> Iterator[Finding]:
    """Say which secrets that may write every branch can read."""
    if isinstance(seen.secrets, Unknown):
        return
    for name in sorted(seen.secrets & set(_ONLY_ROOMS)):
        rooms = (COMMENT, PROMOTION) if name == TOKEN else (PROMOTION,)
        steps = [_set(where, name, room) for room in rooms]
        remove = f"gh secret delete {name} --repo {where.place.repository}"
        yield warn(
            f"secret {name}",
            "it is the repository's: a workflow that somebody edits on any branch may read it",
            "; ".join([*steps, remove]),
        )
