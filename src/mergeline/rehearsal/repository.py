"""A bare Git repository: the disk of the stand-in. Everything is done by Git's own program."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mergeline.adapters.git_process import clean_environment
from mergeline.errors import ToolError

NOTHING = "0" * 40  # what Git writes for "no object"
_SECONDS = 120
_OBJECT = re.compile("[0-9a-f]{7,40}")
_COMMIT = re.compile("([0-9a-f]{40}) commit [0-9]+")  # as `git cat-file` says it
_FORMAT = "%H%n%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
# actions/checkout fetches commits by id; nothing may go on in the background when a test is over.
_SETTINGS = """\
[http]
\treceivepack = true
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[core]
\tlogAllRefUpdates = false
\tfsync = none
[gc]
\tauto = 0
[receive]
\tautogc = false
[maintenance]
\tauto = false
"""


@dataclass(frozen=True)
class Person:
    """Who wrote or made a commit, and when (UTC)."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True)
class Commit:
    """What a commit object says."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True)
class Repository:
    """One bare repository.

    Attributes:
        path: Its folder; what a clone uses as its remote.
    """

    path: Path

    @classmethod
    def make(cls, path: Path, branch: str = "main") -> "Repository":
        """Make an empty repository, or take the one that is there.

        Raises:
            ToolError: Git cannot make it.
        """
        repository = cls(path)
        if not (path / "HEAD").is_file():
            path.mkdir(parents=True, exist_ok=True)
            repository.text("init", "--quiet", "--bare", f"--initial-branch={branch}")
        config = path / "config"
        if _SETTINGS not in (text := config.read_text(encoding="utf-8")):
            config.write_text(text + _SETTINGS, encoding="utf-8")
        return repository

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return the object that each ref names (a tag's own object), by full name."""
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)", prefix)
        pairs = (line.split(" ", 1) for line in lines.splitlines())
        return {name: sha for sha, name in pairs}

    def tip(self, branch: str) -> str | None:
        """Return the commit of a branch; None when there is no such branch."""
        return self._commit(f"refs/heads/{branch}")

    def resolve(self, ref: str) -> str | None:
        """Return the commit that a branch, a tag, `heads/...` or a (short) id names."""
        names = [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}"]
        names += [ref] if _OBJECT.fullmatch(ref) else []
        if "\n" in ref:
            return None
        # One process for all names; of one that is no commit it says so.
        given = "".join(f"{name}^{{commit}}\n" for name in names)
        answers = self.text("cat-file", "--batch-check", given=given).splitlines()
        return next((found[1] for line in answers if (found := _COMMIT.fullmatch(line))), None)

    def commits(self, shas: Iterable[str]) -> list[Commit]:
        """Return commits in the order asked for, read by one process."""
        wanted = list(shas)
        if not wanted:
            return []
        command = ("log", "--no-walk=unsorted", "-z", f"--format={_FORMAT}", "--stdin")
        output = self.text(*command, given="".join(f"{sha}\n" for sha in wanted), strip=False)
        found = {one.sha: one for one in map(_parsed, filter(None, output.split("\0")))}
        return [found[sha] for sha in wanted]

    def commit(self, sha: str) -> Commit:
        """Return one commit."""
        return self.commits([sha])[0]

    def tree(self, commit: str) -> str:
        """Return the id of a commit's tree."""
        return self.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def history(self, *revisions: str) -> tuple[str, ...]:
        """Return the commits that `git rev-list` gives, oldest first."""
        command = ("rev-list", "--topo-order", "--reverse", *revisions)
        return tuple(self.text(*command).split())

    def kind(self, sha: str) -> str | None:
        """Return `commit`, `tree`, `blob` or `tag`; None when there is no such object."""
        return self.ask("cat-file", "-t", sha) if _OBJECT.fullmatch(sha) else None

    def contains(self, tip: str, commit: str) -> bool:
        """Return whether a commit is `tip` or an ancestor of it."""
        return self.ask("merge-base", "--is-ancestor", commit, tip) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor; None when there is none."""
        return self.ask("merge-base", one, other)

    def set_ref(self, name: str, new: str, old: str | None = None) -> bool:
        """Point a ref at an object.

        Args:
            name: Its full name.
            new: The object; forty zeros delete the ref.
            old: What it must name now; None: anything, or nothing.

        Returns:
            False when it names something else than `old`.
        """
        arguments = [name, new] if old is None else [name, new, old]
        return self.ask("update-ref", *arguments) is not None

    def bring(self, source: Path, sha: str, ref: str) -> None:
        """Copy a commit of another repository, and what it needs, and name it here."""
        refspec = f"+{sha}:{ref}"
        self.text("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), refspec)

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """Return the tree of two commits merged; None when they conflict."""
        done = self._run("merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs)
        if done.returncode > 1:
            raise _failed(("merge-tree", ours, theirs), done)
        return done.stdout.decode().split("\n", 1)[0] if done.returncode == 0 else None

    def make_commit(
        self, tree: str, parents: Iterable[str], message: str, author: Person, committer: Person
    ) -> str:
        """Write a commit object and return its id."""
        identity = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": f"@{int(author.date.timestamp())} +0000",
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": f"@{int(committer.date.timestamp())} +0000",
        }
        arguments = ["commit-tree", tree, *(word for one in parents for word in ("-p", one))]
        done = self._run(*arguments, given=message, environ=identity)
        if done.returncode != 0:
            raise _failed(arguments, done)
        return done.stdout.decode().strip()

    def text(self, *arguments: str, given: str = "", strip: bool = True) -> str:
        """Return what a Git command prints.

        Raises:
            ToolError: It failed.
        """
        done = self._run(*arguments, given=given)
        if done.returncode != 0:
            raise _failed(arguments, done)
        output = done.stdout.decode(errors="replace")
        return output.strip() if strip else output

    def ask(self, *arguments: str) -> str | None:
        """Return what a Git command prints, None for "no"."""
        done = self._run(*arguments)
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

    def data(self, *arguments: str) -> bytes:
        """Return the bytes that a Git command prints.

        Raises:
            ToolError: It failed.
        """
        done = self._run(*arguments)
        if done.returncode != 0:
            raise _failed(arguments, done)
        return done.stdout

    def _commit(self, name: str) -> str | None:
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        return self.ask(*command, f"{name}^{{commit}}")

    def _run(
        self, *arguments: str, given: str = "", environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=self.path,
                env=git_environment() | (environ or {}),
                input=given.encode(),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (subprocess.TimeoutExpired, FileNotFoundError) as error:
            message = f"`git {arguments[0]}` in {self.path} did not run: {error}"
            raise ToolError(message, hint="see whether Git is installed and the disk works") from (
                error
            )


def git_environment() -> dict[str, str]:
    """Return an environment in which nobody's own Git settings count."""
    fixed = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    fixed |= {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
    # The server may be asked by a person other than the one who made the folder.
    fixed |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    return clean_environment(os.environ) | fixed | {"GIT_CONFIG_VALUE_0": "*"}


def _parsed(record: str) -> Commit:
    fields = record.split("\n", 9)
    sha, tree, parents = fields[:3]
    author, committer = _person(*fields[3:6]), _person(*fields[6:9])
    return Commit(sha, tree, tuple(parents.split()), author, committer, fields[9].rstrip("\n"))


def _person(name: str, email: str, date: str) -> Person:
    return Person(name, email, datetime.fromisoformat(date).astimezone(UTC))


def _failed(arguments: Iterable[str], done: subprocess.CompletedProcess[bytes]) -> ToolError:
    said = done.stderr.decode(errors="replace").strip().splitlines()
    message = f"`git {' '.join(arguments)}` failed: {said[-1] if said else done.returncode}"
    return ToolError(message, hint="the stand-in's repository may be damaged: `git fsck`")
