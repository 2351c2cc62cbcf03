"""The baseline: model and evidence of the base commit, restored rather than made again."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from mergeline.adapters.dvc import Settled, adopt
from mergeline.adapters.git import Git
from mergeline.bundle.judged import NO_BASE, without_baseline
from mergeline.check.kept import SKETCHES, keep_table
from mergeline.check.reproduce import (
    Say,
    require_data,
    restore,
    run_left,
    settled_stages,
    silent,
)
from mergeline.check.worktrees import own_folder, remove_leftovers, workplace, worktree
from mergeline.core import layout
from mergeline.core.digest import json_digest
from mergeline.core.evidence import STAGES
from mergeline.core.verdict import Baseline, Stage
from mergeline.errors import MergelineError
from mergeline.files import write_whole
from mergeline.inputs.digest import pins
from mergeline.inputs.trees import CommitTree, Tree, WorkingTree

TRAIN_KEYS = "train_keys.parquet"
_RECORD = "baseline.json"
_REMEMBERED = 10


@dataclass(frozen=True)
class BaselineFiles:
    """Where the baseline came from, and where it lies.

    Attributes:
        folder: Holds, under the names of `core.layout`, evidence, model and settings, and
            `train_keys.parquet`, the keys of the rows that the model was trained on, and what
            `kept.keep_table` keeps; None when the baseline is not available.
    """

    baseline: Baseline
    folder: Path | None = None


def restore_baseline(
    root: Path,
    git: Git,
    base: str | None,
    *,
    jobs: int | None = None,
    env: Mapping[str, str] | None = None,
    say: Say = silent,
) -> BaselineFiles:
    """Get the baseline out of what is remembered, else out of caches, else run it.

    A stage is run only when the base pins the same environment as the head: the result
    of another version would be kept under the wrong name.

    Args:
        root: The project's root.
        git: The project's repository.
        base: The base commit, None when there is none.
        jobs: How many stages to run at a time; as many as there are cores when None.
        env: Variables for stages that run, besides those of this process.
        say: Is told, a line each, what is going on.

    Raises:
        ToolError: Git, DVC or the disk fail on this side; what is wrong with the base
            itself is in the answer.
    """
    if base is None:
        return BaselineFiles(NO_BASE)
    root = root.resolve()
    state = own_folder(root)
    remove_leftovers(state, git)
    known = state / "baselines" / _key(base)
    if remembered := _remembered(known):
        return BaselineFiles(remembered, known)
    if nothing := without_baseline(git, base):
        return BaselineFiles(nothing)
    with brought_up(root, git, base, "the baseline", jobs=jobs, env=env, say=say) as (tree, found):
        baseline = found.baseline
        if baseline.status == "available":
            baseline = _keep(tree, baseline, state, known)
    return BaselineFiles(baseline, known if baseline.status == "available" else None)


@dataclass(frozen=True)
class BroughtUp:
    """A commit's stages in a worktree, restored or run as far as the rules of a baseline allow.

    Attributes:
        stages: What became of each; none where it is not available.
    """

    baseline: Baseline
    stages: tuple[Stage, ...] = ()


@contextmanager
def brought_up(
    root: Path,
    git: Git,
    commit: str,
    whose: str,
    *,
    jobs: int | None = None,
    env: Mapping[str, str] | None = None,
    say: Say = silent,
) -> Iterator[tuple[Path, BroughtUp]]:
    """Hold a worktree of a commit with its stages up to date; it is gone at the end.

    Args:
        root: The project's root.
        git: The project's repository.
        commit: Whose stages are wanted.
        whose: What `say` calls it.
        jobs: As in `restore_baseline`.
        env: As in `restore_baseline`.
        say: As in `restore_baseline`.

    Raises:
        ToolError: As in `restore_baseline`.
    """
    root = root.resolve()
    with worktree(own_folder(root), git, commit) as tree:
        say(f"restoring {whose} {commit[:12]}")
        adopt(root, tree)
        here = WorkingTree(root, git)
        yield tree, _restore_in(tree, here, git, commit, jobs=jobs, env=env or {}, say=say)


def _sentence(error: MergelineError) -> str:
    return f"{error.message.rstrip('.')}."


def _restore_in(
    tree: Path,
    head: Tree,
    git: Git,
    base: str,
    *,
    jobs: int | None,
    env: Mapping[str, str],
    say: Say,
) -> BroughtUp:
    """Bring the base's stages up to date in its worktree."""

    def refused(reason: str) -> BroughtUp:
        return BroughtUp(Baseline(status="not_available", commit=base, reason=reason))

    try:
        settled = restore(tree, say=say)
        refusal = _may_not_run(settled, CommitTree(git, base), head)
    except MergelineError as error:  # its settings are read all the same: its policy counts
        return refused(f"The pipeline of the base cannot be used: {_sentence(error)}")
    if refusal:
        return refused(refusal)
    stages = settled_stages(settled)
    if settled.left:
        try:
            require_data(settled)
            done = run_left(tree, settled, jobs=jobs, env=_environment(tree, env), say=say)
        except MergelineError as error:
            return refused(f"The base does not run: {_sentence(error)}")
        stages |= done.stages
    names = settled.pipeline.needs
    ran = {name for name, stage in stages.items() if stage.action == "ran"}
    baseline = Baseline(
        status="available",
        commit=base,
        restored=tuple(name for name in names if name not in ran),
        ran=tuple(name for name in names if name in ran),
    )
    return BroughtUp(baseline, tuple(stages[name] for name in names if name in stages))


def _may_not_run(settled: Settled, base: Tree, head: Tree) -> str:
    """Say why the stages that are left must not run here; empty when they may."""
    if not settled.left:
        return ""
    stages = f"Of the base {', '.join(settled.left)} would have to run again"
    before, now = pins(base), pins(head)
    if not before:
        return f"{stages}, and none of its stages depends on pinned requirements."
    differ = sorted(path for path in before | now if before.get(path) != now.get(path))
    if differ:
        return f"{stages}, but it pins another environment: {', '.join(differ)} changed."
    return ""


def _environment(tree: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Let a base that holds Mergeline's own code run that code."""
    if not (tree / "src/mergeline").is_dir():
        return dict(env)
    paths = [os.fspath(tree / "src"), env.get("PYTHONPATH") or os.environ.get("PYTHONPATH", "")]
    return {**env, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


# --- what is remembered ------------------------------------------------------------


def _key(base: str) -> str:
    """Return the name under which a baseline is remembered."""
    versions = [f"{sys.version_info[:3]}", version("mergeline"), version("dvc")]
    return f"{base[:12]}-{json_digest([base, *versions])[:12]}"


def _remembered(folder: Path) -> Baseline | None:
    """Read the record of a baseline; one that another version wrote is made again."""
    if (folder / _RECORD).is_file() and not (folder / SKETCHES).is_file():
        shutil.rmtree(folder)
    try:
        return Baseline.model_validate_json((folder / _RECORD).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        shutil.rmtree(folder)
        return None


def _keep(tree: Path, baseline: Baseline, state: Path, folder: Path) -> Baseline:
    """Copy what later steps need, whole or not at all."""
    temporary = workplace(state, f"kept-{folder.name}")
    try:
        if missing := _copy(tree, temporary):
            return baseline.model_copy(update={"status": "not_available", "reason": missing})
        write_whole(temporary / _RECORD, baseline.model_dump_json(indent=1).encode() + b"\n")
        folder.parent.mkdir(exist_ok=True)
        _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)[
        :-_REMEMBERED
    ]:
        shutil.rmtree(old, ignore_errors=True)
    return baseline


def _copy(tree: Path, folder: Path) -> str:
    """Copy evidence, model, settings and what is kept of the tables; say what is not there."""
    import pyarrow.parquet

    table = tree / layout.TRAIN_TABLE
    missing = [name for name in (layout.MODEL, layout.TRAIN_TABLE) if not (tree / name).exists()]
    if missing:
        return f"The stages of the base do not make {' and '.join(missing)}."
    if layout.KEY not in pyarrow.parquet.read_schema(table).names:
        return f"{layout.TRAIN_TABLE} of the base has no column {layout.KEY}."
    shutil.copytree(tree / layout.MODEL, folder / layout.MODEL, copy_function=shutil.copyfile)
    for name in (layout.SETTINGS, *map(layout.evidence, STAGES)):
        if (tree / name).is_file():
            shutil.copyfile(tree / name, folder / name)
    keys = pyarrow.parquet.read_table(table, columns=[layout.KEY])
    pyarrow.parquet.write_table(keys, folder / TRAIN_KEYS)
    keep_table(tree, folder)
    return ""


def _move(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not (folder / _RECORD).is_file():  # else another check was quicker
            raise
