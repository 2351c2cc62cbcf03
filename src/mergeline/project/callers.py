"""The workflows of a project: a dozen lines each, which call those of the framework by commit."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mergeline
from mergeline.adapters.git_process import run_git
from mergeline.config.problem import shown
from mergeline.errors import UsageError

FOLDER = ".github/workflows"
_NAME = "[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
_GIVEN = re.compile(f"({_NAME})@([0-9a-f]{{40}})")
# https://host/owner/name.git, ssh://git@host/owner/name, git@host:owner/name.git
_ADDRESS = re.compile(
    rf"(?:(?:https|ssh)://(?:[^/@\s]+@)?|[^/:@\s]+@)([A-Za-z0-9.-]+)(?::\d+)?[/:]({_NAME}?)(?:\.git)?/?"
)


@dataclass(frozen=True)
class Framework:
    """Where the reusable workflows are: a repository of GitHub at one commit.

    Attributes:
        repository: `owner/name`.
        commit: 40 hexadecimal digits.
        host: Of the repository.
        version: Of the installed package; a comment for people.
    """

    repository: str
    commit: str
    host: str = "github.com"
    version: str = mergeline.__version__

    @property
    def requirement(self) -> str:
        """The line of a requirements file that installs it."""
        return f"mergeline @ git+https://{self.host}/{self.repository}@{self.commit}"


# --- where the framework is ----------------------------------------------------------------


def given_framework(text: str) -> Framework:
    """Return the framework that somebody names as OWNER/NAME@COMMIT.

    Raises:
        UsageError: It is not that.
    """
    found = _GIVEN.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--framework {shown(text)} is not OWNER/NAME@COMMIT with all 40 digits of the commit",
            hint="a tag or branch can be moved: take the commit of a release, `git rev-parse TAG`",
        )
    return Framework(found[1], found[2])


def installed_framework() -> Framework | None:
    """Return where this installation is from: a commit of Git, or a checkout with a remote.

    None where neither says; see PEP 610 for what an installer writes down.
    """
    try:
        origin = json.loads(distribution("mergeline").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    found = _of_origin(origin) if isinstance(origin, dict) else None
    return found or _of_checkout(Path(mergeline.__file__).parents[2])


def _of_origin(origin: Mapping[str, object]) -> Framework | None:
    address, vcs = str(origin.get("url", "")), origin.get("vcs_info")
    if isinstance(vcs, dict) and vcs.get("vcs") == "git":
        return _framework(address, str(vcs.get("commit_id", "")))
    if isinstance(origin.get("dir_info"), dict) and address.startswith("file://"):
        return _of_checkout(Path(unquote(urlsplit(address).path)))
    return None


def _of_checkout(folder: Path) -> Framework | None:
    if not (folder / ".git").exists():
        return None
    remote = run_git(folder, "remote", "get-url", "origin")
    head = run_git(folder, "rev-parse", "--verify", "HEAD")
    if remote.returncode or head.returncode:
        return None
    return _framework(remote.stdout.decode(errors="replace"), head.stdout.decode())


def _framework(address: str, commit: str) -> Framework | None:
    place = _ADDRESS.fullmatch(address.strip())
    found = _GIVEN.fullmatch(f"{place[2]}@{commit.strip()}") if place else None
    return Framework(found[1], found[2], place[1]) if place and found else None


def repository_of(address: str) -> str | None:
    """Return `owner/name` of a repository's address on a host; None for a path."""
    found = _ADDRESS.fullmatch(address.strip())
    return None if found is None else found[2]


# --- the texts --------------------------------------------------------------------------------

_CALL = """\
# Written by `mergeline init`; what it does is in the workflow that it calls.
name: {name}
on:
{on}
permissions: {{}}
jobs:
  mergeline:
    uses: {repository}/{folder}/{name}.yml@{commit} # v{version}
{given}    permissions:
{permissions}
    secrets:
{secrets}
"""
_REVIEW = """\
# Written by `mergeline init`. An empty job without permissions: the workflow `comment` follows
# it, and renews what the comment says of a merge.
name: review
on:
  pull_request_review:
    types: [submitted, edited, dismissed]
permissions: {}
concurrency:
  group: review-${{ github.event.pull_request.number }}
  cancel-in-progress: true
jobs:
  review:
    name: review
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: "true"
"""
_DISPATCH = """\
  workflow_dispatch:
    inputs:
      version:
        description: The version to go back to; empty for the one before
        type: string
      reason:
        description: Why, for the ledger and the pull request that reverts
        type: string
        required: true"""
_WITH = """\
    with:
      version: ${{ inputs.version }}
      reason: ${{ inputs.reason }}
"""
# The job never checks out or runs what a pull request holds, and takes its artifact as hostile.
_FOLLOWS = """\
  workflow_run: # zizmor: ignore[dangerous-triggers] runs nothing of the pull request
    workflows: [pull-request, review]
    types: [completed]"""

_COMMENT = {
    "actions: read": "to fetch what the build measured",
    "checks: write": "to annotate params.yaml and the contract",
    "contents: write": "to append to the ledger",
    "pull-requests: write": "to comment",
    "statuses: write": "to set the status mergeline",
}
_ROLLBACK = {
    "contents: write": "to append to the ledger",
    "deployments: write": "to say what is live",
    "pull-requests: write": "to say it where it was decided",
}
_PROMOTE = {"actions: read": "to fetch what was reviewed", **_ROLLBACK}
# A secret of an environment reaches a called workflow's job under its own name, if the caller
# passes that name: what the caller itself sees of it is empty.
_REGISTRY = tuple(f"MLFLOW_TRACKING_{name}" for name in ("URI", "USERNAME", "PASSWORD", "TOKEN"))
_DATA = ("MERGELINE_DVC_CONFIG", "MERGELINE_DVC_CONFIG_WRITE")


def workflows(framework: Framework, main: str) -> dict[str, str]:
    """Return the texts of the workflows by path.

    Args:
        framework: Whose workflows are called.
        main: The branch that is delivered.
    """
    push = f"  push:\n    branches: [{json.dumps(main)}]"
    build = {"contents: read": "to check out"}
    token = ("MERGELINE_TOKEN",)
    calls = {
        "pull-request": ("  pull_request:\n  merge_group:", "", build, _DATA[:1]),
        "comment": (_FOLLOWS, "", _COMMENT, token),
        "promote": (push, "", _PROMOTE, (*token, *_DATA, *_REGISTRY)),
        "rollback": (_DISPATCH, _WITH, _ROLLBACK, (*token, *_REGISTRY)),
    }
    texts = {
        name: _CALL.format(
            name=name,
            on=on,
            folder=FOLDER,
            repository=framework.repository,
            commit=framework.commit,
            version=framework.version,
            given=given,
            permissions=_lines(f"{scope} # {why}" for scope, why in permissions.items()),
            secrets=_lines(f"{secret}: ${{{{ secrets.{secret} }}}}" for secret in secrets),
        )
        for name, (on, given, permissions, secrets) in calls.items()
    }
    return {f"{FOLDER}/{name}.yml": text for name, text in (texts | {"review": _REVIEW}).items()}


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(f"      {text}" for text in texts)
