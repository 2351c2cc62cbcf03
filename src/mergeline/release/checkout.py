"""A worktree with the code, the parameters, the data and the model of a release."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mergeline.adapters.dvc import adopt, pull_data
from mergeline.adapters.git import Git
from mergeline.adapters.registry import Registry
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.core.evidence import EvidenceSet
from mergeline.errors import BytesMismatch, UsageError
from mergeline.files import file_sha256
from mergeline.ledger.entries import Release
from mergeline.release.fetched import download

_HINT = "the data or a cache was changed in place; look at who may write to it"


def checkout(
    root: Path,
    git: Git,
    registry: Registry,
    release: Release,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Make a worktree of a release.

    The worktree shares the project's DVC cache. Data that lies behind a `.dvc` pointer is
    fetched; model and evidence are the registered bytes, re-hashed.

    Args:
        root: The project's root.
        git: Its repository.
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
        adopt(root, folder)
        say(f"code and parameters of {release.commit[:12]} are in {folder}")
        evidence = _bring_model(registry, release, folder)
        say(f"model and evidence of version {release.version} are in {folder / 'reports'}")
        pull_data(folder)
        say(f"data, re-hashed: {_require_data(folder, evidence)}")
    except BaseException:
        git.remove_worktree(folder)
        raise


def _require_data(folder: Path, evidence: EvidenceSet) -> str:
    """Hold the data against its SHA-256 in the evidence: DVC's md5 is an address, no proof."""
    if evidence.prepare is None:
        raise BytesMismatch("the evidence does not name the data", hint=_HINT)
    content = evidence.prepare.content
    path = folder / content.source
    found = file_sha256(path) if path.is_file() else "nothing"
    if found != content.sha256:
        raise BytesMismatch(
            f"{content.source}: the bytes have {found[:12]}, the model was made from "
            f"{content.sha256[:12]}",
            hint=_HINT,
        )
    return content.source


def _bring_model(registry: Registry, release: Release, folder: Path) -> EvidenceSet:
    """Put the registered files where the stages write them; return the evidence."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".release-") as scratch:
        files, evidence = download(registry, release, Path(scratch))
        for part in (EVIDENCE_PART, MODEL_PART):
            prefix = "evidence/" if part == EVIDENCE_PART else ""
            for name, allowed in PARTS[part].items():
                source = files / (prefix + name)
                beside = Path(scratch, name)
                source = source if source.is_file() else beside
                if source.is_file():
                    target = folder / allowed.path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(os.fspath(source), os.fspath(target))
    return evidence
