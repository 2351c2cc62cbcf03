"""From the digest that is served back to the pull request: each link computed again."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.registry import KEY, Registry, Version
from mergeline.core.base import Frozen
from mergeline.core.evidence import EvidenceSet
from mergeline.errors import MergelineError
from mergeline.inputs.digest import inputs_digest
from mergeline.ledger.history import History
from mergeline.ledger.report import FollowerReport
from mergeline.release.fetched import download
from mergeline.release.find import Declaration
from mergeline.release.link import Link, broken, held, unknown
from mergeline.release.made_from import evidence_links, settings_at


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
        report: The follower's; None where there is none.
    """

    git: Git
    remote: Remote
    registry: Registry
    history: History
    report: FollowerReport | None


def audit(sources: Sources, declaration: Declaration, main: str) -> Audit:
    """Compute every link of a release again.

    Args:
        sources: Where to look.
        declaration: The release.
        main: The branch that releases come from.
    """
    environment = declaration.declared.environment
    with tempfile.TemporaryDirectory() as scratch:
        links = tuple(_links(sources, declaration, main, Path(scratch)))
    release = declaration.release
    return Audit(
        project=release.project, environment=environment, version=release.version, links=links
    )


def _links(sources: Sources, declaration: Declaration, main: str, scratch: Path) -> Iterator[Link]:
    release = declaration.release
    yield _ledger(sources.history)
    yield _served(sources, declaration)
    version, link = _version(sources.registry, declaration)
    yield link
    evidence, link = _bytes(sources.registry, declaration, scratch) if version else _no_files()
    yield link
    git, commit = sources.git, release.commit
    yield _commit(sources, commit, release.tree, main)
    yield _same("inputs (I)", release.inputs, lambda: inputs_digest(git, commit))
    yield _pull_request(declaration)
    yield _approvals(git, declaration)
    verdict = scratch / "verdict.json"
    yield from evidence_links(git, commit, declaration.promoted, evidence, verdict)


def _ledger(history: History) -> Link:
    return held("ledger", f"{len(history.entries)} entries, each with the hash of the one before")


def _served(sources: Sources, declaration: Declaration) -> Link:
    """What is served: by the follower's own report, which names what it hashed and loaded."""
    release, environment = declaration.release, declaration.declared.environment
    desired = sources.history.desired(environment)
    report, name = sources.report, "served digest"
    if desired is None or desired.release.version != release.version:
        live = desired.release.version if desired else "nothing"
        return held(name, f"not served now: the ledger declares {live} for {environment}")
    if report is None:
        return unknown(name, f"no follower of {environment} has reported")
    if report.serving != desired.number:
        return broken(name, f"{environment} does not answer with version {release.version} yet")
    if (report.version, report.model) != (release.version, release.model):
        return broken(name, f"the follower serves {report.model[:12]}, not {release.model[:12]}")
    return held(name, f"{release.model[:12]}, by the follower's report of {report.time}")


def _version(registry: Registry, declaration: Declaration) -> tuple[Version | None, Link]:
    release, name = declaration.release, "registry"
    try:
        version = registry.version(release.version)
        siblings = [each.number for each in registry.find(release.key)]
    except MergelineError as error:
        return None, unknown(name, error.message)
    if version is None:
        return None, broken(name, f"there is no version {release.version}")
    stated = version.tags.get(KEY, "")
    if stated != release.key:
        found = stated[:12] or "nothing"
        return None, broken(name, f"its key is {found}, not {release.key[:12]}")
    if siblings != [release.version]:
        return version, broken(name, f"versions of one key: {', '.join(siblings)}")
    return version, held(name, f"version {release.version} has the key {release.key[:12]}")


def _bytes(
    registry: Registry, declaration: Declaration, scratch: Path
) -> tuple[EvidenceSet | None, Link]:
    release, name = declaration.release, "model and evidence (M, E)"
    try:
        _, evidence = download(registry, release, scratch)
    except MergelineError as error:
        return None, broken(name, error.message)
    return evidence, held(name, f"M {release.model[:12]}, E {release.evidence[:12]}: re-hashed")


def _no_files() -> tuple[None, Link]:
    return None, unknown("model and evidence (M, E)", "there is no version to read them from")


def _commit(sources: Sources, commit: str, tree: str, main: str) -> Link:
    git, name = sources.git, "commit"
    try:
        found, tip = git.tree(commit), sources.remote.fetched(main)
        on_main = tip is not None and git.is_ancestor(commit, tip)
    except MergelineError as error:
        return unknown(name, error.message)
    if found != tree:
        return broken(name, f"{commit[:12]} has the tree {found[:12]}, not {tree[:12]}")
    if not on_main:
        return broken(name, f"{commit[:12]} is not on {main}")
    return held(name, f"{commit[:12]} on {main}, tree {tree[:12]}")


def _pull_request(declaration: Declaration) -> Link:
    name, release = "pull request", declaration.release
    promoted, reviewed = declaration.promoted, declaration.reviewed
    if promoted is None or reviewed is None:
        return broken(name, "the ledger holds no promotion with a review of this version")
    bound = (reviewed.key, reviewed.inputs, reviewed.model, reviewed.evidence)
    wanted = (release.key, release.inputs, release.model, release.evidence)
    if bound != wanted or reviewed.pull_request != promoted.pull_request:
        return broken(name, f"entry {reviewed.number} reviewed something else")
    return held(
        name,
        f"#{promoted.pull_request} by {promoted.author}, reviewed at {reviewed.commit[:12]} "
        f"(entry {reviewed.number}), {promoted.source}",
    )


def _approvals(git: Git, declaration: Declaration) -> Link:
    name, promoted = "approvals", declaration.promoted
    if promoted is None:
        return broken(name, "the ledger holds no promotion of this version")
    try:
        asked = settings_at(git, declaration.release.commit).promotion.approvals
    except MergelineError as error:
        return unknown(name, error.message)
    who = ", ".join(promoted.approvers) or "nobody"
    if promoted.author in promoted.approvers or len(promoted.approvers) < asked:
        return broken(name, f"{asked} asked for; approved by {who}, written by {promoted.author}")
    return held(name, f"{asked} asked for; approved by {who}")


def _same(name: str, stated: str, compute: Callable[[], str]) -> Link:
    try:
        found = compute()
    except MergelineError as error:
        return unknown(name, error.message)
    if found != stated:
        return broken(name, f"computed {found[:12]}, the ledger states {stated[:12]}")
    return held(name, f"{found[:12]}, computed again from the commit's tree")
