"""Releases on disk: verified by their digests, `current` and `previous` switched by rename.

    STATE/releases/<version>-<start of M>/   model/ probes.json evidence/ release.json
    STATE/current  -> releases/...           what passed its watch last
    STATE/previous -> releases/...           what did before

A folder gets its name only when all of it was verified; nothing in it changes afterwards
but `release.json`, when another entry declares the same release.
"""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mergeline.core.digest import promotion_key, tree_digest
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.errors import BytesMismatch
from mergeline.files import file_sha256, write_whole
from mergeline.ledger.entries import Release
from mergeline.serve.standing import (
    EVIDENCE_FOLDER,
    MODEL_FOLDER,
    PROBES_FILE,
    RELEASE_FILE,
    ReleaseFile,
    read_release_file,
)

EVIDENCE = tuple(f"{EVIDENCE_FOLDER}/{stage}.json" for stage in STAGES)
MOST_FILES = 100
MOST_BYTES = 4 * 2**30
_MOST_EVIDENCE = 64 * 2**20

_FOLDER = "releases"
_SCRATCH = "scratch"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SAME_AGAIN = "the follower keeps what it serves; look at the registry and who may write to it"

Link = Literal["current", "previous"]


@dataclass(frozen=True)
class Releases:
    """The releases in a follower's state folder."""

    state: Path

    def folder(self, release: Release) -> Path:
        """Return where a release lies, or would.

        Raises:
            BytesMismatch: Its version is no name for a folder.
        """
        if not _VERSION.fullmatch(release.version):
            raise _refused(f"the version {release.version[:80]!r} of the ledger is no number")
        return self.state / _FOLDER / f"{release.version}-{release.model[:12]}"

    def linked(self, link: Link) -> Path | None:
        """Return the folder that `current` or `previous` names; None without one."""
        try:
            target = Path(os.readlink(self.state / link))  # noqa: PTH115 -- as it is written
        except OSError:
            return None
        if len(target.parts) != 2 or target.parts[0] != _FOLDER:  # noqa: PLR2004
            return None
        folder = self.state / target
        return folder if folder.is_dir() else None

    def point(self, link: Link, folder: Path) -> None:
        """Let a link name a folder; whoever looks sees the old one or the new one."""
        self.scratch().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch()) as scratch:
            made = Path(scratch, link)
            made.symlink_to(Path(_FOLDER, folder.name))
            made.replace(self.state / link)

    def settle(self, folder: Path, file: ReleaseFile, before: Path | None) -> None:
        """Make a folder `current`, and what answered before it `previous`.

        Args:
            folder: The release that passed its watch.
            file: What its `release.json` is to say.
            before: The folder of what answered before; None for nothing.
        """
        if read_release_file(folder) != file:
            self._describe(folder, file)
        if before is not None and before != folder and before.is_dir():
            self.point("previous", before)
        self.point("current", folder)

    def _describe(self, folder: Path, file: ReleaseFile) -> None:
        # Not beside the other files: what is left of a kill would be strange there.
        self.scratch().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch()) as scratch:
            write_release_file(Path(scratch), file)
            Path(scratch, RELEASE_FILE).replace(folder / RELEASE_FILE)

    def scratch(self) -> Path:
        """Return the folder for what is half made; it is emptied at every start."""
        return self.state / _SCRATCH

    def keep(self, made: Path, release: Release) -> Path:
        """Give a verified folder its name, in place of what may be there."""
        folder = self.folder(release)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.drop(folder)
        made.rename(folder)
        return folder

    def drop(self, folder: Path) -> None:
        """Remove a release's folder: at once from its place, then from the disk."""
        if not os.path.lexists(folder):
            return
        self.scratch().mkdir(parents=True, exist_ok=True)
        grave = Path(tempfile.mkdtemp(dir=self.scratch()))
        folder.rename(grave / folder.name)
        shutil.rmtree(grave, ignore_errors=True)

    def prune(self, keep: Collection[Path | None]) -> None:
        """Remove the releases that are neither linked nor among those to keep."""
        kept = {self.linked("current"), self.linked("previous"), *keep}
        for folder in self._folders():
            if folder not in kept:
                self.drop(folder)

    def _folders(self) -> list[Path]:
        place = self.state / _FOLDER
        return sorted(place.iterdir()) if place.is_dir() else []

    def clean(self) -> None:
        """Remove what a follower that was killed left half made."""
        shutil.rmtree(self.scratch(), ignore_errors=True)


def write_release_file(folder: Path, file: ReleaseFile) -> None:
    """Write `release.json` of a release folder."""
    write_whole(folder / RELEASE_FILE, (file.model_dump_json(indent=1) + "\n").encode())


def verify(folder: Path, release: Release) -> None:
    """Hold every file of a release against the digests that the ledger states.

    Nothing is loaded: the files are hashed and the evidence is read as data.

    Args:
        folder: With `model/`, `probes.json` and `evidence/`; other files are refused.
        release: As declared.

    Raises:
        BytesMismatch: A digest differs, a file is missing, too many or too large, or no
            regular file.
    """
    files = regular_files(folder)
    known = {RELEASE_FILE, PROBES_FILE, *EVIDENCE}
    model = {name for name in files if name.startswith(f"{MODEL_FOLDER}/")}
    strange = sorted(files.keys() - known - model)
    if strange:
        raise _refused(f"{folder.name} holds {strange[0]!r}, which no release has")
    found = tree_digest(
        (name.removeprefix(f"{MODEL_FOLDER}/"), file_sha256(files[name])) for name in model
    )
    require_same("the model (M)", found, release.model)
    key = promotion_key(release.project, release.inputs, found)
    require_same("the promotion's key (K)", key, release.key)
    evidence = read_evidence(files)
    require_same("the evidence (E)", evidence.digest(), release.evidence)
    if evidence.evaluate is None or PROBES_FILE not in files:
        raise _refused(f"{folder.name} lacks the probe rows, or the evidence of their scores")
    probes = file_sha256(files[PROBES_FILE])
    require_same(PROBES_FILE, probes, evidence.evaluate.content.probes_sha256)


def read_evidence(files: Mapping[str, Path]) -> EvidenceSet:
    """Read the evidence among a release's files.

    Raises:
        BytesMismatch: A file is not evidence of this version's schema.
    """
    found = {}
    for stage, name in zip(STAGES, EVIDENCE, strict=True):
        if name in files:
            if files[name].stat().st_size > _MOST_EVIDENCE:
                raise _refused(f"{name} is larger than {_MOST_EVIDENCE} bytes")
            found[stage] = files[name].read_bytes()
    try:
        return EvidenceSet.parse(found)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise _refused(
            f"the evidence is not of this version of Mergeline: {where}: {problem['msg']}"
        ) from error


def regular_files(folder: Path) -> dict[str, Path]:
    """Return the files under a folder by POSIX path.

    Raises:
        BytesMismatch: There is a link, a device or the like, or too many or too large files.
    """
    found: dict[str, Path] = {}
    size = 0
    waiting = [folder]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            status = entry.stat(follow_symlinks=False)
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                found[name] = path
                size += status.st_size
            else:
                raise _refused(f"{name[:200]!r} is a link or a device, expected a file")
            if len(found) + len(waiting) > MOST_FILES or size > MOST_BYTES:
                raise _refused(
                    f"{folder.name} holds more than {MOST_FILES} files or {MOST_BYTES} bytes"
                )
    return found


def require_same(what: str, found: str, stated: str) -> None:
    """Refuse a digest that is not the one stated.

    Raises:
        BytesMismatch: The two differ.
    """
    if found != stated:
        raise _refused(f"{what}: the bytes have {found[:12]}, the ledger states {stated[:12]}")


def _refused(message: str) -> BytesMismatch:
    return BytesMismatch(message, hint=_SAME_AGAIN)
