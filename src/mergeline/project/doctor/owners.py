"""The file of code owners: whose approval a change of the policy needs."""

from fnmatch import fnmatchcase
from pathlib import Path

# In the order in which GitHub looks for it.
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def owners_file(root: Path) -> str | None:
    """Return where the file is; None where there is none."""
    return next((name for name in PLACES if (root / name).is_file()), None)


def owners_of(text: str, path: str) -> tuple[str, ...]:
    """Return who owns a path: the last line that names it counts.

    Args:
        text: Of the file of code owners.
        path: Relative to the repository's root, with /.
    """
    found: tuple[str, ...] = ()
    for line in text.splitlines():
        pattern, *owners = line.partition("#")[0].split() or [""]
        if pattern and _matches(pattern, path):
            found = tuple(owners)
    return found


def _matches(pattern: str, path: str) -> bool:
    """Return whether a pattern, of the kind that .gitignore has, names a path."""
    bare = pattern.strip("/")
    parts = path.split("/")
    starts = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    if pattern.endswith("/"):
        starts.pop()  # a folder's name only
    if pattern.startswith("/") or "/" in bare:
        if pattern.endswith("/*"):  # what is in that folder, and no deeper
            return len(parts) == bare.count("/") + 1 and fnmatchcase(path, bare)
        return any(fnmatchcase(start, bare) for start in starts)
    return any(fnmatchcase(start.rpartition("/")[2], bare) for start in starts)
