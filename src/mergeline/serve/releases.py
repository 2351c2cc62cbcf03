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
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mergeline.errors import BytesMismatch, ModelError
from mergeline.files import write_whole
from mergeline.ledger.entries import Release
from mergeline.serve.standing import RELEASE_FILE, ReleaseFile, read_release_file

_FOLDER = "releases"
_SCRATCH = "scratch"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

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
            raise BytesMismatch(
                f"the version {release.version[:80]!r} of the ledger is no number",
                hint="look at who may write to the ledger",
            )
        return self.state / _FOLDER / f"{release.version}-{release.model[:12]}"

    def has(self, release: Release) -> bool:
        """Return whether the folder of a release is there."""
        try:
            return self.folder(release).is_dir()
        except BytesMismatch:
            return False

    def linked(self, link: Link) -> Path | None:
        """Return the folder that `current` or `previous` names; None without one."""
        try:
            target = (self.state / link).readlink()
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
        if not self.describes(folder, file, exactly=True):
            self.describe(folder, file)
        if before is not None and before != folder and before.is_dir():
            self.point("previous", before)
        self.point("current", folder)

    def describes(self, folder: Path, file: ReleaseFile, *, exactly: bool = False) -> bool:
        """Return whether a folder says that it holds a release, exactly: for an entry, too."""
        try:
            found = read_release_file(folder)
        except ModelError:
            return False
        return found == file if exactly else found.release == file.release

    def describe(self, folder: Path, file: ReleaseFile) -> None:
        """Write what declared a release into its folder, whole or not at all."""
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
