"""How GitHub Actions is set up in the repository."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mergeline.project.doctor.asking import Seen, Unknown
from mergeline.project.doctor.finding import Finding, missing, ok, unknown, warn
from mergeline.project.doctor.place import Where
from mergeline.project.doctor.workflows import FOLDER, NEEDED

_ALLOWED = {
    "all": "every action",
    "selected": "a list of actions",
    "local_only": "own actions only",
}
_FORKS = {
    "first_time_contributors_new_to_github": "only those of people who are new to GitHub",
    "first_time_contributors": "those of first-time contributors",
    "all_external_contributors": "those of everybody from outside",
}
_OPEN_FORKS = "first_time_contributors_new_to_github"
_FEW_DAYS = 7


def actions_findings(
    where: Where, seen: Seen, root: Path | None, now: datetime
) -> Iterator[Finding]:
    """Say whether the workflows may run, with which defaults, and for how long they are kept."""
    yield _runs(where, seen)
    yield _defaults(where, seen)
    if root is not None:
        yield _workflows(where, seen, root)
    yield _retention(where, seen, now)
    yield _forks(where, seen)


def _runs(where: Where, seen: Seen) -> Finding:
    said, path = seen.may_run, f"repos/{where.place.repository}/actions/permissions"
    if isinstance(said, Unknown):
        return unknown("actions", said.why)
    enabled, allowed = said
    turn_on = f"gh api --method PUT {path} -F enabled=true -f allowed_actions=all"
    if not enabled:
        return missing("actions", "GitHub Actions is off", turn_on)
    if allowed == "local_only":
        detail = "only this owner's actions may run, and the workflows use actions/checkout"
        return missing("actions", detail, turn_on)
    if allowed == "selected":
        return warn(
            "actions",
            "only actions of a list may run",
            f"see that the list has what the workflows use: gh api {path}/selected-actions",
        )
    return ok("actions", f"on; {_ALLOWED.get(allowed, allowed or 'every action')} may run")


def _defaults(where: Where, seen: Seen) -> Finding:
    said = seen.default_permissions
    if isinstance(said, Unknown):
        return unknown("permissions", said.why)
    level, approves = said
    wrong = [f"a workflow that does not say it has `{level}`"] if level != "read" else []
    wrong += ["workflows may approve pull requests"] if approves else []
    if wrong:
        path = f"repos/{where.place.repository}/actions/permissions/workflow"
        return warn(
            "permissions",
            "; ".join(wrong),
            f"gh api --method PUT {path} -f default_workflow_permissions=read "
            "-F can_approve_pull_request_reviews=false",
        )
    return ok("permissions", "a workflow that does not say it may only read")


def _workflows(where: Where, seen: Seen, root: Path) -> Finding:
    said = seen.workflows
    if isinstance(said, Unknown):
        return unknown("workflows", said.why)
    states = {one.path.rpartition("/")[2]: one.state for one in said}
    here = [name for name in NEEDED if (root / FOLDER / name).is_file()]
    off = [name for name in here if states.get(name, "active") != "active"]
    new = [name for name in here if name not in states]
    if off:
        turn_on = "; ".join(f"gh workflow enable {name}" for name in off)
        detail = f"{', '.join(off)}: turned off at GitHub"
        return missing("workflows", detail, f"{turn_on} (--repo {where.place.repository})")
    if new or not here:
        main = seen.facts.default_branch
        return missing(
            "workflows",
            f"GitHub does not know {', '.join(new) or 'any of them'}: they count when they are on "
            f"{main}",
            f"merge them into {main}, before its rules are set",
        )
    return ok("workflows", f"GitHub knows all {len(here)}, and each is on")


def _retention(where: Where, seen: Seen, now: datetime) -> Finding:
    kept, oldest = seen.retention, seen.oldest_pull
    if isinstance(kept, Unknown):
        return unknown("artifacts", f"how long they are kept: {kept.why}")
    said = f"kept for {kept.days} days"
    age = 0
    if isinstance(oldest, str):
        opened = datetime.fromisoformat(oldest)
        age = (now.astimezone(UTC) - opened).days
        said += f"; the oldest open pull request has {age}"
    elif isinstance(oldest, Unknown):
        said += "; how old the open pull requests are is not known"
    if age > kept.days or kept.days < _FEW_DAYS:
        path = f"repos/{where.place.repository}/actions/permissions/artifact-and-log-retention"
        days = min(max(age + 30, 30), kept.most)
        return warn(
            "artifacts",
            f"{said}: what was reviewed may be gone at the merge, and is then trained again",
            f"gh api --method PUT {path} -F days={days}",
        )
    return ok("artifacts", said)


def _forks(where: Where, seen: Seen) -> Finding:
    if seen.facts.private:
        return _private_forks(where, seen)
    policy = seen.fork_policy
    if isinstance(policy, Unknown):
        return unknown("forks", f"whose pull requests wait for approval: {policy.why}")
    said = f"pull requests from forks that wait for somebody's word: {_FORKS.get(policy, policy)}"
    if policy == _OPEN_FORKS:
        path = f"repos/{where.place.repository}/actions/permissions/fork-pr-contributor-approval"
        return warn(
            "forks",
            f"{said}; anybody else's code runs at once on your runners (it may read, no more)",
            f"gh api --method PUT {path} -f approval_policy=first_time_contributors",
        )
    return ok("forks", said)


def _private_forks(where: Where, seen: Seen) -> Finding:
    said = seen.private_forks
    if isinstance(said, Unknown):
        return unknown("forks", f"what pull requests from forks may have: {said.why}")
    given = {
        "send_write_tokens_to_workflows": "a token that writes",
        "send_secrets_and_variables": "secrets",
    }
    wrong = [what for key, what in given.items() if said.get(key)]
    if wrong:
        page = f"https://{where.host}/{where.place.repository}/settings/actions"
        return missing(
            "forks",
            f"workflows of pull requests from forks get {' and '.join(wrong)}",
            f"{page}: Fork pull request workflows",
        )
    return ok("forks", "their pull requests get neither secrets nor a token that writes")
