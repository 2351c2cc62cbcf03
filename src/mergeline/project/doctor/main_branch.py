"""The rules of main: what GitHub asks for before a merge, against what a promotion asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mergeline.config.settings import Settings
from mergeline.core.policy import Promotion
from mergeline.project.doctor.asking import Branch, Guard, Seen, Unknown, actors_of
from mergeline.project.doctor.finding import Finding, missing, ok, unknown, warn
from mergeline.project.doctor.owners import owners_file, owners_of
from mergeline.project.doctor.place import Where
from mergeline.project.doctor.rulesets import STATUS, command, main_ruleset
from mergeline.project.doctor.workflows import FOLDER, read_workflows

_POLICY, _WORKFLOW = "params.yaml", f"{FOLDER}/comment.yml"
_ABOVE = "the command above adds it"
_BUILD = "pull-request.yml"


@dataclass
class _Asked:
    """What GitHub asks for before a merge; the strictest of all that counts.

    Attributes:
        hidden: Why part of it cannot be seen; empty when all of it can.
    """

    pulls: bool = False
    approvals: int = 0
    dismiss: bool = False
    last_push: bool = False
    owners: bool = False
    statuses: set[str] = field(default_factory=set)
    no_force: bool = False
    no_deletion: bool = False
    queue: bool = False
    hidden: str = ""


class _Fix:
    """The command that adds what is missing: shown whole once."""

    def __init__(self, where: Where, approvals: int, *, owners: bool) -> None:
        body = main_ruleset(approvals, owners=owners)
        self._block = command(where.place.repository, where.host, body)
        self._shown = False

    def __call__(self) -> tuple[str, str]:
        if self._shown:
            return _ABOVE, ""
        self._shown = True
        return "when the workflows are on main, this adds the rules (all of them):", self._block


def main_findings(
    where: Where, seen: Seen, root: Path | None, settings: Settings | None
) -> Iterator[Finding]:
    """Hold the rules of main against the settings."""
    asked = _asked(seen.main)
    guard = seen.main.guard
    if isinstance(guard, Unknown) and not guard.in_plan:
        yield warn(
            "main: rules",
            f"{guard.why}: whoever may write may push to main; a promotion then refuses "
            "(DIRECT_PUSH), and the line waits until somebody accepts that commit by name",
            f"make {where.place.repository} public, or take a plan with rulesets "
            f"(https://{where.host}/pricing)",
        )
        return
    approvals = (settings.promotion if settings else Promotion()).approvals
    owners = root is not None and owners_file(root) is not None
    fix = _Fix(where, approvals, owners=owners)
    yield _needed(
        "main: pull requests",
        asked,
        fix,
        met=asked.pulls,
        good="required",
        bad="not required: a direct push blocks the line (DIRECT_PUSH)",
    )
    yield _needed(
        "main: status",
        asked,
        fix,
        met=STATUS in asked.statuses,
        good=f"`{STATUS}` is required",
        bad=f"`{STATUS}` is not required: a model that fails its gates can be merged",
    )
    yield _needed(
        "main: approvals",
        asked,
        fix,
        met=asked.approvals >= approvals,
        good=f"GitHub asks for {asked.approvals}, params.yaml for {approvals}",
        bad=f"GitHub asks for {asked.approvals}, params.yaml for {approvals}: what is merged with "
        "fewer is not promoted (NOT_APPROVED), and the line waits",
    )
    if approvals:
        yield _last_push(asked, fix)
        yield from _owners(asked, seen, root)
    both = asked.no_force and asked.no_deletion
    yield _needed(
        "main: history",
        asked,
        fix,
        met=both,
        good="no force-push, no deletion",
        bad=f"{_either(asked)} allowed: a line whose history was rewritten stands still "
        "(HISTORY_REWRITTEN)",
    )
    yield from _bypass(where, guard)
    yield from _queue(asked, root)


def _needed(name: str, asked: _Asked, fix: _Fix, *, met: bool, good: str, bad: str) -> Finding:
    if met:
        return ok(name, good)
    if asked.hidden:
        return unknown(name, f"the rules that can be seen do not say; {asked.hidden}")
    step, block = fix()
    return missing(name, bad, step, block)


def _asked(branch: Branch) -> _Asked:
    asked = _Asked()
    if isinstance(branch.guard, Unknown):
        asked.hidden = f"rulesets: {branch.guard.why}"
    else:
        _of_rules(asked, branch.guard)
    classic = branch.classic
    if isinstance(classic, Unknown):
        asked.hidden = asked.hidden or f"classic protection: {classic.why}"
    elif classic is not None:
        asked.no_force |= not classic.force_pushes
        asked.no_deletion |= not classic.deletions
        asked.statuses |= set(classic.contexts)
        if (reviews := classic.reviews) is not None:
            asked.pulls = True
            asked.approvals = max(asked.approvals, reviews.approvals)
            asked.dismiss |= reviews.dismiss_stale
            asked.last_push |= reviews.last_push
            asked.owners |= reviews.code_owners
    return asked


def _of_rules(asked: _Asked, guard: Guard) -> None:
    for rule in guard.all("pull_request"):
        said = rule.parameters
        asked.pulls = True
        asked.approvals = max(asked.approvals, int(said.get("required_approving_review_count", 0)))
        asked.dismiss |= bool(said.get("dismiss_stale_reviews_on_push"))
        asked.last_push |= bool(said.get("require_last_push_approval"))
        asked.owners |= bool(said.get("require_code_owner_review"))
    for rule in guard.all("required_status_checks"):
        checks = rule.parameters.get("required_status_checks", [])
        asked.statuses |= {str(check.get("context")) for check in checks}
    asked.no_force |= guard.first("non_fast_forward") is not None
    asked.no_deletion |= guard.first("deletion") is not None
    asked.queue |= guard.first("merge_queue") is not None


def _last_push(asked: _Asked, fix: _Fix) -> Finding:
    name = "main: last push"
    if asked.dismiss and asked.last_push:
        return ok(name, "a push dismisses approvals, and somebody else must approve the last one")
    if asked.hidden:
        return unknown(name, f"the rules that can be seen do not say; {asked.hidden}")
    lacks = [
        what
        for what, there in (
            ("stale approvals are kept", asked.dismiss),
            ("whoever pushed last may approve", asked.last_push),
        )
        if not there
    ]
    step, block = fix()
    if asked.last_push:
        # A promotion asks for approvals of the final head, whatever GitHub keeps.
        return warn(
            name,
            f"{lacks[0]}: GitHub lets merge what is not promoted (STALE_APPROVAL)",
            step,
            block,
        )
    # No other rule sees it: who pushed is not in a commit, and a name in it may be another's.
    return missing(
        name,
        f"{' and '.join(lacks)}: security, not a matter of taste: one writer alone could push "
        "commits under another name to a pull request that somebody else or a bot opened, and "
        "approve them",
        step,
        block,
    )


def _owners(asked: _Asked, seen: Seen, root: Path | None) -> Iterator[Finding]:
    """The policy is to be loosened only with a code owner's approval."""
    if root is None:
        return
    name, file = "main: code owners", owners_file(root)
    text = (root / file).read_text(encoding="utf-8", errors="replace") if file else ""
    without = [path for path in (_POLICY, _WORKFLOW) if not owners_of(text, path)]
    errors = () if isinstance(seen.owner_errors, Unknown) else seen.owner_errors
    if without:
        yield warn(
            name,
            f"nobody owns {' and '.join(without)}: any approval may loosen the gates or change "
            "the workflows",
            f"in {file or '.github/CODEOWNERS'}: `/params.yaml @OWNER` and `/.github/ @OWNER`",
        )
    elif errors:
        yield warn(name, f"GitHub finds a mistake in {file}: {errors[0]}", f"mend {file}")
    elif asked.owners:
        yield ok(name, f"{file}; their review is required")
    elif asked.hidden:
        yield unknown(name, f"{file}; whether their review is required: {asked.hidden}")
    else:
        yield warn(
            name,
            f"{file} is there, and their review is not required",
            "Settings, Rules, Rulesets, the one of main: Require review from Code Owners",
        )


def _either(asked: _Asked) -> str:
    parts = [("force-push", asked.no_force), ("deletion", asked.no_deletion)]
    return " and ".join(what for what, forbidden in parts if not forbidden)


def _bypass(where: Where, guard: Guard | Unknown) -> Iterator[Finding]:
    """Say who may pass by the rules of main."""
    if isinstance(guard, Unknown) or not guard.rules:
        return
    name = "main: bypass"
    found = {number: actors_of(one) for number, one in guard.rulesets.items()}
    if None in found.values():
        yield unknown(name, "who may pass by the rules is shown to administrators only")
        return
    passing = {number: actors for number, actors in found.items() if actors}
    if not passing:
        yield ok(name, "nobody may pass by the rules")
        return
    types = sorted({actor.type for actors in passing.values() for actor in actors or ()})
    yield warn(
        name,
        f"{', '.join(types)} may pass by the rules; what they push directly blocks the line",
        f"https://{where.host}/{where.place.repository}/settings/rules/{min(passing)}: Bypass list",
    )


def _queue(asked: _Asked, root: Path | None) -> Iterator[Finding]:
    if not asked.queue or root is None:
        return
    build = read_workflows(root)[0].get(_BUILD)
    if build is not None and "merge_group" not in build.events:
        detail = f"there is one, and {_BUILD} does not run for it: nothing would ever be merged"
        yield missing("main: queue", detail, f"in {FOLDER}/{_BUILD}: `merge_group:` below `on:`")
    else:
        yield ok("main: queue", f"there is one, and {_BUILD} runs for it")
