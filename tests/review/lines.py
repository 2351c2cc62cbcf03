"""Small lines for the tests of `review`: a stand-in for GitHub, a clone, a bundle."""

import subprocess
from collections.abc import Mapping
from pathlib import Path


def git(folder: Path, *arguments: str, given: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def commit_files(
    remote: Path, branch: str, files: Mapping[str, str], onto: str | None = None
) -> str:
    """Put a commit with these files (beside those of `onto`) on a branch; return it."""
    start = [f"from {git(remote, 'rev-parse', onto)}"] if onto else []
    lines = [
        f"commit refs/heads/{branch}",
        "author Ann <ann@example.org> 1700000000 +0000",
        "committer Ann <ann@example.org> 1700000000 +0000",
        f"data <<END\n{branch}\nEND",
        *start,
        *(f"M 100644 inline {name}\ndata <<END\n{text}\nEND" for name, text in files.items()),
    ]
    git(remote, "fast-import", "--quiet", "--force", given="\n".join(lines) + "\n")
    return git(remote, "rev-parse", branch)
