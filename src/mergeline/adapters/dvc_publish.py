"""Pushing outputs that are in hand to the default DVC remote, and looking that they arrived.

Nothing is run. A stage's entry in the run-cache says: from these inputs came these outputs.
Whoever has the same inputs one day gets these outputs, so no build's word may count for an
input: a hostile one would put its model under the key of another day's table. An input is
proven when it is of the commit (a file, or a `.dvc` pointer), when it was made here from such
inputs, or when it is an output of a stage that is published itself. What stays is that the
outputs are those of these inputs: that is what was reviewed.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mergeline.adapters.dvc_settings import remote_name
from mergeline.core import layout


@dataclass(frozen=True)
class Stated:
    """The address of an output, by the word of the build that made it."""

    md5: str
    size: int
    nfiles: int | None = None


@dataclass(frozen=True)
class Pushed:
    """What became of the outputs.

    Attributes:
        remote: The default remote's name.
        stages: Those whose outputs and run entry are at the remote, in topological order;
            none where there are `others`.
        left: By stage, why it was left out.
        objects: How many files they have there; `runs` are their entries of the run-cache.
        sent: How many of both were not there before.
        wrong: What is not there after all, or is there with other bytes.
        others: By stage, the entry at the remote that says other outputs of the very same
            inputs. Where there is one nothing is sent, and it stays.
        notices: What else is worth saying, one sentence each.
    """

    remote: str
    stages: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    objects: int = 0
    runs: int = 0
    sent: int = 0
    wrong: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def default_remote(root: Path) -> str:
    """Return the name of a project's default remote; empty without one, or without DVC.

    Raises:
        ToolError: DVC cannot read its settings.
    """
    from dvc.config import Config

    from mergeline.adapters.dvc_open import our_errors

    if not (root / ".dvc").is_dir():
        return ""
    with our_errors():
        return remote_name(Config(os.fspath(root / ".dvc"))) or ""


def push_outputs(
    root: Path, stated: Mapping[str, Mapping[str, Stated]], made: Collection[str] = ()
) -> Pushed:
    """Push the outputs that lie in a worktree, with the entries of the stages that they are of.

    Args:
        root: A worktree of the commit, with an empty cache of its own, and the outputs that
            are in hand where the stages write them.
        stated: By stage and path, all outputs.
        made: Paths of outputs that were made here from the commit alone. They count as
            inputs, and are not sent: they are rows of the data.

    Raises:
        ToolError: The remote cannot be used, or DVC fails.
    """
    from mergeline.adapters.dvc import read_pipeline
    from mergeline.adapters.dvc_open import opened
    from mergeline.adapters.dvc_send import Sending

    order = tuple(read_pipeline(root).needs)
    with opened(root) as repo:
        sealing = _Sealing(repo, stated, frozenset(made))
        why = {name: sealing.seal(name) for name in order}
        there = Sending(repo)
        there.send(sealing.sealed)
        return Pushed(
            remote=there.name,
            stages=() if there.others else tuple(sealing.sealed),
            left={name: reason for name, reason in why.items() if reason},
            objects=len(there.objects),
            runs=len(there.entries),
            sent=there.sent,
            wrong=tuple(there.wrong),
            others=there.others,
            notices=tuple(there.notices),
        )


# --- objects and entries -----------------------------------------------------------------


@dataclass(frozen=True)
class Sealed:
    """A stage whose outputs, and whose run, are in our own cache.

    Attributes:
        stage: As DVC has it.
        entry: The run's file.
    """

    stage: Any
    entry: Path


@dataclass(frozen=True)
class _Sealing:
    """Makes objects and run entries in the worktree's own cache.

    Attributes:
        proven: Outputs, by path, that may count as inputs.
    """

    repo: Any
    stated: Mapping[str, Mapping[str, Stated]]
    made: frozenset[str]
    sealed: dict[str, Sealed] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)

    def seal(self, name: str) -> str:
        """Put a stage's outputs and its run into the cache; else say why not."""
        stage = self._stage(name)
        differs = [said for out in stage.outs if (said := self._differs(name, out))]
        if absent := [str(out) for out in stage.outs if not out.exists]:
            return f"{', '.join(absent)} is not handed over"
        if differs:
            return differs[0]
        if rows := [str(out) for out in stage.outs if str(out) in self.made]:
            return f"{', '.join(rows)} holds rows of the data, which are not sent"
        if kept := [str(out) for out in stage.outs if not out.use_cache]:
            return f"DVC keeps no copy of {', '.join(kept)}"
        for dep in stage.deps:
            reason = self._input(dep)
            if reason:
                return reason
        for out in stage.outs:
            out.commit(relink=False)
        known = self._runs()
        self.repo.stage_cache.save(stage)
        new = self._runs() - known
        if not new:
            return "DVC keeps no runs of such a stage"
        self.sealed[name] = Sealed(stage, new.pop())
        self.proven.update(out.fs_path for out in stage.outs)
        return ""

    def _runs(self) -> set[Path]:
        paths = Path(self.repo.stage_cache.cache_dir).rglob("*")
        return {path for path in paths if path.is_file()}

    def _stage(self, name: str) -> Any:
        return next(
            node
            for node in self.repo.index.graph
            if node.path_in_repo == layout.PIPELINE and node.name == name
        )

    def _differs(self, name: str, out: Any) -> str:
        """Compute an output's address, and say how it is not the stated one."""
        if not out.exists:
            return ""
        out.save()
        stated = self.stated.get(name, {}).get(str(out))
        here = "made here" if str(out) in self.made else "handed over"
        if stated is None:
            return f"the build did not state an address of {out}"
        if out.hash_info.value != stated.md5:
            return f"{out} as {here} is not all that the stage made"
        if str(out) in self.made:
            self.proven.add(out.fs_path)
        return ""

    def _input(self, dep: Any) -> str:
        """Give a dependency its address, and say why it is not proven."""
        outs = [(node, out) for node in self.repo.index.graph for out in node.outs]
        # A folder is what is in it, and of a folder that is not whole nothing counts.
        for node, out in outs:
            if node.is_data_source:
                if _holds(dep, out) and dep.fs_path != out.fs_path and not out.exists:
                    return f"it reads {dep}, and {out} is not here"
            elif (_holds(out, dep) or _holds(dep, out)) and out.fs_path not in self.proven:
                return f"it reads {dep}, and what that is rests on the build's word alone"
        if dep.exists:
            dep.save()
            return ""
        pointers = {out.fs_path: out for node, out in outs if node.is_data_source}
        pointer = pointers.get(dep.fs_path)
        if pointer is None:
            return f"it reads {dep}, which is not here"
        dep.hash_name, dep.hash_info = pointer.hash_name, pointer.hash_info
        dep.meta = pointer.meta
        # The run-cache asks for it once more, of the file that is not here.
        dep.get_hash = lambda: pointer.hash_info
        return ""


def _holds(around: Any, inside: Any) -> bool:
    return Path(inside.fs_path).is_relative_to(around.fs_path)
