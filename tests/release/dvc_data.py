"""The data of the tests' line moved behind a `.dvc` pointer, on a commit of main."""

import os
from contextlib import chdir
from pathlib import Path

from promote.scenario import Scenario, git

SOURCE = "data/customers.csv"


def move_to_dvc(scenario: Scenario) -> str:
    """Track the data with DVC, in the clone's own cache, on main; return the commit."""
    from dvc.repo import Repo

    clone = scenario.clone
    git(clone, "fetch", "--quiet", "origin")
    git(clone, "checkout", "--quiet", "--force", "--detach", "origin/main")
    git(clone, "rm", "--quiet", "--cached", SOURCE)
    with chdir(clone), Repo.init(os.fspath(clone)) as repo:
        repo.add(SOURCE)
    git(clone, "add", "--all")
    author = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    git(clone, *author, "commit", "--quiet", "--message", "Data to DVC")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    (clone / SOURCE).unlink()
    return git(clone, "rev-parse", "HEAD")


def cached(clone: Path) -> Path:
    """The one object in the clone's cache."""
    (found,) = (path for path in (clone / ".dvc/cache/files").rglob("*") if path.is_file())
    return found


def change_in_place(path: Path) -> None:
    """Change a byte, and leave size and mode as DVC has them."""
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data.replace(b"C000001", b"C900001"))
    path.chmod(0o444)
