"""The follower's own bare clones of the line's Git remote, in its state folder.

One is for the ledger and the report; another, without history and without files but those
that are asked for, is for the settings of the releases.
"""

import asyncio
import os
import re
from functools import partial
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.adapters.git_process import NO_HOOKS, last_line, run_git
from mergeline.adapters.registry import registry_uri
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.errors import ConfigError, ToolError
from mergeline.inputs.settings import settings_at
from mergeline.serve.waiting import in_thread

# `https://host/path`, `host:path`, `user@host:path`; everything else is a path.
_ELSEWHERE = re.compile(r"[^/]+:")
_SETTINGS: tuple[tuple[str, str], ...] = (
    # A clean-up that goes on in the background would outlive the follower.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
)


class Clones:
    """The two clones, made when they are first needed."""

    def __init__(self, state: Path, remote: str) -> None:
        """Remember where they lie.

        Args:
            state: The follower's folder.
            remote: Anything that Git fetches from.
        """
        self._state, self._remote = state, remote
        self._made: dict[str, Git] = {}
        self._one = asyncio.Lock()

    async def ledger(self) -> Git:
        """Return the clone for the ledger and the report.

        Raises:
            ToolError: It cannot be made.
        """
        return await self._open("ledger.git")

    async def settings(self, commit: str) -> Settings:
        """Return the settings of a release's commit.

        Raises:
            MergelineError: They cannot be read.
        """
        git = await self._open("project.git")
        return await in_thread(partial(fetched_settings, git, commit))

    async def registry(self, commit: str) -> str:
        """Return the registry's address: the environment's, else that of a release's commit.

        Raises:
            ConfigError: It is a path in somebody's project.
            MergelineError: The settings cannot be read.
        """
        if os.environ.get("MLFLOW_TRACKING_URI", "").strip():
            return registry_uri("", os.environ)
        uri = registry_uri((await self.settings(commit)).registry.uri, os.environ)
        if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
            raise ConfigError(
                f"registry.uri is {uri!r}: a path in a project, which is not here",
                hint="set MLFLOW_TRACKING_URI to the registry that `promote` writes to",
            )
        return uri

    async def _open(self, name: str) -> Git:
        async with self._one:  # two at once would stand in each other's way
            if name not in self._made:
                folder = self._state / name
                self._made[name] = await in_thread(partial(open_clone, folder, self._remote))
            return self._made[name]


def open_clone(folder: Path, remote: str) -> Git:
    """Return a bare clone whose `origin` is a remote; made where there is none.

    Args:
        folder: Where it lies.
        remote: Anything that Git fetches from; a path may be relative to where we are.

    Raises:
        ToolError: It cannot be made.
    """
    address = remote if _ELSEWHERE.match(remote) else os.fspath(Path(remote).resolve())
    folder.mkdir(parents=True, exist_ok=True)
    _run(folder, "init", "--quiet", "--bare", os.fspath(folder))
    for key, value in (*_SETTINGS, ("remote.origin.url", address)):
        _run(folder, "config", "--replace-all", key, value)
    return Git(folder)


def fetched_settings(git: Git, commit: str) -> Settings:
    """Read the settings of a release's commit.

    Args:
        git: A clone of its own for this: it is shallow afterwards.
        commit: On the remote's main branch.

    Raises:
        ToolError: The remote cannot be read.
        ConfigError: There are none, or this version does not understand them.
    """
    # Asked for by a ref of ours: of a commit that is missing Git would fetch the history.
    ref = f"refs/mergeline/releases/{commit}"
    if run_git(git.root, "rev-parse", "--verify", "--quiet", ref).returncode != 0:
        _run(
            git.root,
            *(*NO_HOOKS, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *("--no-auto-maintenance", "--depth=1", "--filter=blob:none"),
            *("origin", f"{commit}:{ref}"),
        )
    settings = settings_at(git, commit)
    if settings is None:
        said = f"{layout.SETTINGS} at {commit[:12]}: there is no such file"
        raise ConfigError(said, hint="see what main holds")
    return settings


def _run(folder: Path, *arguments: str) -> None:
    done = run_git(folder, *arguments)
    if done.returncode != 0:
        raise ToolError(
            f"Git failed in {folder}: {last_line(done)[:300]}",
            hint="check the remote, its credentials, and the state folder",
        )
