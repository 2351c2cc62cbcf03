"""Pushing outputs that are in hand to the default DVC remote, and looking that they arrived.

Nothing is run. A stage's entry in the run-cache says: from these inputs came these outputs.
It is made of the files of a commit, and of the outputs themselves; what is not in hand counts
by its stated address, as an input only.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        stages: Those whose outputs and run entry are at the remote, in topological order.
        left: By stage, why it was left out.
        objects: How many files they have there; `runs` are their entries of the run-cache.
        sent: How many of both were not there before.
        wrong: What is not there after all, or is there with other bytes.
        notices: What else is worth saying, one sentence each.
    """

    remote: str
    stages: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    objects: int = 0
    runs: int = 0
    sent: int = 0
    wrong: tuple[str, ...] = ()
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
        return str(Config(os.fspath(root / ".dvc"))["core"].get("remote") or "")


def push_outputs(root: Path, stated: Mapping[str, Mapping[str, Stated]]) -> Pushed:
    """Push the outputs that lie in a worktree, with the entries of the stages that they are of.

    Args:
        root: A worktree of the commit, with an empty cache of its own, and the outputs that
            are in hand where the stages write them.
        stated: By stage and path, all outputs.

    Raises:
        ToolError: The remote cannot be used, or DVC fails.
    """
    from mergeline.adapters.dvc import read_pipeline
    from mergeline.adapters.dvc_open import opened
    from mergeline.adapters.dvc_send import Sending

    order = tuple(read_pipeline(root).needs)
    with opened(root) as repo:
        sealing = _Sealing(repo, stated)
        why = {name: sealing.seal(name) for name in order}
        stages = tuple(name for name in order if not why[name])
        there = Sending(repo)
        there.send(sealing.sealed[name] for name in stages)
        return Pushed(
            remote=there.name,
            stages=stages,
            left={name: reason for name, reason in why.items() if reason},
            objects=len(there.objects),
            runs=len(there.entries),
            sent=there.sent,
            wrong=tuple(there.wrong),
            notices=tuple(there.notices),
        )


# --- objects and entries -----------------------------------------------------------------


@dataclass(frozen=True)
class _Sealing:
    """Makes objects and run entries in the worktree's own cache.

    Attributes:
        known: By path, the outputs whose address is computed or stated. What a committed
            `dvc.lock` says of the others may be of an earlier day.
    """

    repo: Any
    stated: Mapping[str, Mapping[str, Stated]]
    sealed: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def seal(self, name: str) -> str:
        """Put a stage's outputs and its run into the cache; else say why not."""
        stage = self._stage(name)
        for out in stage.outs:
            reason = self._address(out, self.stated.get(name, {}).get(str(out)))
            if reason:
                return reason
        if absent := [str(out) for out in stage.outs if not out.exists]:
            return f"{', '.join(absent)} is not handed over"
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
        if self._runs() == known:
            return "DVC keeps no runs of such a stage"
        self.sealed[name] = stage
        return ""

    def _runs(self) -> int:
        return sum(path.is_file() for path in Path(self.repo.stage_cache.cache_dir).rglob("*"))

    def _stage(self, name: str) -> Any:
        return next(
            node
            for node in self.repo.index.graph
            if node.path_in_repo == layout.PIPELINE and node.name == name
        )

    def _address(self, out: Any, stated: Stated | None) -> str:
        """Give an output its address: computed where it is in hand, and equal to the stated."""
        if stated is None:
            return f"the build did not state an address of {out}"
        if not out.exists:
            _set_address(out, stated)
        else:
            out.save()
            if out.hash_info.value != stated.md5:
                return f"{out} as handed over is not all that the stage made"
        self.known[out.fs_path] = out
        return ""

    def _input(self, dep: Any) -> str:
        """Give a dependency its address: of its bytes, else of the output that it is."""
        outs = [(node, out) for node in self.repo.index.graph for out in node.outs]
        # Of a folder that is not whole, nothing is what the stage read.
        around = (out for node, out in outs if not node.is_data_source and _holds(out, dep))
        if any(out.fs_path not in self.known for out in around):
            return f"it reads {dep}, which is not handed over whole"
        if dep.exists:
            dep.save()
            return ""
        pointers = {out.fs_path: out for node, out in outs if node.is_data_source}
        made = self.known.get(dep.fs_path) or pointers.get(dep.fs_path)
        if made is None:
            return f"it reads {dep}, which is not here"
        dep.hash_info, dep.meta = made.hash_info, made.meta
        # The run-cache asks for it once more, of the file that is not here.
        dep.get_hash = lambda: made.hash_info
        return ""


def _holds(out: Any, dep: Any) -> bool:
    return Path(dep.fs_path).is_relative_to(out.fs_path)


def _set_address(out: Any, stated: Stated) -> None:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.meta import Meta

    out.hash_info = HashInfo("md5", stated.md5)
    folder = stated.md5.endswith(".dir")
    out.meta = Meta(size=stated.size, nfiles=stated.nfiles, isdir=folder)
