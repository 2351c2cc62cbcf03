"""How the commits of a Git repository come after each other."""

from dataclasses import dataclass

from mergeline.adapters.git_process import GitProgram, last_line, run_git
from mergeline.errors import ToolError

FULL_HISTORY = (
    "fetch the whole history: `git fetch --unshallow`, in GitHub Actions `fetch-depth: 0`"
)


@dataclass(frozen=True)
class GitHistory(GitProgram):
    """The commits of one repository."""

    def has(self, commit: str) -> bool:
        """Return whether the commit itself is here (a shallow clone lacks older ones)."""
        return self._ask("cat-file", "-e", f"{commit}^{{commit}}") is not None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits; None when there is none.

        Raises:
            ToolError: None was found and the clone is shallow.
        """
        common = self._ask("merge-base", one, other)
        if common is None and self.is_shallow():
            message = f"this shallow clone ends before {one[:12]} and {other[:12]} meet"
            raise ToolError(message, hint=FULL_HISTORY)
        return common

    def first_parent(self, commit: str) -> str | None:
        """Return the first parent; None for a commit that has none.

        Raises:
            ToolError: The clone is shallow and ends at this commit.
        """
        parents = self.parents(commit)
        if not parents:
            return None
        if not self.has(parents[0]):
            message = f"this shallow clone lacks {parents[0][:12]}, the parent of {commit[:12]}"
            raise ToolError(message, hint=FULL_HISTORY)
        return parents[0]

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the parents that a commit names, whether they are here or not."""
        # The commit object itself, not `commit^`: a shallow clone hides parents.
        said = self._run_once(commit, "cat-file", "commit", commit).decode(errors="replace")
        header = said.split("\n\n", 1)[0]
        return tuple(line.split()[1] for line in header.splitlines() if line.startswith("parent "))

    def is_ancestor(self, one: str, other: str) -> bool:
        """Return whether a commit is reached from another, or is it.

        Raises:
            ToolError: One of them is not here, or the clone is too shallow to tell.
        """
        done = run_git(self.root, "merge-base", "--is-ancestor", one, other)
        if done.returncode == 0:
            return True
        message = f"Git cannot tell whether {one[:12]} comes before {other[:12]}"
        if done.returncode > 1:
            raise ToolError(f"{message}: {last_line(done)}", hint=FULL_HISTORY)
        if self.is_shallow() and self._is_cut(other):
            raise ToolError(f"{message}: this clone is shallow", hint=FULL_HISTORY)
        return False

    def _is_cut(self, commit: str) -> bool:
        """Return whether a shallow clone leaves out something that came before a commit."""
        where = self.root / self._text("rev-parse", "--git-path", "shallow")
        ends = set(where.read_text(encoding="ascii").split())
        return not ends.isdisjoint(self._text("rev-list", commit, "--").split())

    def count(self, commit: str) -> int | None:
        """Return how many commits there are up to one; None where a clone is too shallow."""
        if self.is_shallow() and self._is_cut(commit):
            return None
        return int(self._run_once(commit, "rev-list", "--count", commit, "--"))

    def first_parents(self, after: str | None, upto: str) -> tuple[str, ...]:
        """Return the commits of a branch's own line, the oldest first.

        Args:
            after: Where to begin, itself left out; None for the first commit of all.
            upto: Where to end, included.

        Raises:
            ToolError: `after` is not on that line, or the clone is shallow and ends before.
        """
        line = self._text("rev-list", "--first-parent", "--reverse", upto, "--").split()
        if after is not None and after in line:
            return tuple(line[line.index(after) + 1 :])
        self.first_parent(line[0])  # raises where a shallow clone ends
        if after is None:
            return tuple(line)
        raise ToolError(
            f"{after[:12]} is not on the line of first parents of {upto[:12]}",
            hint="see `git log --first-parent`; was the branch rewritten?",
        )

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message, as somebody wrote it: untrusted."""
        return self._text("log", "-1", "--no-show-signature", "--format=%s", commit, "--")

    def author_email(self, commit: str) -> str:
        """Return the address of a commit's author, as somebody wrote it: untrusted."""
        return self._text("log", "-1", "--no-show-signature", "--format=%ae", commit, "--")

    def is_shallow(self) -> bool:
        """Return whether older commits were left out of this clone."""
        return self._text("rev-parse", "--is-shallow-repository") == "true"
