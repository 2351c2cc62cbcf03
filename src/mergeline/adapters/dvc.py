"""DVC in this process: what is out of date, and what its caches still hold.

Only a stage that must run costs a DVC process of its own: see `dvc_run`.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.adapters.dvc_missing import MissingData, why_missing
from mergeline.adapters.dvc_settings import remote_name
from mergeline.core import layout

if TYPE_CHECKING:
    from mergeline.adapters.dvc_cache import Restorer


@dataclass(frozen=True)
class Pipeline:
    """The stages of `dvc.yaml`.

    Attributes:
        needs: By stage, in topological order, the stages whose outputs it reads.
    """

    needs: Mapping[str, tuple[str, ...]]

    def with_needs(self, name: str) -> frozenset[str]:
        """Return a stage and all stages before it."""
        return frozenset({name}.union(*(self.with_needs(need) for need in self.needs[name])))


@dataclass(frozen=True)
class Settled:
    """What became of the stages without running any.

    Attributes:
        unchanged: Stages with nothing to do.
        restored: Seconds by stage whose outputs came out of a cache or a remote.
        left: Stages that may have to run, in topological order: changed ones that are in
            no cache, and all that come after them.
        modified: Data files that differ from their `.dvc` pointer.
        has_remote: Whether there is a default remote that has not failed.
        notices: What the reader of the report should know, one sentence each.
        missing: Data behind `.dvc` pointers that stages of `left` read and that is in no
            cache, nor at the remote as far as that was asked.
    """

    pipeline: Pipeline
    unchanged: tuple[str, ...]
    restored: Mapping[str, float]
    left: tuple[str, ...]
    modified: tuple[str, ...]
    has_remote: bool
    notices: tuple[str, ...] = ()
    missing: MissingData | None = None


def read_pipeline(root: Path) -> Pipeline:
    """Read the stages of a project.

    Raises:
        ToolError: DVC cannot read the project.
        ConfigError: `dvc.yaml` says something that is not allowed.
    """
    from mergeline.adapters.dvc_open import opened

    with opened(root) as repo:
        return _pipeline(repo)


def stale(root: Path) -> frozenset[str]:
    """Return the stages that are out of date, with all that come after them.

    Raises:
        ToolError: DVC cannot read the project.
        ConfigError: `dvc.yaml` says something that is not allowed.
    """
    from mergeline.adapters.dvc_open import opened

    with opened(root) as repo:
        return frozenset(_walk(repo, None, frozenset(), None).left)


def settle(
    root: Path,
    names: Iterable[str] | None = None,
    *,
    running: Iterable[str] = (),
    remote: bool = False,
    fetch: bool = False,
    fresh: bool = False,
) -> Settled:
    """Bring stages up to date as far as that needs no run.

    In topological order: a stage that is unchanged but lacks its outputs gets them from
    the cache; for a changed one the run-cache is asked. What is restored is written to
    `dvc.lock`, as DVC itself does.

    Args:
        root: The project's root.
        names: The stages to look at; all when None. What they need is taken as up to date
            unless it is named here or in `running`.
        running: Stages at work just now; those that need them are left.
        remote: Whether to pull what the cache lacks from the default remote.
        fetch: Whether to bring the remote's list of runs here first.
        fresh: Whether to leave every stage, and to get nothing but their data.

    Raises:
        ToolError: DVC cannot read the project, or another DVC process holds its lock.
        ConfigError: `dvc.yaml` says something that is not allowed.
    """
    from mergeline.adapters.dvc_cache import Remote, Restorer
    from mergeline.adapters.dvc_open import opened

    busy = frozenset(running)
    with opened(root, wait=bool(busy)) as repo:
        source = Remote(repo, remote_name(repo.config) if remote else None)
        if fetch:
            source.fetch_runs()
        chosen = None if names is None else frozenset(names)
        restorer = Restorer(repo, source)
        settled = _unsettled(repo) if fresh else _walk(repo, chosen, busy, restorer)
        missing = _missing_data(repo, settled.left, restorer)
        usable = source.usable if remote else settled.has_remote
        return replace(settled, has_remote=usable, notices=tuple(source.notices), missing=missing)


def adopt(root: Path, worktree: Path, *, cache: Path | None = None) -> None:
    """Let a worktree of a project use the project's cache and remotes.

    DVC's local settings (credentials, for one) are not part of a commit, and relative
    paths in the committed ones would point elsewhere from there.

    Args:
        root: The project's root.
        worktree: Of a commit of it.
        cache: A cache of its own, in place of the project's.

    Raises:
        ToolError: DVC cannot read the settings of one of the two.
    """
    from dvc.config import Config

    from mergeline.adapters.dvc_open import our_errors

    (worktree / ".dvc").mkdir(exist_ok=True)
    # What is written there may hold credentials: nobody else may read it.
    (worktree / ".dvc/config.local").touch(mode=0o600)
    with our_errors():
        known = Config(os.fspath(root / ".dvc"), validate=False)
        with Config(os.fspath(worktree / ".dvc")).edit("local") as own:
            own["remote"].update(known.get("remote", {}))
            own["cache"].update({"dir": os.fspath(root / ".dvc/cache"), **known.get("cache", {})})
            if cache is not None:
                own["cache"]["dir"] = os.fspath(cache)
            if name := known.get("core", {}).get("remote"):
                own["core"]["remote"] = name
            # What DVC remembers about the files there goes away with them.
            own["core"]["site_cache_dir"] = os.fspath(worktree / ".dvc/tmp/site")


# --- the walk --------------------------------------------------------------------


def _walk(
    repo: Any,
    names: frozenset[str] | None,
    busy: frozenset[str],
    restorer: "Restorer | None",
) -> Settled:
    """Look at the stages in order, and restore what can be."""
    stages = {node.name: node for node in repo.index.graph if _is_ours(node)}
    pipeline = _pipeline(repo)
    unchanged: list[str] = []
    restored: dict[str, float] = {}
    left: list[str] = []
    for name, needs in pipeline.needs.items():
        if name in busy or (names is not None and name not in names):
            continue
        start = time.perf_counter()
        blocked = not busy.union(left).isdisjoint(needs)
        lacks = "" if blocked else _lacks(repo, stages[name])
        if lacks == "nothing":
            unchanged.append(name)
        elif lacks and restorer and restorer.restore(stages[name], run=lacks == "run"):
            restored[name] = round(time.perf_counter() - start, 3)
        else:
            left.append(name)
    return Settled(
        pipeline=pipeline,
        unchanged=tuple(unchanged),
        restored=restored,
        left=tuple(left),
        modified=_modified_data(repo),
        has_remote=remote_name(repo.config) is not None,
    )


def _unsettled(repo: Any) -> Settled:
    """Say of no stage that it is up to date."""
    pipeline = _pipeline(repo)
    return Settled(
        pipeline=pipeline,
        unchanged=(),
        restored={},
        left=tuple(pipeline.needs),
        modified=_modified_data(repo),
        has_remote=remote_name(repo.config) is not None,
    )


def _lacks(repo: Any, stage: Any) -> str:
    """Return what a stage lacks: `nothing`, `outputs` (that `dvc.lock` names) or a `run`."""
    if not stage.changed():
        return "nothing"
    upstream = list(repo.index.graph.successors(stage))
    known = {out.fs_path for node in upstream for out in node.outs}
    # DVC would let any dependency be missing, also one that was deleted by hand.
    if any(dep.fs_path not in known and not dep.exists for dep in stage.deps):
        return "run"
    if stage.changed(allow_missing=True, upstream=upstream):
        return "run"
    # Its data may be missing: with the outputs there, nobody needs it.
    return "outputs" if stage.changed_outs() else "nothing"


def _pipeline(repo: Any) -> Pipeline:
    graph = repo.index.graph
    needs = {
        stage.name: tuple(sorted(n.name for n in graph.successors(stage) if _is_ours(n)))
        for stage in graph
        if _is_ours(stage)
    }
    order = TopologicalSorter(dict(sorted(needs.items()))).static_order()
    return Pipeline({name: needs[name] for name in order})


def _missing_data(repo: Any, left: Iterable[str], restorer: "Restorer") -> MissingData | None:
    """Get the data that stages would read, also of those that wait; return what is not there."""
    graph, chosen = repo.index.graph, frozenset(left)
    pointers = {
        source
        for stage in graph
        if _is_ours(stage) and stage.name in chosen
        for source in graph.successors(stage)
        if source.is_data_source and not all(out.exists for out in source.outs)
    }
    lacking = [node for node in pointers if not restorer.checkout(node)]
    files = tuple(sorted(str(out) for node in lacking for out in node.outs if not out.exists))
    if not files:
        return None
    name, remote = remote_name(repo.config), restorer.remote
    address = remote.address_of(name) if name else ""
    return why_missing(files, name, address, remote.trouble)


def _is_ours(node: Any) -> bool:
    """Return whether a node is a stage of the root's `dvc.yaml`, not a `.dvc` file."""
    return bool(node.path_in_repo == layout.PIPELINE)


def _modified_data(repo: Any) -> tuple[str, ...]:
    outs = [out for node in repo.index.graph if node.is_data_source for out in node.outs]
    return tuple(sorted(str(out) for out in outs if out.exists and out.changed_checksum()))
