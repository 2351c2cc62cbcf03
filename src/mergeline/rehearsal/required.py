"""Which rules hold for a branch, and what a merge into it still lacks."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mergeline.rehearsal.state import Pull, Repo, Ruleset

_CHECKS = "required_status_checks"
_PULL = "pull_request"
_APPROVALS = "required_approving_review_count"
_WRITERS = ("admin", "maintain", "write")
_DECIDE = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
_WELL = ("success", "neutral", "skipped")


def rulesets_of(repo: Repo, branch: str) -> Iterator[Ruleset]:
    """Return the rulesets that are active for a branch."""
    for ruleset in repo.rulesets:
        active = ruleset.enforcement == "active" and ruleset.target == "branch"
        if active and _covers(repo, ruleset, branch):
            yield ruleset


def missing_statuses(repo: Repo, pull: Pull, sha: str | None = None) -> list[str]:
    """Return the required contexts that are not green on a pull request's head, or elsewhere."""
    wanted = [
        check["context"]
        for ruleset in rulesets_of(repo, pull.base_ref)
        for rule in ruleset.rules
        if rule["type"] == _CHECKS
        for check in rule["parameters"][_CHECKS]
    ]
    return [context for context in wanted if not _is_green(repo, sha or pull.head_sha, context)]


def missing_approvals(repo: Repo, pull: Pull) -> int:
    """Return how many approvals by people who may write a pull request still lacks."""
    wanted = max(
        (
            rule["parameters"].get(_APPROVALS, 0)
            for ruleset in rulesets_of(repo, pull.base_ref)
            for rule in ruleset.rules
            if rule["type"] == _PULL
        ),
        default=0,
    )
    last = {review.login: review.state for review in pull.reviews if review.state in _DECIDE}
    counted = [who for who, state in last.items() if state == "APPROVED" and _writes(repo, who)]
    return max(0, wanted - len(counted))


def _writes(repo: Repo, login: str) -> bool:
    return repo.collaborators.get(login) in _WRITERS


def _is_green(repo: Repo, sha: str, context: str) -> bool:
    statuses = [one for one in repo.statuses if (one.sha, one.context) == (sha, context)]
    runs = [run for run in repo.check_runs.values() if (run.sha, run.name) == (sha, context)]
    said = [statuses[-1].state == "success"] if statuses else []
    said += [runs[-1].conclusion in _WELL] if runs else []
    return bool(said) and all(said)


def _covers(repo: Repo, ruleset: Ruleset, branch: str) -> bool:
    def matches(pattern: str) -> bool:
        if pattern == "~DEFAULT_BRANCH":
            return branch == repo.default_branch
        return pattern == "~ALL" or fnmatchcase(f"refs/heads/{branch}", pattern)

    return any(map(matches, ruleset.include)) and not any(map(matches, ruleset.exclude))
