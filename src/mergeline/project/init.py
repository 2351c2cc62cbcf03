"""`mergeline init`: from a table and a target to the files of a project; overwrites nothing."""

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mergeline.adapters.git import Git
from mergeline.check.pipeline import MODEL_STAGES, own_code
from mergeline.config.load import load_settings
from mergeline.config.problem import printable
from mergeline.config.settings import Data, Model, Settings
from mergeline.core import layout
from mergeline.core.task import Task
from mergeline.errors import ConfigError
from mergeline.files import write_whole
from mergeline.model.reading import read_table
from mergeline.model.table import is_positive
from mergeline.project.callers import Framework, workflows
from mergeline.project.classes import missing_markers
from mergeline.project.draft import ESTIMATORS, Draft, contract_text, parsed, settings_text
from mergeline.project.guess import guess_roles, judgeable
from mergeline.project.outcome import Outcome, find_outcome
from mergeline.project.process import run
from mergeline.project.repository import branch_here, main_branch, project_name, start_of_line
from mergeline.project.source import Source, find_source
from mergeline.project.template import IGNORED, PINS, installed_pins, pipeline, with_lines
from mergeline.project.thin import unheld_classes, without_values
from mergeline.stages import prepare
from mergeline.stages.base import Clock

if TYPE_CHECKING:
    import pandas as pd

State = Literal["new", "complete", "same", "differs"]


@dataclass(frozen=True)
class File:
    """A file of the project.

    Attributes:
        path: Relative to the root.
        text: What it is to hold.
        present: What it holds; None where there is none.
        lines: Whether it is a list of lines, which is completed.
    """

    path: str
    text: str
    present: str | None
    lines: bool = False

    @property
    def state(self) -> State:
        """What becomes of it; only `new` and `complete` are written."""
        if self.present is None:
            return "new"
        if self.present == self.text:
            return "same"
        return "complete" if self.lines else "differs"

    def difference(self) -> Iterator[str]:
        """Return, a line each, what it would have held where."""
        lines = difflib.unified_diff(
            (self.present or "").splitlines(), self.text.splitlines(), "as it is", "proposed", n=1
        )
        return (printable(line.rstrip("\n")) for line in lines)


@dataclass(frozen=True)
class Start:
    """What a project starts with.

    Attributes:
        root: Of the repository.
        files: All of them, whatever becomes of each.
        dvc: Whether DVC must make its folder first.
        framework: Whose workflows are called; None where nobody knows.
        main: The branch that is delivered; `on_main` whether it is checked out.
        draft: What `params.yaml` was made from.
        source: The table.
    """

    root: Path
    files: tuple[File, ...]
    dvc: bool
    framework: Framework | None
    main: str
    on_main: bool
    draft: Draft
    source: Source

    def to_write(self) -> tuple[File, ...]:
        """Return the files that are new, or completed."""
        return tuple(file for file in self.files if file.state in ("new", "complete"))

    def left(self) -> tuple[File, ...]:
        """Return the files that are there with another content."""
        return tuple(file for file in self.files if file.state == "differs")


def plan_start(
    root: Path, data: Path, target: str, framework: Framework | None, task: Task | None = None
) -> Start:
    """Read the table and say what a project for it starts with. Writes nothing.

    Args:
        root: The repository's root.
        data: The table.
        target: The column to predict.
        framework: Whose workflows are called; None leaves them out.
        task: What the model predicts; None guesses it.

    Raises:
        UsageError: The table or the target is not one that this can be done for.
        ContractError: The table cannot be read, split or predicted from.
    """
    git, main = Git(root), main_branch(root)
    source = find_source(root, data)
    outcome = find_outcome(source.frame, target, source.path, task)
    present = _present_settings(root)
    since = present.promotion.since if present else None
    draft, frame = _drafted(root, source, target, outcome)
    draft = replace(draft, since=since or start_of_line(git, main))
    text = settings_text(draft)
    settings = parsed(text)
    files = _files(root, text, present or settings, contract_text(frame, settings))
    if framework is not None:
        files |= {PINS: installed_pins(framework.requirement), **workflows(framework, main)}
    else:
        files[PINS] = _present(root / PINS) or installed_pins()
    held = [_file(root, path, text) for path, text in files.items()]
    held += [_ignore_file(root, path) for path in IGNORED]
    return Start(
        root=root,
        files=tuple(held),
        dvc=not (root / ".dvc").is_dir(),
        framework=framework,
        main=main,
        on_main=branch_here(root) == main,
        draft=draft,
        source=source,
    )


def write_start(start: Start) -> None:
    """Write what is new, each file whole or not at all; complete the ignore files.

    Raises:
        OSError: The disk is full or a folder cannot be written; what was written stays.
        ToolError: DVC cannot make its folder.
    """
    if start.dvc:
        run([sys.executable, "-m", "dvc", "init", "--quiet"], start.root)
    for file in start.to_write():
        path = start.root / file.path
        # DVC's `init` may just have written an ignore file of its own.
        text = with_lines(path, IGNORED[file.path]) if file.lines else file.text
        write_whole(path, text.encode())


# --- what is written -------------------------------------------------------------------------


def _files(root: Path, text: str, settings: Settings, contract: str) -> dict[str, str]:
    """Return texts by path; those of a project that has settings already go by them."""
    code = dict.fromkeys(MODEL_STAGES, tuple(own_code(root, settings.model)))
    promised, task = settings.data.contract, settings.data.task
    files = {
        layout.SETTINGS: text,
        layout.PIPELINE: pipeline(contract=promised is not None, pins=[PINS], code=code, task=task),
    }
    return files | ({} if promised is None else {promised: contract})


def _file(root: Path, path: str, text: str) -> File:
    return File(path, text, _present(root / path))


def _ignore_file(root: Path, path: str) -> File:
    text = with_lines(root / path, IGNORED[path])
    present = _present(root / path)
    if present is not None and present.splitlines() == text.splitlines():
        text = present
    return File(path, text, present, lines=True)


def _present(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.exists() else None


def _present_settings(root: Path) -> Settings | None:
    """Return the settings that are there; None where there are none, or only others' sections."""
    try:
        return load_settings(root / layout.SETTINGS)
    except ConfigError:
        return None


# --- what the table says -----------------------------------------------------------------------


def _drafted(
    root: Path, source: Source, target: str, outcome: Outcome
) -> "tuple[Draft, pd.DataFrame]":
    """Return the settings' draft and the table as they read it."""
    import pandas as pd

    missing = missing_markers(source.frame, target)
    positive = None if outcome.positive is None else outcome.positive.value
    data = Data(
        source=source.path,
        encoding=source.encoding,
        separator=source.separator,
        decimal=source.signs.decimal,
        thousands=source.signs.thousands,
        missing=missing,
        task=outcome.task,
        target=target,
        positive=positive,
    )
    frame = read_table(root / source.path, data) if missing else source.frame
    roles = guess_roles(frame, target)
    data = data.model_copy(update={"id": roles.id, "group": roles.group})
    if roles.id or roles.group:
        frame = read_table(root / source.path, data)  # ids are texts
    project = project_name(root)
    settings = Settings(project=project, data=data, model=Model(estimator=ESTIMATORS[outcome.task]))
    # The stage itself: what it refuses is refused before anything is written.
    prepared = prepare.run(root, settings, Clock())
    held_out = pd.read_parquet(BytesIO(prepared.files[layout.TEST_TABLE]))
    hits = None if positive is None else is_positive(held_out[target], positive)
    min_group, gated = judgeable(held_out, hits, roles)
    notes = (*without_values(frame), *unheld_classes(frame[target], held_out[target], outcome))
    draft = Draft(
        project=project,
        source=source.path,
        encoding=source.encoding,
        separator=source.separator,
        signs=source.signs,
        missing=missing,
        target=target,
        outcome=outcome,
        roles=replace(roles, notes=(*roles.notes, *notes)),
        min_group=min_group,
        gated=gated,
        since=None,
    )
    return draft, frame
