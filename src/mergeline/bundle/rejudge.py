"""Judging again: the verdict that counts, from a build's measurements and Git's policies.

Outcomes, banners, candidate and texts of the build are not read; Git decides what it can.
The measurements themselves are the build's word: it ran the pull request's code, so that
evidence which fits the commit proves consistency, not truth. The baseline's evidence and the
comparison come from the same build and no digest of the head covers them; where the base's own
evidence was never seen by a trusted job, nothing proves them.
"""

from collections.abc import Sequence
from datetime import date
from math import inf

from mergeline.adapters.git import Git
from mergeline.bundle.agreement import require_agreement, require_data
from mergeline.bundle.judged import (
    NO_BASE,
    Head,
    Measured,
    base_settings,
    committed,
    judged_plan,
    without_baseline,
)
from mergeline.bundle.read import Bundle
from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.core.evidence import EvaluateContent, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.core.strict_json import shortened
from mergeline.core.task import higher_is_better
from mergeline.core.verdict import Baseline, Paired, Practical
from mergeline.errors import ConfigError, InvalidBundle
from mergeline.inputs.digest import inputs_digest, stages_of
from mergeline.inputs.trees import CommitTree
from mergeline.stats.paired import paired_outcome

_HINT = "run the build again on this commit, against this base"
_MOST_NOTICES, _LONGEST_TEXT = 10, 200
_SLACK = 1e-9


def rejudge(
    git: Git,
    bundle: Bundle,
    *,
    base: str | None,
    head: str,
    today: date,
    policy: str | None = None,
) -> Plan:
    """Return the plan of a commit, judged anew.

    Args:
        git: Holds both commits; a bare clone is enough.
        bundle: Read, so that its digests are those of its bytes.
        base: The commit whose policy counts; None when there is none before the head. The
            build may have compared with another one of the same I.
        head: The commit that the evidence is said to be of, or one of the same I.
        today: The day on which waivers are held against their expiry.
        policy: The commit whose policy counts where it is not that of the base.

    Raises:
        InvalidBundle: Evidence, baseline or stages contradict what Git holds.
        ConfigError: The head's settings or pipeline are not right.
        ToolError: Git fails, or does not hold a commit.
    """
    judged = _head(git, bundle.plan, head)
    baseline, before = base_settings(git, _baseline(git, bundle.plan, base))
    if policy is not None and policy != base:
        _, before = base_settings(git, Baseline(status="available", commit=policy))
    measured = _measured(git, bundle.plan, baseline)
    _require_stages(git, head, [stage.name for stage in measured.stages])
    if not judged.dirty:  # else it was made from something that nobody committed
        if bundle.plan.candidate.inputs != judged.inputs:
            raise _invalid(f"it was made from other inputs than those of {head[:12]}")
        require_agreement(git, head, judged.settings, measured.evidence)
    return judged_plan(git, judged, before, measured, today=today)


def _head(git: Git, stated: Plan, commit: str) -> Head:
    text = (git.read(commit, layout.SETTINGS) or b"").decode(errors="replace")
    settings = parse_settings(text, origin=f"{layout.SETTINGS} at {commit[:12]}")
    contract = settings.data.contract
    return Head(
        commit=commit,
        settings=settings,
        inputs=inputs_digest(git, commit),
        contract=committed(git, commit, contract) if contract else None,
        dirty=stated.candidate.dirty,
    )


def _measured(git: Git, stated: Plan, baseline: Baseline) -> Measured:
    """Return what the build measured; of the baseline nothing where there is none."""
    there = baseline.status == "available"
    if there and baseline.commit is not None:
        _require_comparison(stated)
        _require_stages(git, baseline.commit, [*baseline.restored, *baseline.ran])
        before = stated.baseline_evidence.prepare
        if before is not None:
            require_data(git, baseline.commit, before.content)
    return Measured(
        evidence=stated.evidence,
        baseline=baseline,
        baseline_evidence=stated.baseline_evidence if there else EvidenceSet(),
        comparison=stated.comparison if there else None,
        stages=stated.stages,
        notices=tuple(map(_said, stated.notices[:_MOST_NOTICES])),
    )


# --- the baseline ----------------------------------------------------------------------


def _baseline(git: Git, stated: Plan, base: str | None) -> Baseline:
    """Return where the baseline came from: Git's word, and the build's where Git has none."""
    found = NO_BASE if base is None else without_baseline(git, base)
    if not is_like(git, stated.candidate.base, base):
        raise _invalid(
            f"it was compared with {_short(stated.candidate.base)}, not with {_short(base)}"
        )
    if found is not None:
        return found
    said = stated.baseline
    if said.status == "none":
        raise _invalid(f"it says that there is no baseline, and {_short(base)} has one")
    if said.status == "available":
        return said.model_copy(update={"commit": base, "reason": ""})
    return Baseline(status=said.status, commit=base, reason=_said(said.reason))


def is_like(git: Git, stated: str | None, base: str | None) -> bool:
    """Whether two bases have the same model: they are one, have one I, or have none at all."""
    if stated == base:
        return True
    if stated is None or base is None or not git.has(stated):
        return False
    try:
        return inputs_digest(git, stated) == inputs_digest(git, base)
    except ConfigError:
        gone = (without_baseline(git, commit) for commit in (stated, base))
        return all(found is not None and found.status == "none" for found in gone)


def is_older(git: Git, commit: str | None, base: str | None) -> bool:
    """Whether a commit was main once, before a base, which has another model."""
    if commit is None or base is None or not git.has(commit):
        return False
    return git.is_ancestor(commit, base) and not is_like(git, commit, base)


def _require_comparison(stated: Plan) -> None:
    """Refuse a comparison that cannot come out of comparing."""
    found, evaluate = stated.comparison, stated.evidence.evaluate
    if found is None or evaluate is None:
        raise _invalid("its baseline is available, and nothing was compared with it")
    if found.n > evaluate.content.n:
        raise _invalid(f"it compares {found.n} rows of {evaluate.content.n}")
    for name, pair in found.metrics.items():
        if name not in evaluate.content.metrics:
            raise _invalid(f"it compares the metric {shortened(name)}, which was not measured")
        _require_pair(name, pair, higher_is_better=higher_is_better(name))
    for by, gaps in found.fairness.items():
        for name, pair in gaps.items():
            _require_pair(f"{name} by {by}", pair, higher_is_better=False)
    if found.practical is not None:
        _require_practical(found.practical, evaluate.content)
    prepare = stated.evidence.prepare
    columns = {column.name for column in prepare.content.columns} if prepare else set()
    for name in found.drift:
        if name not in columns:
            raise _invalid(f"it states drift of {shortened(name)}, which is no column of the data")


def _require_practical(found: Practical, evaluate: EvaluateContent) -> None:
    """Refuse a change in plain terms that is of another task, or that cannot be."""
    kind = {"binary": "caught", "multiclass": "right", "regression": "off"}[evaluate.task]
    most = inf if kind == "off" else 100 + _SLACK
    values = (found.paired.baseline, found.paired.candidate)
    inside = all(value is None or 0 <= value <= most for value in values)
    selects = found.selected is not None
    if found.kind != kind or selects != (kind == "caught") or not inside:
        raise _invalid(f"its change in practice is not one of the task {evaluate.task}")
    _require_pair(found.kind, found.paired, higher_is_better=kind != "off")


def _require_pair(name: str, pair: Paired, *, higher_is_better: bool) -> None:
    outcome = paired_outcome(pair.delta, higher_is_better=higher_is_better)
    known = None not in (pair.candidate, pair.baseline)
    change = (pair.candidate or 0.0) - (pair.baseline or 0.0) if known else None
    value = pair.delta.value
    differs = (value is None) != (change is None) or abs((value or 0) - (change or 0)) > _SLACK
    if (pair.higher_is_better, pair.outcome) != (higher_is_better, outcome) or differs:
        raise _invalid(f"its comparison of {shortened(name)} contradicts itself")


# --- texts -------------------------------------------------------------------------------


def _require_stages(git: Git, commit: str, names: Sequence[str]) -> None:
    """Refuse stages that the pipeline does not have: their names would be the build's own."""
    try:
        known = stages_of(CommitTree(git, commit))
    except ConfigError as error:
        raise _invalid(f"it ran stages of {_short(commit)}: {error.message}") from error
    if len(names) != len(set(names)) or not set(names) <= known.keys():
        raise _invalid(f"it ran stages that {layout.PIPELINE} does not have, or one twice")


def _said(text: str) -> str:
    """Return what a build says as what it is, and short."""
    return f"The build says: {text[:_LONGEST_TEXT]}"


def _short(commit: str | None) -> str:
    return "no commit" if commit is None else commit[:12]


def _invalid(what: str) -> InvalidBundle:
    return InvalidBundle(f"the artifacts of the build are refused: {what}", hint=_HINT)
