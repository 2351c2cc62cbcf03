"""A Git remote: what its branches hold, and changing them without losing anybody's work.

Credentials are Git's own business; so is the address, which may be a path, https or ssh.
"""

import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.adapters.git_objects import write_commit, written
from mergeline.adapters.git_process import NO_HOOKS, run_git, without_credentials
from mergeline.config.problem import printable
from mergeline.errors import RemoteRefused, ToolError

_FETCH = (
    *("fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head"),
    # Without the last one Git also moves what the clone's own settings name.
    *("--no-recurse-submodules", "--no-auto-maintenance", "--refmap="),
)
_PUSH = (
    *("push", "--porcelain", "--no-follow-tags", "--no-signed"),
    *("--recurse-submodules=no", "--no-verify"),
)
_REFUSED = re.compile(r"^!\t[^\t]*\t(?P<reason>.*)$", re.MULTILINE)
# What Git says when somebody else was quicker; the same words, when a ref cannot be written.
_RACE = re.compile(
    "stale info|fetch first|cannot lock ref|failed to (lock|update ref)|already exists"
    "|incorrect old value|ref updated since|unable to create",
    re.IGNORECASE,
)
_DENIED = re.compile(
    "authentication failed|could not read (username|password)|permission|denied|forbidden"
    "|not authorized|host key verification|error: 40[13]|protected|write access",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    "not found|does not exist|does not appear to be a git repository|no such (remote|file)",
    re.IGNORECASE,
)
_ATTEMPTS = 5
_NETWORK_SECONDS, _LOCK_SECONDS, _STALE_SECONDS = 600, 10, 60
_MOST = 400  # characters of what a server says


@dataclass(frozen=True)
class Remote:
    """One remote of a repository.

    Attributes:
        git: The repository that objects are fetched into and pushed from.
        name: As Git knows the remote, or its address.
    """

    git: Git
    name: str = "origin"

    def tip(self, ref: str) -> str | None:
        """Return the commit that a branch (or a whole ref) is at; None without it.

        Raises:
            ToolError: The remote cannot be read.
        """
        output = self._run("ls-remote", "--", self.name, full_ref(ref))
        lines = (line.split("\t") for line in output.decode().splitlines())
        return next((oid for oid, name in lines if name == full_ref(ref)), None)

    def default_branch(self) -> str:
        """Return the name of the branch that the remote's HEAD is: the one that is delivered.

        Raises:
            ToolError: The remote cannot be read, or its HEAD is no branch with a commit.
        """
        output = self._run("ls-remote", "--symref", "--", self.name, "HEAD").decode()
        named = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", output, re.MULTILINE)
        if named is None:
            hint = "see what its HEAD is: `git remote show`; push main first"
            raise ToolError(f"{self} has no default branch with a commit", hint=hint)
        return named[1]

    def fetch(self, *refspecs: str) -> None:
        """Fetch into this repository; only refs that a refspec names are changed.

        Raises:
            ToolError: The remote cannot be read, or holds no such ref.
        """
        self._run(*NO_HOOKS, *_FETCH, "--", self.name, *refspecs)

    def fetched(self, ref: str, known: str | None = None) -> str | None:
        """Return the commit that a branch is at, after it is here with all before it.

        Args:
            ref: The branch, or a whole ref.
            known: A commit that is here whole already, e.g. a remembered one.

        Raises:
            ToolError: The remote cannot be read, or the branch was replaced each time.
        """
        for _ in range(_ATTEMPTS):
            tip = self.tip(ref)
            if tip is None or tip == known:
                return tip
            # Also when the commit is here: a fetch that was killed leaves parts.
            self.fetch(full_ref(ref))
            if self.git.has(tip):
                return tip
        raise ToolError(
            f"{full_ref(ref)} of {self} was replaced each time while it was fetched",
            hint="see who keeps pushing there, then run it again",
        )

    def address(self) -> str:
        """Return where the remote is, without credentials."""
        done = run_git(self.git.root, "remote", "get-url", "--", self.name)
        known = done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
        return without_credentials(known or self.name)

    def remembered(self, ref: str) -> str | None:
        """Return the commit that a ref of this clone holds; None without it."""
        done = run_git(self.git.root, "rev-parse", "--verify", "--quiet", ref)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def remember(self, ref: str, commit: str) -> None:
        """Set a private ref of this clone, which also keeps its objects.

        Raises:
            ToolError: It cannot be written.
        """
        patience = ("-c", f"core.filesRefLockTimeout={_LOCK_SECONDS * 1000}")
        lock = _place(self.git.root, f"{ref}.lock")
        # The ref is ours alone and written in no time: an older lock is of a dead process.
        if lock.exists() and time.time() - lock.stat().st_mtime > _STALE_SECONDS:
            lock.unlink(missing_ok=True)
        written(self.git.root, "update-ref", ref, commit, settings=(*patience, *NO_HOOKS))

    def tidy(self) -> None:
        """Pack loose objects where they are many: each version of a growing file is one."""
        command = ("maintenance", "run", "--auto", "--quiet", "--task=loose-objects")
        # Nothing rests on it, and an older Git does not know it.
        run_git(self.git.root, *NO_HOOKS, *command)

    def push(self, ref: str, new: str, expected_old: str | None) -> bool:
        """Set a branch to a commit, if it still is where it is expected.

        Args:
            ref: The branch, or a whole ref.
            new: The commit; what it needs is sent with it.
            expected_old: Where the branch is now; None when there is none.

        Returns:
            Whether it was done. False: somebody else was quicker.

        Raises:
            RemoteRefused: The remote does not let us; nothing was changed.
            ToolError: The connection broke; whether it was done, only the remote knows.
        """
        name = full_ref(ref)
        lease = f"--force-with-lease={name}:{expected_old or ''}"
        done = run_git(
            self.git.root,
            *(*NO_HOOKS, *self._no_mirror(), *_PUSH, lease),
            *("--", self.name, f"{new}:{name}"),
            seconds=_NETWORK_SECONDS,
        )
        if done.returncode == 0:
            return True
        refused = _REFUSED.search(done.stdout.decode(errors="replace"))
        if refused is None:
            raise self._failure(done)
        if not _RACE.search(refused["reason"]):
            raise RemoteRefused(
                f"{self} does not let us change {name}: {_words(refused['reason'], done)}",
                hint="give the job's token `contents: write`, or let its key or app pass "
                "the rule that protects this branch",
            )
        if self.tip(ref) == expected_old:
            raise ToolError(
                f"{self} cannot change {name} now: {_words(refused['reason'], done)}",
                hint="run it again; a lock that a killed process left there is removed by hand",
            )
        return False

    def commit_files(self, files: Mapping[str, bytes], parent: str | None, message: str) -> str:
        """Make a commit that holds exactly these files; no branch, index or file changes.

        Args:
            files: Bytes by path.
            parent: The commit before; None for the first.
            message: The whole message.

        Returns:
            The commit's id.
        """
        parents = () if parent is None else (parent,)
        return write_commit(self.git.root, self._tree(files), parents, message)

    def _tree(self, files: Mapping[str, bytes]) -> str:
        """Return the id of a new tree object that holds these files."""
        lines, folders = [], defaultdict[str, dict[str, bytes]](dict)
        for path, data in files.items():
            first, _, rest = path.partition("/")
            if rest:
                folders[first][rest] = data
                continue
            blob = written(self.git.root, "hash-object", "-w", "-t", "blob", "--stdin", given=data)
            lines.append(f"100644 blob {blob}\t{first}\0")
        lines += [f"040000 tree {self._tree(inside)}\t{name}\0" for name, inside in folders.items()]
        return written(self.git.root, "mktree", "-z", given="".join(lines).encode())

    def _no_mirror(self) -> tuple[str, ...]:
        """Return what keeps a clone made with `--mirror` from pushing all that it holds."""
        key = f"remote.{self.name}.mirror"
        known = run_git(self.git.root, "config", "--get", key).returncode == 0
        return ("-c", f"{key}=false") if known else ()

    def __str__(self) -> str:
        return f"the remote {without_credentials(self.name)!r}"

    def _run(self, *arguments: str) -> bytes:
        done = run_git(self.git.root, *arguments, seconds=_NETWORK_SECONDS)
        if done.returncode != 0:
            raise self._failure(done)
        return done.stdout

    def _failure(self, done: subprocess.CompletedProcess[bytes]) -> ToolError:
        said = _words("", done)
        if _DENIED.search(said):
            hint = "check the credentials that Git has for it; to push, `contents: write`"
            return RemoteRefused(f"{self} refused: {said}", hint=hint)
        if _ABSENT.search(said):
            hint = "see `git remote -v`; without credentials a private repository looks absent too"
            return RemoteRefused(f"{self} is not there: {said}", hint=hint)
        hint = "check the network, then run it again"
        return ToolError(f"{self} cannot be reached: {said}", hint=hint)


@lru_cache(maxsize=16)
def _place(root: Path, name: str) -> Path:
    """Return where a file of Git's own is."""
    return root / written(root, "rev-parse", "--git-path", name)


def full_ref(ref: str) -> str:
    """Return the whole name of a ref: of a branch, unless it says otherwise."""
    return ref if ref.startswith("refs/") or ref == "HEAD" else f"refs/heads/{ref}"


def _words(reason: str, done: subprocess.CompletedProcess[bytes]) -> str:
    """Return what Git and the server said as one bounded line."""
    lines = done.stderr.decode(errors="replace").splitlines()
    said = [line for line in lines if line.strip() and not line.startswith("hint:")]
    line = printable(" ".join(" ".join((reason, *said)).split()))
    return line[:_MOST] or f"exit code {done.returncode}"
