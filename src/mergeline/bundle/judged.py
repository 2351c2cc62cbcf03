"""From what a build measured to a plan, by the policies that Git holds.

`check` does it for its author, the trusted job for everybody: with the same code.
"""

import posixpath
from dataclasses import dataclass
from datetime import date

from mergeline.adapters.git import Git
from mergeline.config.document import read_document
from mergeline.config.load import parse_settings
from mergeline.config.moved import moved_banners
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.case import Case
from mergeline.core.digest import promotion_key
from mergeline.core.evidence import EvidenceSet
from mergeline.core.judge import judge_change
from mergeline.core.plan import Plan
from mergeline.core.verdict import Banner, Baseline, Candidate, Comparison, Judgement, Stage
from mergeline.errors import ConfigError
from mergeline.inputs.digest import inputs_digest

# The mode of a file that is neither a link nor a submodule.
_REGULAR = "100"


@dataclass(frozen=True)
class Head:
    """What is to be judged, as far as Git decides it.

    Attributes:
        inputs: I of the commit, or of the working tree.
        contract: The bytes of the file that `data.contract` names; None without one.
        dirty: Files that are not as in the commit.
    """

    commit: str
    settings: Settings
    inputs: str
    contract: bytes | None
    dirty: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What a build measured.

    Attributes:
        baseline: Where the baseline came from.
        baseline_evidence: Empty when there is none.
        comparison: None when there is no baseline to compare with.
        stages: What became of each.
        notices: One line each.
    """

    evidence: EvidenceSet
    baseline: Baseline
    baseline_evidence: EvidenceSet
    comparison: Comparison | None
    stages: tuple[Stage, ...]
    notices: tuple[str, ...] = ()


def judged_plan(
    git: Git, head: Head, base: Settings | None, measured: Measured, *, today: date
) -> Plan:
    """Judge what was measured and return the plan.

    Args:
        git: Holds the base.
        head: What is judged.
        base: The base's settings; None where it has none, or they cannot be read.
        measured: Its baseline's commit is the base.
        today: The day on which waivers are held against their expiry.

    Raises:
        ToolError: Git fails.
    """
    settings, commit = head.settings, measured.baseline.commit
    return Plan(
        project=settings.project,
        noun=settings.data.noun,
        candidate=_candidate(git, head, commit, measured.evidence),
        baseline=measured.baseline,
        judgement=_judgement(git, head, base, measured, today),
        evidence=measured.evidence,
        baseline_evidence=measured.baseline_evidence,
        comparison=measured.comparison,
        stages=measured.stages,
        notices=measured.notices,
        approvals=max(item.promotion.approvals for item in (settings, base) if item),
        command=f"mergeline check --base {commit[:12]}" if commit else "mergeline check",
        card=settings.card,
    )


def _judgement(
    git: Git, head: Head, base: Settings | None, measured: Measured, today: date
) -> Judgement:
    case = Case(
        measured.evidence, measured.baseline, measured.baseline_evidence, measured.comparison
    )
    judgement = judge_change(
        base.policy if base else None,
        head.settings.policy,
        case,
        inputs_changed=head.inputs != _inputs_of(git, measured.baseline),
        dirty=bool(head.dirty),
        today=today,
    )
    banners = (*judgement.banners, *_moved(git, head, base, measured.baseline.commit))
    return judgement.model_copy(update={"banners": banners})


def _moved(git: Git, head: Head, base: Settings | None, commit: str | None) -> tuple[Banner, ...]:
    """Name what moves a gate without touching it."""
    contract = head.settings.data.contract
    if base is None or commit is None:
        return ()
    changed = contract is not None and committed(git, commit, contract) != head.contract
    return moved_banners(base, head.settings, contract_changed=changed)


def _candidate(git: Git, head: Head, base: str | None, evidence: EvidenceSet) -> Candidate:
    project = head.settings.project
    model = evidence.train.content.model_sha256 if evidence.train else ""
    return Candidate(
        project=project,
        commit=head.commit,
        tree=git.tree(head.commit),
        base=base,
        inputs=head.inputs,
        model=model,
        evidence=evidence.digest(),
        key=promotion_key(project, head.inputs, model),
        dirty=head.dirty,
    )


def committed(git: Git, commit: str, path: str) -> bytes | None:
    """Return the bytes of a file that settings name; None where the commit holds none.

    Args:
        git: Holds the commit.
        commit: Its id.
        path: Relative to the root, written in any way; one that leads out of it has no file.
    """
    place = posixpath.normpath(path)
    entry = git.entries(commit).get(place)
    if entry is None or not entry.mode.startswith(_REGULAR):
        return None
    return git.blobs([entry.oid])[entry.oid]


# --- the base ------------------------------------------------------------------------


NO_BASE = Baseline(status="none", reason="There is no commit before this one.")


def without_baseline(git: Git, base: str) -> Baseline | None:
    """Return why Git alone says that a base has no baseline; None when it may have one."""
    if not git.has(base):
        said = f"The commit {base[:12]} is not in this clone."
        return Baseline(status="unreadable", commit=base, reason=said)
    settings = git.read(base, layout.SETTINGS)
    if settings is None:
        said = f"The base has no {layout.SETTINGS}."
        return Baseline(status="none", commit=base, reason=said)
    try:
        read_document(settings.decode(errors="replace"), origin=_origin(base))
    except ConfigError as error:
        return Baseline(status="unreadable", commit=base, reason=f"{error.message.rstrip('.')}.")
    if git.read(base, layout.PIPELINE) is None:
        said = f"The base has no {layout.PIPELINE}."
        return Baseline(status="not_available", commit=base, reason=said)
    return None


def base_settings(git: Git, baseline: Baseline) -> tuple[Baseline, Settings | None]:
    """Return the base's settings; settings that are wrong make the base unreadable."""
    commit = baseline.commit
    if commit is None or baseline.status in ("none", "unreadable"):
        return baseline, None
    text = (git.read(commit, layout.SETTINGS) or b"").decode(errors="replace")
    try:
        return baseline, parse_settings(text, origin=_origin(commit))
    except ConfigError as error:
        reason = f"Its settings do not fit this version: {error.message}"
        return Baseline(status="unreadable", commit=commit, reason=reason), None


def _origin(commit: str) -> str:
    return f"{layout.SETTINGS} at {commit[:12]}"


def _inputs_of(git: Git, baseline: Baseline) -> str | None:
    """Return the base's I; None where it has no pipeline to speak of."""
    if baseline.commit is None or baseline.status in ("none", "unreadable"):
        return None
    try:
        return inputs_digest(git, baseline.commit)
    except ConfigError:
        return None
