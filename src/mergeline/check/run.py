"""`mergeline check`: reproduce, baseline, compare, judge, candidate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import ValidationError

from mergeline import __version__
from mergeline.adapters.deepchecks import DeepchecksServer
from mergeline.adapters.git import Git
from mergeline.check.baseline import BaselineFiles, restore_baseline
from mergeline.check.compare import BaselineModel, compare
from mergeline.check.inputs import inputs_digest, working_inputs
from mergeline.check.reproduce import Reproduction, reproduce
from mergeline.config.load import load_settings, parse_settings
from mergeline.config.moved import moved_banners
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.digest import json_digest, promotion_key
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.case import Case
from mergeline.core.judge import judge_change
from mergeline.core.plan import Plan
from mergeline.core.verdict import Candidate, Comparison, Stage
from mergeline.errors import ToolError
from mergeline.files import write_whole

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        root: The project's root, which holds `params.yaml`.
        base: A Git revision; None for the tip of main.
        today: The day on which waivers are held against their expiry.
    """

    root: Path
    base: str | None
    today: date


def today() -> date:
    """Return the day, in UTC."""
    return datetime.now(UTC).date()


def run_only(root: Path, stage: str, say: Say) -> tuple[Stage, ...]:
    """Bring one stage, and what it needs, up to date.

    Raises:
        UsageError: There is no such stage.
        MergelineError: It failed.
    """
    return _reproduce(root, stage, say).stages


def run_check(request: Request, say: Say) -> Plan:
    """Take a project from its settings to a plan; write candidate and verdict.

    Args:
        request: Where, and against what.
        say: Is told, a line each, what is going on.

    Raises:
        MergelineError: Settings, data, model, a tool or the base are not usable.
    """
    root = request.root
    git = Git(root)
    settings = load_settings(root / layout.SETTINGS)
    base = git.resolve(request.base) if request.base else git.default_base()
    reproduction = _reproduce(root, None, say)
    evidence = read_evidence(root)
    files = restore_baseline(root, git, base, say=say)
    old = _base_settings(git, base, files)
    old_evidence = read_evidence(files.folder) if files.folder else EvidenceSet()
    comparison = None
    if files.folder is not None and old is not None:
        comparison = _compare(
            root, settings, evidence, BaselineModel(files.folder, old, old_evidence)
        )
    dirty = git.dirty()
    inputs = working_inputs(root, git) if dirty else inputs_digest(git, git.head())
    judgement = judge_change(
        old.policy if old else None,
        settings.policy,
        Case(evidence, files.baseline, old_evidence, comparison),
        inputs_changed=base is None or inputs != inputs_digest(git, base),
        dirty=bool(dirty),
        today=request.today,
    )
    moved = moved_banners(old, settings) if old else ()
    plan = Plan(
        project=settings.project,
        noun=settings.data.noun,
        candidate=_candidate(git, settings, base, inputs, evidence, dirty),
        baseline=files.baseline,
        judgement=judgement.model_copy(update={"banners": (*judgement.banners, *moved)}),
        evidence=evidence,
        baseline_evidence=old_evidence,
        comparison=comparison,
        stages=reproduction.stages,
        notices=reproduction.notices,
        approvals=settings.promotion.approvals,
        command=f"mergeline check --base {base[:12]}" if base else "mergeline check",
    )
    write_whole(root / layout.CANDIDATE, (plan.candidate.model_dump_json(indent=1) + "\n").encode())
    write_whole(root / layout.VERDICT, verdict_json(plan).encode())
    return plan


def verdict_json(plan: Plan) -> str:
    """Return `reports/verdict.json`: the plan without the evidence, which has files of its own."""
    text = plan.model_dump_json(indent=1, exclude={"evidence", "baseline_evidence"})
    return text + "\n"


def read_evidence(folder: Path) -> EvidenceSet:
    """Read the evidence files under a project's root, or under a remembered baseline.

    Raises:
        ToolError: A file is not evidence of this version's schema.
    """
    paths = {name: folder / layout.evidence(name) for name in STAGES}
    files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    try:
        return EvidenceSet.parse(files)
    except ValidationError as error:
        raise ToolError(
            f"a file under {folder / 'reports'} is not evidence of this version of Mergeline: "
            f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}",
            hint="make it again: remove the file, then `mergeline check`",
        ) from error


def _reproduce(root: Path, only: str | None, say: Say) -> Reproduction:
    return reproduce(root, only=only, on_stale=_deepchecks, say=say)


@contextmanager
def _deepchecks(stale: frozenset[str]) -> Iterator[dict[str, str]]:
    """Start deepchecks once, early, when a stage that uses it will run."""
    if not stale & {"check_data", "check_model"}:
        yield {}
        return
    with DeepchecksServer():
        yield {}


def _base_settings(git: Git, base: str | None, files: BaselineFiles) -> Settings | None:
    """Return the base's settings; None where it has none or they cannot be read."""
    if base is None or files.baseline.status in ("none", "unreadable"):
        return None
    text = git.read(base, layout.SETTINGS)
    if text is None:
        return None
    return parse_settings(text.decode(), origin=f"{layout.SETTINGS} at {base[:12]}")


def _compare(
    root: Path, settings: Settings, evidence: EvidenceSet, baseline: BaselineModel
) -> Comparison:
    """Compare, or remember what the comparison of the same things said."""
    what = json_digest(
        [
            __version__,
            evidence.digest(),
            baseline.evidence.digest(),
            settings.evaluate.as_json(),
            settings.fairness.as_json(),
            settings.data.as_json(),
            settings.model.seed,
            baseline.settings.evaluate.threshold,
        ]
    )
    path = root / layout.STATE / "comparisons" / f"{what}.json"
    if path.is_file():
        return Comparison.model_validate_json(path.read_bytes())
    comparison = compare(root, settings, evidence, baseline)
    write_whole(path, comparison.model_dump_json().encode())
    return comparison


def _candidate(
    git: Git,
    settings: Settings,
    base: str | None,
    inputs: str,
    evidence: EvidenceSet,
    dirty: tuple[str, ...],
) -> Candidate:
    head = git.head()
    model = evidence.train.content.model_sha256 if evidence.train else ""
    return Candidate(
        project=settings.project,
        commit=head,
        tree=git.tree(head),
        base=base,
        inputs=inputs,
        model=model,
        evidence=evidence.digest(),
        key=promotion_key(settings.project, inputs, model),
        dirty=dirty,
    )
