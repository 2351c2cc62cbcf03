"""A Git repository: what a commit holds, what differs from it, worktrees."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.git_history import FULL_HISTORY, GitHistory
from mergeline.adapters.git_process import NO_HOOKS, last_line, run_git
from mergeline.core import layout
from mergeline.errors import ToolError, UsageError

_CHECKOUT_SECONDS = 1800
# An object never changes: settings of a commit, asked for again and again, are read once.
_SMALL, _MOST = 64 * 1024, 256  # bytes, files
_small: dict[tuple[Path, str], bytes] = {}


@dataclass(frozen=True)
class Entry:
    """A path in a commit: its mode (`100644`, `120000`, ...) and object id."""

    mode: str
    oid: str


def find_root(start: Path) -> Path:
    """Return the top folder of the repository that `start` is in.

    Raises:
        ToolError: There is no repository, Git refuses it, or Git is not installed.
    """
    done = run_git(start, "rev-parse", "--show-toplevel")
    if done.returncode == 0 and done.stdout.strip():
        return Path(os.fsdecode(done.stdout.rstrip(b"\n")))
    said = last_line(done)
    if "dubious ownership" in said:
        hint = f"if you trust it: `git config --global --add safe.directory {start.resolve()}`"
        raise ToolError(f"Git refuses the repository at {start}: {said}", hint=hint)
    raise ToolError(
        f"{start} is not in a Git repository ({said})",
        hint="make one with `git init`, or change to the project's folder",
    )


def find_repository(start: Path) -> "Git":
    """Return the repository that a folder is in, or a bare one that it is.

    Raises:
        ToolError: As `find_root`.
    """
    done = run_git(start, "rev-parse", "--is-bare-repository", "--absolute-git-dir")
    bare, _, folder = done.stdout.partition(b"\n")
    if done.returncode == 0 and bare == b"true":
        return Git(Path(os.fsdecode(folder.rstrip(b"\n"))))
    return Git(find_root(start))


@dataclass(frozen=True)
class Git(GitHistory):
    """One repository: its commits, their files, and its working tree if it has one."""

    def head(self) -> str:
        """Return the commit that is checked out.

        Raises:
            UsageError: There is no commit yet.
        """
        commit = self._commit("HEAD")
        if commit is None:
            raise UsageError(
                f"the repository {self.root} has no commit yet",
                hint="commit the project: `git add . && git commit`",
            )
        return commit

    def resolve(self, ref: str) -> str:
        """Return the commit that a branch, tag or id names.

        Raises:
            UsageError: There is no such commit here.
        """
        commit = self._commit("--end-of-options", ref)
        if commit is None or not self.has(commit):
            hint = FULL_HISTORY if self.is_shallow() else "see `git branch --all` and `git log`"
            raise UsageError(f"there is no commit {ref!r} in {self.root}", hint=hint)
        return commit

    def tree(self, commit: str) -> str:
        """Return the id of a commit's tree."""
        said = self._run_once(commit, "rev-parse", "--verify", f"{commit}^{{tree}}")
        return said.decode().strip()

    def default_base(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """Return the commit that HEAD is compared with when nobody names one.

        The tip of the branch that the pull request goes to (`GITHUB_BASE_REF`), else of
        `origin/HEAD`, `origin/main`, `main` or `master`; the first parent where HEAD is
        that tip itself. None when there is no commit before HEAD: a first pull request.

        Raises:
            ToolError: The clone does not hold that commit.
            UsageError: None of these branches exists.
        """
        head = self.head()
        tip = self._main_tip(environ.get("GITHUB_BASE_REF", ""))
        if tip is not None and tip != head:
            return tip
        parent = self.first_parent(head)
        if tip is None and parent is not None:
            raise UsageError(
                "there is neither origin/HEAD, origin/main, main nor master to compare with",
                hint="name the base: `mergeline check --base BRANCH`",
            )
        return parent

    def _main_tip(self, target: str) -> str | None:
        if target:
            commit = self._branch(f"origin/{target}")
            if commit is None:
                message = f"GITHUB_BASE_REF is {target!r}, but this clone has no origin/{target}"
                raise ToolError(message, hint=FULL_HISTORY)
            return commit
        branches = ("origin/HEAD", "origin/main", "main", "master")
        return next((tip for name in branches if (tip := self._branch(name))), None)

    def _branch(self, name: str) -> str | None:
        where = "refs/remotes" if name.startswith("origin/") else "refs/heads"
        return self._commit(f"{where}/{name}")

    def _commit(self, *ref: str) -> str | None:
        return self._ask("rev-parse", "--verify", "--quiet", *ref[:-1], f"{ref[-1]}^{{commit}}")

    def tips(self, prefix: str) -> dict[str, str]:
        """Return the commits that the refs of this clone under a prefix are at, by whole name."""
        lines = self._text("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {name: tip for tip, name in (line.split(" ", 1) for line in lines)}

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of a file at a commit; None when it holds no such file."""
        entry = self.entries(commit, path).get(path)
        return None if entry is None else self.blobs([entry.oid])[entry.oid]

    def entries(self, commit: str, *paths: str) -> dict[str, Entry]:
        """Return all files at a commit by path, or those under the paths given."""
        command = ("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, "--")
        output = self._run_once(commit, *command, *paths)
        entries = {}
        for record in filter(None, output.split(b"\0")):
            about, name = record.split(b"\t", 1)
            mode, _, oid = about.decode().split()
            entries[os.fsdecode(name)] = Entry(mode, oid)
        return entries

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of file objects by id, read by one process.

        Raises:
            ToolError: An object is missing.
        """
        wanted = list(dict.fromkeys(oids))
        found = {oid: data for oid in wanted if (data := _small.get((self.root, oid))) is not None}
        return found | self._read_blobs([oid for oid in wanted if oid not in found])

    def _read_blobs(self, wanted: list[str]) -> dict[str, bytes]:
        if not wanted:
            return {}
        output = self._run("cat-file", "--batch", given="".join(f"{oid}\n" for oid in wanted))
        found, start = {}, 0
        for oid in wanted:
            end = output.index(b"\n", start)
            words = output[start:end].decode().split()
            if words[1] != "blob":
                raise ToolError(f"Git cannot read object {oid} as a file", hint="run `git fsck`")
            start = end + 1 + int(words[2]) + 1
            found[oid] = output[end + 1 : start - 1]
        if len(_small) > _MOST:
            _small.clear()
        _small.update({(self.root, o): data for o, data in found.items() if len(data) < _SMALL})
        return found

    def working_files(self) -> tuple[str, ...]:
        """Return the paths in the working tree that Git tracks or would add, sorted."""
        output = self._run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        names = {os.fsdecode(name) for name in output.split(b"\0") if name}
        return tuple(sorted(name for name in names if os.path.lexists(self.root / name)))

    def dirty(self) -> tuple[str, ...]:
        """Return the files that differ from HEAD: changed, staged, deleted or new.

        Ignored files and `dvc.lock`, which a check itself brings up to date, do not count.
        """
        output = self._run("status", "--porcelain=v1", "-z", "-uall", "--no-renames")
        names = {os.fsdecode(record[3:]) for record in output.split(b"\0") if record}
        return tuple(sorted(names - {layout.LOCK}))

    def add_worktree(self, folder: Path, commit: str) -> None:
        """Check a commit out into a new folder, detached, without running any hook.

        Raises:
            ToolError: It cannot be made.
        """
        self.remove_worktree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = ("worktree", "add", "--detach", "--force", os.fspath(folder), commit)
        self._run(*NO_HOOKS, *command, seconds=_CHECKOUT_SECONDS)

    def remove_worktree(self, folder: Path) -> None:
        """Remove a worktree, whole or half-made, and what Git remembers of it.

        Raises:
            ToolError: The folder cannot be removed.
        """
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            message = f"the worktree {folder} cannot be removed: {error}"
            raise ToolError(message, hint="remove it by hand") from error
        # "locked" is how Git marks one whose making was interrupted.
        run_git(self.root, "worktree", "unlock", os.fspath(folder))
        self._run("worktree", "prune")
