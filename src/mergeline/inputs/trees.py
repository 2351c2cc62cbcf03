"""A project's files: those of a commit, or those of the working tree."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from mergeline.adapters.git import Entry, Git
from mergeline.errors import ConfigError


class Tree(Protocol):
    """Files by path. A link or a submodule is refused: its content lies elsewhere."""

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths, sorted."""
        ...

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files.

        Raises:
            ConfigError: One is a link or a submodule.
        """
        ...


@dataclass(frozen=True)
class CommitTree:
    """The files of a commit."""

    git: Git
    commit: str

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return self.git.entries(self.commit)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All paths, sorted."""
        return tuple(sorted(self._entries))

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files as they were committed, by one Git process."""
        entries = {path: self._entries[path] for path in paths}
        for path, entry in entries.items():
            _refuse_link(path, is_file=entry.mode.startswith("100"))
        blobs = self.git.blobs(entry.oid for entry in entries.values())
        return {path: blobs[entry.oid] for path, entry in entries.items()}


@dataclass(frozen=True)
class WorkingTree:
    """The files of the working tree that Git tracks or would add."""

    root: Path
    git: Git

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All paths, sorted."""
        return self.git.working_files()

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files as they are now."""
        files = {path: self.root / path for path in paths}
        for path, file in files.items():
            _refuse_link(path, is_file=file.is_file() and not file.is_symlink())
        return {path: file.read_bytes() for path, file in files.items()}


def _refuse_link(path: str, *, is_file: bool) -> None:
    if not is_file:
        raise ConfigError(
            f"the dependency {path} is a link or a submodule, expected a file",
            hint="put the file itself into the repository, so that its bytes are covered",
        )
