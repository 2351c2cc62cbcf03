"""What the verbs that ask about a release have in common: where the line is, and its options."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mergeline.adapters.git import Git
    from mergeline.adapters.git_remote import Remote
    from mergeline.adapters.registry import Registry
    from mergeline.config.settings import Settings
    from mergeline.ledger.entries import Release
    from mergeline.ledger.history import History
    from mergeline.release.find import Declaration

REMOTE = Annotated[str, typer.Option(help="The Git remote that holds the ledger.")]
ENVIRONMENT = Annotated[
    str | None,
    typer.Option(help="The environment.", show_default="deploy.environment in params.yaml"),
]


@dataclass(frozen=True)
class Line:
    """The line of the repository that the command is started in."""

    root: Path
    git: "Git"
    remote: "Remote"
    settings: "Settings"
    history: "History"
    registry: "Registry"
    environment: str

    def declaration(self, version: str | None) -> "Declaration":
        """Return the declaration of a version, by default of the desired release."""
        from mergeline.release.find import find_release

        return find_release(self.history, self.environment, version)

    def release(self, version: str) -> "Release":
        """Return the release of a version; its commit is here then."""
        from mergeline.release.find import require_commit

        found = self.declaration(version).release
        require_commit(self.git, self.remote, found.commit)
        return found


def open_line(remote: str, environment: str | None) -> Line:
    """Read settings and ledger of the project that the current folder is in.

    Raises:
        MergelineError: One of them cannot be read.
    """
    import os

    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.adapters.mlflow_store import sqlite_path
    from mergeline.adapters.registry import Registry, registry_uri
    from mergeline.config.load import load_settings
    from mergeline.core import layout
    from mergeline.errors import ToolError
    from mergeline.ledger.store import Ledger

    root = find_root(Path.cwd())
    git = Git(root)
    settings = load_settings(root / layout.SETTINGS)
    uri = registry_uri(settings.registry.uri, os.environ)
    file = sqlite_path(root, uri)
    if file is not None and not file.is_file():
        raise ToolError(
            f"there is no registry at {file}",
            hint="set MLFLOW_TRACKING_URI to the registry that `mergeline promote` writes to",
        )
    return Line(
        root=root,
        git=git,
        remote=Remote(git, remote),
        settings=settings,
        history=Ledger(git, remote).read(),
        registry=Registry(uri, root, settings.project),
        environment=environment or settings.deploy.environment,
    )
