"""The rulesets that protect a line, and the commands that add them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mergeline.project.doctor.place import PUBLIC

STATUS = "mergeline"
# What keeps a branch to those who may pass by the rules.
CLOSED = ("creation", "update", "deletion", "non_fast_forward")
_ACTOR = "$LINE"


def main_ruleset(approvals: int, *, owners: bool) -> dict[str, Any]:
    """Return what main needs, as GitHub's API takes it.

    Args:
        approvals: How many the settings ask for.
        owners: Whether there is a file of code owners.
    """
    reviewed = approvals > 0
    pull = {
        "required_approving_review_count": approvals,
        "dismiss_stale_reviews_on_push": reviewed,
        "require_last_push_approval": reviewed,
        "require_code_owner_review": reviewed and owners,
        "required_review_thread_resolution": False,
    }
    checks = {
        "required_status_checks": [{"context": STATUS}],
        "strict_required_status_checks_policy": False,
    }
    rules: list[dict[str, Any]] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": pull},
        {"type": "required_status_checks", "parameters": checks},
    ]
    return _ruleset("mergeline: main", ["~DEFAULT_BRANCH"], rules, [])


def closed_ruleset(name: str, branches: Sequence[str], actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return what keeps branches to one actor, as GitHub's API takes it."""
    rules: list[dict[str, Any]] = [{"type": kind} for kind in CLOSED]
    return _ruleset(name, [f"refs/heads/{branch}" for branch in branches], rules, [dict(actor)])


def ledger_block(repository: str, host: str, branch: str) -> str:
    """Return the commands that keep the ledger to the account of the line's own key."""
    actor = {"actor_id": _ACTOR, "actor_type": "User", "bypass_mode": "always"}
    body = closed_ruleset("mergeline: ledger", [branch], actor)
    number = f"LINE=$(gh api {_host(host)}users/ACCOUNT --jq .id)"
    text = command(repository, host, body).replace("<<'JSON'", "<<JSON")
    return f"{number}\n{text}".replace(f'"{_ACTOR}"', _ACTOR)


def follower_block(repository: str, host: str) -> str:
    """Return the command that keeps the followers' branches to deploy keys."""
    actor = {"actor_id": None, "actor_type": "DeployKey", "bypass_mode": "always"}
    body = closed_ruleset("mergeline: followers", ["mergeline/follower/*"], actor)
    return command(repository, host, body)


def command(repository: str, host: str, body: Mapping[str, Any]) -> str:
    """Return the lines that add a ruleset, to be copied whole."""
    start = f"gh api {_host(host)}--method POST repos/{repository}/rulesets"
    return f"{start} --input - <<'JSON'\n{_written(body)}\nJSON"


def _host(host: str) -> str:
    return "" if host == PUBLIC else f"--hostname {host} "


def _written(body: Mapping[str, Any]) -> str:
    """Return JSON with a line a rule."""
    parts = []
    for key, value in body.items():
        if key == "rules":
            rules = ",\n".join(f"  {json.dumps(rule)}" for rule in value)
            parts.append(f' "rules": [\n{rules}]')
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "}"


def _ruleset(
    name: str, include: list[str], rules: list[dict[str, Any]], bypass: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "bypass_actors": bypass,
        "rules": rules,
    }
