"""What a repository says of itself before it is a project: name, main branch, who keeps a file."""

import re
import unicodedata
from pathlib import Path
from typing import Literal

from mergeline.adapters.git import Git
from mergeline.adapters.git_process import run_git
from mergeline.errors import UsageError
from mergeline.project.callers import repository_of


def project_name(root: Path) -> str:
    """Return the name of the remote's repository, else of the folder, as the settings allow it."""
    remote = run_git(root, "remote", "get-url", "origin")
    address = remote.stdout.decode(errors="replace") if remote.returncode == 0 else ""
    name = (repository_of(address) or "").rpartition("/")[2] or root.resolve().name
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^A-Za-z0-9._]+", "-", ascii_name).strip("-._")[:100] or "model"


def main_branch(root: Path) -> str:
    """Return the branch that is delivered: the remote's own, else `main` or `master`, else this."""
    remote = _symbolic(root, "refs/remotes/origin/HEAD")
    if remote:
        return remote.removeprefix("origin/")
    for name in ("main", "master"):
        known = run_git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}")
        if known.returncode == 0:
            return name
    return branch_here(root) or "main"


def branch_here(root: Path) -> str:
    """Return the branch that is checked out, with a commit or not; empty for none."""
    return _symbolic(root, "HEAD")


def _symbolic(root: Path, name: str) -> str:
    done = run_git(root, "symbolic-ref", "--quiet", "--short", name)
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def start_of_line(git: Git, main: str) -> str | None:
    """Return the last commit that HEAD shares with main; HEAD where there is no main yet."""
    try:
        head = git.head()
    except UsageError:
        return None
    for name in (f"refs/remotes/origin/{main}", f"refs/heads/{main}"):
        done = run_git(git.root, "rev-parse", "--verify", "--quiet", name)
        if done.returncode == 0:
            return git.merge_base(head, done.stdout.decode().strip()) or head
    return head


def data_keeper(root: Path, path: str) -> Literal["git", "dvc", "ignored", "nobody"]:
    """Return who keeps a file: whether others will have it."""
    if (root / f"{path}.dvc").is_file():
        return "dvc"
    known = run_git(root, "--literal-pathspecs", "ls-files", "--error-unmatch", "--", path)
    if known.returncode == 0:
        return "git"
    ignored = run_git(root, "check-ignore", "--quiet", "--", path)
    return "ignored" if ignored.returncode == 0 else "nobody"
