"""From the digest that is served back to the pull request: each link computed again."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.registry import KEY, Registry
from mergeline.core.base import Frozen
from mergeline.errors import ConfigError, MergelineError, ToolError
from mergeline.inputs.digest import inputs_digest
from mergeline.inputs.settings import require_settings_at
from mergeline.ledger.entries import Release
from mergeline.ledger.history import History
from mergeline.ledger.report import read_report
from mergeline.release.fetched import Files, download
from mergeline.release.find import Declaration, require_commit
from mergeline.release.link import Differs, Link, looked
from mergeline.release.made_from import made_from_links


class Audit(Frozen):
    """A release, link by link, from what is served to what it was made from."""

    schema_version: Literal[1] = 1
    project: str
    environment: str
    version: str
    links: tuple[Link, ...]

    @property
    def holds(self) -> bool:
        """Whether every link was looked at and holds."""
        return all(link.state == "holds" for link in self.links)


@dataclass(frozen=True)
class Sources:
    """Where the links are looked up.

    Attributes:
        git: A whole clone.
        history: The ledger, whose chain was verified when it was read.
        main: The branch that releases come from.
    """

    git: Git
    remote: Remote
    registry: Registry
    history: History
    main: str


def audit(sources: Sources, declaration: Declaration) -> Audit:
    """Compute every link of a release again; what cannot be looked at is no tick."""
    with tempfile.TemporaryDirectory() as scratch:
        links = tuple(_links(sources, declaration, Path(scratch)))
    release = declaration.release
    return Audit(
        project=release.project,
        environment=declaration.declared.environment,
        version=release.version,
        links=links,
    )


def _links(sources: Sources, declaration: Declaration, scratch: Path) -> Iterator[Link]:
    release, git = declaration.release, sources.git
    files = _files(sources.registry, release, scratch)
    yield looked("ledger", partial(_ledger, sources.history))
    yield looked("served digest", partial(_served, sources, declaration))
    yield looked("registry", partial(_version, sources.registry, release))
    yield looked("model and evidence (M, E)", partial(_rehashed, files, release))
    yield looked("commit", partial(_commit, sources, release))
    yield looked("inputs (I)", partial(_inputs, git, release))
    yield looked("pull request", partial(_pull_request, declaration))
    yield looked("approvals", partial(_approvals, git, declaration))
    yield from made_from_links(git, declaration, files if isinstance(files, Files) else None)


def _ledger(history: History) -> str:
    return f"{len(history.entries)} entries, each with the hash of the one before"


def _served(sources: Sources, declaration: Declaration) -> str:
    """Tell what is served: by the follower's own report, which names what it hashed and loaded."""
    release, environment = declaration.release, declaration.declared.environment
    desired = sources.history.desired(environment)
    if desired is None or desired.release.version != release.version:
        instead = f"version {desired.release.version}" if desired else "nothing"
        return f"not served now: the ledger declares {instead} for {environment}"
    report = read_report(sources.remote, environment)
    if report is None:
        raise ToolError(
            f"no model server of {environment} has reported", hint="start one: mergeline serve"
        )
    if report.serving != desired.number:
        raise Differs(f"{environment} does not answer with version {release.version}")
    if (report.version, report.model) != (release.version, release.model):
        raise Differs(
            f"the model server answers with {report.model[:12]}, declared is {release.model[:12]}"
        )
    return f"{release.model[:12]}, by the model server's report of {report.time}"


def _version(registry: Registry, release: Release) -> str:
    version = registry.version(release.version)
    if version is None:
        raise Differs(f"there is no version {release.version}")
    stated = version.tags.get(KEY, "")
    if stated != release.key:
        raise Differs(f"its key (K) is {stated[:12] or 'nothing'}, declared is {release.key[:12]}")
    same = [each.number for each in registry.find(release.key)]
    if same != [release.version]:
        raise Differs(f"one key, several versions: {', '.join(same)}")
    return f"version {release.version} has the key (K) {release.key[:12]}, and no other has it"


def _files(registry: Registry, release: Release, scratch: Path) -> Files | MergelineError:
    try:
        return download(registry, release, scratch)
    except MergelineError as error:
        return error


def _rehashed(files: Files | MergelineError, release: Release) -> str:
    if isinstance(files, MergelineError):
        raise files
    return f"M {release.model[:12]}, E {release.evidence[:12]}: computed again from the bytes"


def _commit(sources: Sources, release: Release) -> str:
    git, commit = sources.git, release.commit
    require_commit(git, sources.remote, commit)
    found, tip = git.tree(commit), sources.remote.fetched(sources.main)
    if found != release.tree:
        raise Differs(f"{commit[:12]} has the tree {found[:12]}, declared is {release.tree[:12]}")
    if tip is None or not git.is_ancestor(commit, tip):
        raise Differs(f"{commit[:12]} is not on {sources.main}")
    return f"{commit[:12]} is on {sources.main}, its tree is {found[:12]}"


def _inputs(git: Git, release: Release) -> str:
    found = inputs_digest(git, release.commit)
    if found != release.inputs:
        raise Differs(f"computed from the commit {found[:12]}, declared is {release.inputs[:12]}")
    return f"{found[:12]}, computed again from the commit"


def _pull_request(declaration: Declaration) -> str:
    release, promoted = declaration.release, declaration.promoted
    reviewed = declaration.reviewed
    if promoted is None or reviewed is None:
        raise Differs("the ledger holds no promotion of it that rests on a review")
    bound = (reviewed.key, reviewed.inputs, reviewed.model, reviewed.pull_request)
    if bound != (release.key, release.inputs, release.model, promoted.pull_request):
        raise Differs(f"entry {reviewed.number} is the review of something else")
    if not declaration.measured:
        raise Differs(f"no review in the ledger has its evidence {release.evidence[:12]}")
    return (
        f"#{promoted.pull_request} by {promoted.author}, reviewed at {reviewed.commit[:12]} "
        f"(entry {reviewed.number}); bytes {promoted.source}"
    )


def _approvals(git: Git, declaration: Declaration) -> str:
    promoted = declaration.promoted
    if promoted is None:
        raise Differs("the ledger holds no promotion of it")
    asked = _approvals_asked(git, declaration.release.commit)
    who = f"approved by {', '.join(promoted.approvers) or 'nobody'}"
    if promoted.author in promoted.approvers:
        raise Differs(f"{who}, one of whom opened it")
    if len(set(promoted.approvers)) < asked:
        raise Differs(f"{who}; {asked} asked for")
    return f"{who}; {asked} asked for"


def _approvals_asked(git: Git, commit: str) -> int:
    """Return the larger number of what the policy before a merge asked, and its own."""
    own = require_settings_at(git, commit)
    parent = git.first_parent(commit)
    try:
        before = own if parent is None else require_settings_at(git, parent)
    except ConfigError:  # the first pull request of all, or one that mends the settings
        before = own
    return max(own.promotion.approvals, before.promotion.approvals)
