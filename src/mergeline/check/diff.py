"""`mergeline diff`: two commits held against each other as a pull request is against its base."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shlex import quote

from mergeline.adapters.git import Git
from mergeline.bundle.judged import Head, Measured, committed, judged_plan
from mergeline.check.baseline import brought_up, restore_baseline
from mergeline.check.compare import BaselineModel
from mergeline.check.remembered import compare_once
from mergeline.check.run import read_evidence
from mergeline.core.plan import Plan
from mergeline.core.verdict import Banner, Baseline
from mergeline.errors import NotRestored
from mergeline.inputs.digest import inputs_digest
from mergeline.inputs.settings import require_settings_at

Say = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        asked: As it was asked for.
        commit: Which that is.
        said: What it is, for people: `version 2 (4b43620f48e6)`.
    """

    asked: str
    commit: str
    said: str


def run_diff(root: Path, a: Side, b: Side, *, today: date, say: Say) -> Plan:
    """Compare two commits, the first as baseline and the second as candidate.

    Both are restored from caches and remotes, or run where a baseline may be; the model of A
    is scored on B's held-out rows, and A's policy judges. The working tree is not looked at,
    and nothing is left there.

    Args:
        root: The project's root.
        a: The baseline.
        b: The candidate.
        today: The day on which waivers are held against their expiry.
        say: Is told, a line each, what is going on.

    Raises:
        ConfigError: One of them has no settings, or wrong ones.
        NotRestored: One of them is in no cache and may not run here.
        ToolError: Git, DVC or the disk fail.
    """
    git = Git(root)
    before, settings = (require_settings_at(git, side.commit) for side in (a, b))
    # First, for it removes what others of this process have left.
    files = restore_baseline(root, git, a.commit, say=say)
    _require(files.baseline, a, "A")
    assert files.folder is not None  # noqa: S101 -- of a baseline that is available
    old = BaselineModel(files.folder, before, read_evidence(files.folder))
    with brought_up(root, git, b.commit, "the candidate", say=say) as (tree, made):
        _require(made.baseline, b, "B")
        evidence = read_evidence(tree)
        measured = Measured(
            evidence=evidence,
            baseline=files.baseline,
            baseline_evidence=old.evidence,
            comparison=compare_once(tree, settings, evidence, old, memory=root),
            stages=made.stages,
        )
    contract = settings.data.contract
    head = Head(
        commit=b.commit,
        settings=settings,
        inputs=inputs_digest(git, b.commit),
        contract=committed(git, b.commit, contract) if contract else None,
    )
    return _said(judged_plan(git, head, before, measured, today=today), git, a, b)


def _require(baseline: Baseline, side: Side, name: str) -> None:
    if baseline.status != "available":
        reason = baseline.reason
        for whose, said in ((" of the base", ""), ("the base", "it"), ("The base", "It")):
            reason = reason.replace(whose, said)
        raise NotRestored(
            f"{name}, {side.said}, cannot be restored: {reason.rstrip('.')}",
            hint="`dvc push --run-cache` where it was checked (of a release `mergeline publish`) "
            "brings it to the remote; else, with what it pins installed, "
            f"`git switch --detach {side.commit[:12]} && mergeline check`",
        )


def _said(plan: Plan, git: Git, a: Side, b: Side) -> Plan:
    """Say what was compared, and that it is no review."""
    dirty = len(git.dirty())
    files = "1 file here that differs" if dirty == 1 else f"{dirty} files here that differ"
    text = (
        f"This compares B, {b.said}, with A, {a.said}, by the rules of A. It is no review: "
        "nothing was written to reports/, to the ledger or to the registry."
    )
    text += f" Not looked at: {files} from HEAD." if dirty else ""
    judgement = plan.judgement.model_copy(
        update={"banners": (Banner(kind="diff", text=text), *plan.judgement.banners)}
    )
    return plan.model_copy(
        update={
            "judgement": judgement,
            "command": f"mergeline diff {quote(a.asked)} {quote(b.asked)}",
        }
    )
