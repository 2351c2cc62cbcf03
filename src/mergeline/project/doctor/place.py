"""Which repository at GitHub is meant, and with which token it may be asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mergeline.adapters.git_process import run_git
from mergeline.adapters.github_place import API, Place, place_of
from mergeline.errors import UsageError
from mergeline.project.doctor.finding import Finding, missing, unknown
from mergeline.project.doctor.machine import first_line

PUBLIC = "github.com"
_ORIGIN = re.compile(
    r"(?:(?:https|ssh)://(?:[^@/\s]*@)?([^/:@\s]+)(?::\d+)?/|[^/:@\s]+@([^/:@\s]+):)"
    r"([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_GH_SECONDS = 10


@dataclass(frozen=True)
class Where:
    """What is asked, and by whom.

    Attributes:
        host: Where people find it, e.g. `github.com`.
        source: Where the token is from.
    """

    place: Place
    host: str
    source: str


def find_place(root: Path | None, environ: Mapping[str, str]) -> Where | Finding:
    """Return the place to ask, or what is lacking for it.

    A token of the environment goes to github.com or to the address of `GITHUB_API_URL`, and to
    no other host that a remote names.

    Args:
        root: Of the project's repository; None where there is none.
        environ: Of this process.
    """
    origin = _origin(root)
    api = environ.get("GITHUB_API_URL", "").strip()
    host, repository = origin or ("", "")
    repository = environ.get("GITHUB_REPOSITORY", "").strip() or repository
    if not repository:
        return unknown(
            "repository",
            "not looked at: the remote origin names no repository at GitHub",
            f"git remote {'set-url' if _has_origin(root) else 'add'} origin "
            "https://github.com/OWNER/NAME.git, or export GITHUB_REPOSITORY=OWNER/NAME",
        )
    if origin is None:
        host = urlsplit(environ.get("GITHUB_SERVER_URL", "")).hostname or PUBLIC
    token, source = _token(host, environ, given=bool(api) or host == PUBLIC)
    if not token:
        more = "" if host == PUBLIC else f" --hostname {host}"
        return unknown(
            "token",
            f"{repository} was not looked at: there is no token",
            f"gh auth login{more}, or export GITHUB_TOKEN with one that may read the repository's "
            "administration, actions, contents, environments, pull requests and secrets",
        )
    address = api or (API if host == PUBLIC else f"https://{host}/api/v3")
    named = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": repository, "GITHUB_TOKEN": token}
    try:
        return Where(place_of({**environ, **named}), host, source)
    except UsageError as error:
        return missing("repository", error.message, error.hint)


def _has_origin(root: Path | None) -> bool:
    return root is not None and run_git(root, "remote", "get-url", "origin").returncode == 0


def _origin(root: Path | None) -> tuple[str, str] | None:
    """Return host and `owner/name` of the remote `origin`; None for a path, or for none."""
    if root is None:
        return None
    done = run_git(root, "remote", "get-url", "origin")
    found = _ORIGIN.fullmatch(done.stdout.decode(errors="replace").strip())
    if done.returncode or found is None:
        return None
    host = (found[1] or found[2]).lower()
    return (PUBLIC if host in (f"ssh.{PUBLIC}", f"www.{PUBLIC}") else host), found[3]


def _token(host: str, environ: Mapping[str, str], *, given: bool) -> tuple[str, str]:
    """Return a token and where it is from; `given`: those of the environment are for there."""
    for name in _TOKENS if given else ():
        if token := environ.get(name, "").strip():
            return token, name
    said = first_line("gh", "auth", "token", "--hostname", host, seconds=_GH_SECONDS)
    return said.strip(), "gh auth token"
