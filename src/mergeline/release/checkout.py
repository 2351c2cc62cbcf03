"""A worktree with the code, the parameters, the data and the model of a release."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.adapters.registry import Registry
from mergeline.bundle.release_files import EVIDENCE_FOLDER, MODEL_FOLDER, PROBES_FILE
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.errors import BytesMismatch, UsageError
from mergeline.files import file_sha256
from mergeline.ledger.entries import Release
from mergeline.release.data import bring_data
from mergeline.release.fetched import CANDIDATE_FILE, VERDICT_FILE, Files, download


def checkout(
    git: Git, registry: Registry, release: Release, folder: Path, say: Callable[[str], None]
) -> None:
    """Make a worktree of a release.

    The worktree shares the project's DVC cache. Data that lies behind a `.dvc` pointer is
    fetched; model and evidence are the registered bytes, re-hashed.

    Args:
        git: The project's repository, with a working tree.
        registry: Which holds the release.
        release: As the ledger declares it.
        folder: Where to; not there yet.
        say: Is told, a line each, what is there.

    Raises:
        UsageError: The folder is there already.
        BytesMismatch: The registry's files are not those of the ledger, or the data is not
            what the model was made from.
        ToolError: Git, DVC or the registry cannot be used; the worktree is removed again.
    """
    if folder.exists():
        raise UsageError(
            f"{folder} is there already", hint="name another folder with --to, or remove it"
        )
    git.add_worktree(folder, release.commit)
    try:
        say(f"code and parameters of {release.commit[:12]} are in {folder}")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".release-") as scratch:
            files = download(registry, release, Path(scratch))
            for source, target in _places(files, folder):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(target, ignore_errors=True)
                source.replace(target)
        say(f"model and evidence, re-hashed, are in {folder / 'reports'}")
        bring_data(git.root, folder)
        _require_data(folder, files)
        say(f"data, re-hashed, is {folder / files.prepare.source}")
    except BaseException:
        git.remove_worktree(folder)
        raise


def _places(files: Files, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each registered file or folder, and where the stages write it."""
    yield files.folder / MODEL_FOLDER, folder / layout.MODEL
    yield files.folder / PROBES_FILE, folder / layout.PROBES
    others = {
        **{
            files.folder / EVIDENCE_FOLDER / f"{name}.json": layout.evidence(name)
            for name in STAGES
        },
        files.extras / VERDICT_FILE: layout.VERDICT,
        files.extras / CANDIDATE_FILE: layout.CANDIDATE,
    }
    yield from ((path, folder / place) for path, place in others.items() if path.is_file())


def _require_data(folder: Path, files: Files) -> None:
    """Hold the data against its SHA-256 in the evidence: DVC's md5 is an address, no proof."""
    source, stated = files.prepare.source, files.prepare.sha256
    path = folder / source
    found = file_sha256(path) if path.is_file() else None
    if found != stated:
        said = "it is not there" if found is None else f"its SHA-256 is {found[:12]}"
        raise BytesMismatch(
            f"{source}: {said}, the model was made from {stated[:12]}",
            hint="the data or a cache was changed in place; look at who may write to it",
        )
