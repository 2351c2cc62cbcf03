"""What is held while stages run: what they made before, and deepchecks' process."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mergeline.adapters.deepchecks import DeepchecksServer, is_served
from mergeline.adapters.git import Git
from mergeline.check.worktrees import own_folder, workplace
from mergeline.config.load import load_settings
from mergeline.core import layout
from mergeline.inputs.digest import output_paths
from mergeline.inputs.trees import WorkingTree
from mergeline.model.reading import require_source


@contextmanager
def while_running(root: Path, stale: frozenset[str]) -> Iterator[dict[str, str]]:
    """Hold what stages need, from before the first one runs until the last one has ended.

    When one fails, what it made before is put back.

    Args:
        root: The project's root.
        stale: The stages that may run.

    Raises:
        ContractError: The data is not there.
        ToolError: deepchecks' environment is needed and missing.
    """
    if "prepare" in stale:
        data = load_settings(root / layout.SETTINGS).data
        require_source(root / data.source, data)
    with _outputs_kept(root), _deepchecks(stale):
        yield {}


@contextmanager
def _deepchecks(stale: frozenset[str]) -> Iterator[None]:
    """Start deepchecks once, early, when a stage that uses it will run and nobody did."""
    if not stale & {"check_data", "check_model"} or is_served():
        yield
        return
    with DeepchecksServer():
        yield


@contextmanager
def _outputs_kept(root: Path) -> Iterator[None]:
    """Put outputs back that are gone after an error: DVC removes them before it runs a stage."""
    kept = workplace(own_folder(root), "outputs")
    paths = [path for path in output_paths(WorkingTree(root, Git(root))) if (root / path).exists()]
    try:
        for path in paths:
            _link(root / path, kept / path)
        yield
    except BaseException:
        for path in paths:
            if not os.path.lexists(root / path):
                (kept / path).rename(root / path)
        raise
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _link(source: Path, target: Path) -> None:
    """Keep a file, or a folder of files, by links: that costs no room on a full disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file)
    else:
        _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # this file system has no hard links
        shutil.copy2(source, target)
