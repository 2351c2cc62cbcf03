"""`mergeline diff`: any two commits, tags, branches or registered versions, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE
from mergeline.cli.shown import FORMAT, OUTPUT, Format


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("diff")(diff)


def diff(
    a: Annotated[str, typer.Argument(help="The baseline, e.g. main, v1.2, 4b43620 or version:3.")],
    b: Annotated[str, typer.Argument(help="What is held against it.")],
    how: FORMAT = Format.TERMINAL,
    output: OUTPUT = None,
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
) -> None:
    """Hold one commit against another as a pull request is held against its base.

    A and B are what Git knows by that name: a branch, a tag, an id. Where it knows none, 3
    and v3 are the registered version 3; `version 3` and version:3 always are.

    Both are restored from caches and remotes, or run where the baseline of a check may be.
    A's model is scored on B's held-out rows, A's rules judge. Files here that differ from
    HEAD are not looked at; nothing is written to reports/, the ledger or the registry.

    Exit codes: that of the verdict, as of `mergeline check` (0; 10 a gate FAILED; 11
    ERRORED); 2 there is no such commit or version; 3 its settings; 4 what it made is in no
    cache and may not run here, or a tool or the network.
    """
    from mergeline.adapters.dvc_credentials import data_credential
    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.check.diff import Side, run_diff
    from mergeline.check.run import today
    from mergeline.cli.jobs import say
    from mergeline.cli.shown import show
    from mergeline.config.services import Deploy
    from mergeline.inputs.settings import readable_settings_at
    from mergeline.ledger.store import Ledger
    from mergeline.release.named import find_named

    root = find_root(Path.cwd())
    git = Git(root)
    settings = readable_settings_at(git, git.head())
    where = environment or (settings.deploy if settings else Deploy()).environment
    sides = []
    for name in (a, b):
        found = find_named(git, Remote(git, remote), name, where, Ledger(git, remote).read)
        sides.append(Side(name, found.commit, found.said))
    say(f"A is {sides[0].said}, B is {sides[1].said}")
    with data_credential(root):
        plan = run_diff(root, *sides, today=today(), say=say)
    show(plan, how, output, files=False)
