"""The branches that only the line itself is to push: the ledger, and the followers' reports."""

from collections.abc import Iterator

from mergeline.adapters.github_settings import Actor
from mergeline.ledger.store import BRANCH
from mergeline.project.doctor.asking import Branch, Guard, Seen, Unknown, actors_of
from mergeline.project.doctor.finding import Finding, missing, ok, unknown, warn
from mergeline.project.doctor.place import Where
from mergeline.project.doctor.rulesets import CLOSED, follower_block, ledger_block

# What belongs to many people, or to whoever administers.
_BROAD = {"RepositoryRole", "OrganizationAdmin", "Team"}
_ACTIONS = 15368  # the app whose token every workflow gets
_KINDS = {
    "Integration": "an app",
    "DeployKey": "every deploy key that may write",
    "User": "one account",
    "Team": "a team",
    "RepositoryRole": "a role",
    "OrganizationAdmin": "the organisation's administrators",
}


def ledger_findings(where: Where, seen: Seen) -> Iterator[Finding]:
    """Say whether anybody but the line may push its branches."""
    for branch in seen.lines:
        yield _branch(where, branch)


def is_closed(branch: Branch) -> bool:
    """Return whether rules keep a branch from those who may write."""
    return not isinstance(branch.guard, Unknown) and not _lacks(branch.guard)


def _branch(where: Where, branch: Branch) -> Finding:
    name, guard = _name(branch), branch.guard
    if isinstance(guard, Unknown):
        if guard.in_plan:
            return unknown(name, f"{branch.name}: {guard.why}")
        return warn(
            name,
            f"{branch.name}: {guard.why}; {_meaning(branch)}",
            f"fine when alone; else make {where.place.repository} public, or take a plan that "
            f"has rulesets (https://{where.host}/pricing)",
        )
    lacks = _lacks(guard)
    if lacks and branch.classic is not None:
        return unknown(
            name,
            f"{branch.name} has classic protection, which does not say who may make or delete it",
            "add a ruleset, as doctor shows for a branch without protection",
        )
    if lacks:
        what = "is not protected" if len(lacks) == len(CLOSED) else f"lacks {', '.join(lacks)}"
        step, block = _fix(where, branch)
        return warn(name, f"{branch.name} {what}: {_meaning(branch)}", step, block)
    return _closed(where, branch, guard)


def _closed(where: Where, branch: Branch, guard: Guard) -> Finding:
    name, page = _name(branch), f"https://{where.host}/{where.place.repository}/settings/rules"
    sets = {rule.ruleset for rule in guard.rules if rule.type in CLOSED}
    found = [actors_of(one) for number, one in guard.rulesets.items() if number in sets]
    if None in found or not found:
        return unknown(
            name,
            f"{branch.name} is protected; who may push it all the same is shown to administrators",
        )
    common = _common([actors or () for actors in found])
    if not common:
        return missing(
            name,
            f"nobody may push {branch.name}, {_whose(branch)} neither",
            f"{page}: add {_whose(branch)} to the Bypass list of each ruleset of that branch",
        )
    if ("Integration", _ACTIONS) in common:
        return warn(
            name,
            f"GitHub Actions may push {branch.name}: so may a workflow that somebody edits on any "
            "branch",
            f"{page}: leave {_whose(branch)} alone on the Bypass list",
        )
    said = ", ".join(sorted({_KINDS.get(kind, kind) for kind, _ in common}))
    if any(kind in _BROAD for kind, _ in common):
        return warn(
            name,
            f"{said} may push {branch.name}: {_meaning(branch)}",
            f"{page}: leave {_whose(branch)} alone on the Bypass list",
        )
    return ok(name, f"{said} may push {branch.name}, and nobody else")


def _common(found: list[tuple[Actor, ...]]) -> set[tuple[str, int | None]]:
    """Return who may pass by all of several rulesets."""
    sets = [
        {(one.type, one.id) for one in actors if one.mode != "pull_request"} for actors in found
    ]
    return set.intersection(*sets)


def _lacks(guard: Guard) -> list[str]:
    """Return which rules a branch lacks; without updates there is no force-push either."""
    types = {rule.type for rule in guard.rules}
    if "update" in types:
        types.add("non_fast_forward")
    return [kind for kind in CLOSED if kind not in types]


def _fix(where: Where, branch: Branch) -> tuple[str, str]:
    repository, host = where.place.repository, where.host
    if branch.name == BRANCH:
        step = "fine when alone; else, with ACCOUNT the one whose token is MERGELINE_TOKEN:"
        return step, ledger_block(repository, host, BRANCH)
    step = "fine when alone; else this keeps it to deploy keys (the server's is one):"
    return step, follower_block(repository, host)


def _name(branch: Branch) -> str:
    return "ledger" if branch.name == BRANCH else "follower"


def _whose(branch: Branch) -> str:
    return "the line's own account or app" if branch.name == BRANCH else "the server's key"


def _meaning(branch: Branch) -> str:
    if branch.name == BRANCH:
        return "whoever may write could write history, and so declare what goes live"
    return "whoever may write could report a release as live that is not"
