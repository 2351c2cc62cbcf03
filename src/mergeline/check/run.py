"""`mergeline check`: reproduce, baseline, compare, judge, candidate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from mergeline.adapters.git import Git
from mergeline.bundle.judged import Head, Measured, base_settings, judged_plan
from mergeline.bundle.outputs import made_outputs
from mergeline.check.baseline import BaselineFiles, restore_baseline
from mergeline.check.compare import BaselineModel
from mergeline.check.pipeline import require_pipeline
from mergeline.check.remembered import compare_once
from mergeline.check.reproduce import Reproduction, reproduce
from mergeline.check.running import while_running
from mergeline.config.load import doubtful_sections, load_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.core.verdict import Baseline, Comparison, Stage
from mergeline.errors import ToolError
from mergeline.files import write_set
from mergeline.inputs.digest import inputs_digest, working_inputs
from mergeline.ledger.entries import Entry
from mergeline.ledger.reuse import history_here, reuse_of
from mergeline.ledger.seen import last_lines

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        root: The project's root, which holds `params.yaml`.
        base: A Git revision; None for the tip of main.
        today: The day on which waivers are held against their expiry.
        fresh: Whether the candidate's stages all run; the baseline may still be restored.
        said: Puts an entry of the ledger into one sentence; None to leave them out.
    """

    root: Path
    base: str | None
    today: date
    fresh: bool = False
    said: Callable[[Entry], str] | None = None


def today() -> date:
    """Return the day, in UTC."""
    return datetime.now(UTC).date()


def run_only(root: Path, stage: str, say: Say) -> tuple[Stage, ...]:
    """Bring one stage, and what it needs, up to date.

    Raises:
        UsageError: There is no such stage, or no commit yet.
        MergelineError: Settings, data or model are not usable, or a tool is not.
    """
    load_settings(root / layout.SETTINGS)
    Git(root).head()
    return _reproduce(root, stage, say).stages


def run_check(request: Request, say: Say) -> Plan:
    """Take a project from its settings to a plan.

    Args:
        request: Where, and against what.
        say: Is told, a line each, what is going on.

    Raises:
        MergelineError: Settings, data, model, a tool or the base are not usable.
    """
    root = request.root
    git = Git(root)
    settings = load_settings(root / layout.SETTINGS)
    for doubt in doubtful_sections(root / layout.SETTINGS):
        say(doubt)
    commit = git.resolve(request.base) if request.base else git.default_base()
    reproduction = _reproduce(root, None, say, fresh=request.fresh)
    evidence = read_evidence(root)
    base = _read_base(git, restore_baseline(root, git, commit, say=say))
    dirty = (*git.dirty(), *reproduction.modified)
    measured = Measured(
        evidence=evidence,
        baseline=base.baseline,
        baseline_evidence=base.evidence,
        comparison=_compare(root, settings, evidence, base),
        stages=reproduction.stages,
        notices=reproduction.notices,
    )
    contract = settings.data.contract
    head = Head(
        commit=git.head(),
        settings=settings,
        inputs=working_inputs(root, git) if dirty else inputs_digest(git, git.head()),
        contract=_bytes_of(root / contract) if contract else None,
        dirty=dirty,
    )
    plan = judged_plan(git, head, base.settings, measured, today=request.today)
    return with_ledger(plan, git, request.said)


def with_ledger(plan: Plan, git: Git, said: Callable[[Entry], str] | None) -> Plan:
    """Return a plan with what the ledger of this clone adds; the network is not asked.

    Args:
        plan: What was found out.
        git: The project's repository.
        said: Puts an entry of the ledger into one sentence; None to leave them out.
    """
    history = history_here(git)
    if history is None:
        return plan
    lines = last_lines(history, said) if said else ()
    return plan.model_copy(update={"reuse": reuse_of(history, plan.evidence), "ledger": lines})


def write_plan(root: Path, plan: Plan, texts: Mapping[str, str]) -> None:
    """Write verdict, candidate, outputs and what was made of them: all of them or none.

    Args:
        root: The project's.
        plan: What was found.
        texts: More to write, by path under the root; the first is replaced last.

    Raises:
        OSError: The disk is full or the folder cannot be written; all files are as they were.
    """
    candidate = plan.candidate.model_dump_json(indent=1) + "\n"
    every = {
        **texts,
        layout.VERDICT: verdict_json(plan),
        layout.CANDIDATE: candidate,
        layout.OUTPUTS: made_outputs(root).model_dump_json(indent=1) + "\n",
    }
    write_set({root / path: text.encode() for path, text in every.items()})


def verdict_json(plan: Plan) -> str:
    """Return `reports/verdict.json`: the plan without the evidence, which has files of its own.

    The baseline's evidence has none here, so it stays: verdict and evidence are the whole plan.
    """
    return plan.model_dump_json(indent=1, exclude={"evidence"}) + "\n"


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
        wrong = next(name for name, text in files.items() if not _is_evidence(name, text))
        first = error.errors()[0]
        key = "".join(f"{part}: " for part in first["loc"])
        raise ToolError(
            f"{paths[wrong]} is not evidence of this version of Mergeline: {key}{first['msg']}",
            hint="make it again: remove the file, then `mergeline check`",
        ) from error


def _is_evidence(name: str, text: bytes) -> bool:
    try:
        EvidenceSet.parse({name: text})
    except ValidationError:
        return False
    return True


def _reproduce(root: Path, only: str | None, say: Say, *, fresh: bool = False) -> Reproduction:
    require_pipeline(root)
    starting = partial(while_running, root)
    return reproduce(root, only=only, fresh=fresh, on_stale=starting, say=say)


@dataclass(frozen=True)
class Base:
    """The base as far as it can be read.

    Attributes:
        folder: Where its model and the keys of its training rows lie; None without them.
        settings: None where it has none, or they cannot be read.
        evidence: Empty where there is none.
    """

    baseline: Baseline
    folder: Path | None = None
    settings: Settings | None = None
    evidence: EvidenceSet = field(default_factory=EvidenceSet)


def _read_base(git: Git, files: BaselineFiles) -> Base:
    """Read settings and evidence of the base; settings that are wrong make it unreadable."""
    baseline, settings = base_settings(git, files.baseline)
    if settings is None:
        return Base(baseline)
    evidence = read_evidence(files.folder) if files.folder else EvidenceSet()
    return Base(baseline, files.folder, settings, evidence)


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _compare(
    root: Path, settings: Settings, evidence: EvidenceSet, base: Base
) -> Comparison | None:
    if base.folder is None or base.settings is None:
        return None
    baseline = BaselineModel(base.folder, base.settings, base.evidence)
    return compare_once(root, settings, evidence, baseline)
