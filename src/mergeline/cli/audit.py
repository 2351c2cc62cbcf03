"""`mergeline audit`: a release, link by link, from what is served to what it was made from."""

from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE
from mergeline.config.problem import printable, unobeyed

if TYPE_CHECKING:
    from mergeline.release.audit import Audit

_BROKEN = 12
_MARKS = {"holds": "✓", "broken": "✗", "unknown": "?"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("audit")(audit)


def audit(
    version: Annotated[
        str | None, typer.Argument(help="In the registry.", show_default="the desired one")
    ] = None,
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
    main: Annotated[
        str | None,
        typer.Option(
            help="The branch that releases come from.", show_default="the remote's default branch"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compute every link again, from the digest that is served to the data it was made from.

    Exit codes: 0 every link holds; 12 one is broken, or could not be looked at; 2 there is
    no such version; 4 a tool or the network.
    """
    from mergeline.cli.released import open_line
    from mergeline.release.audit import Sources
    from mergeline.release.audit import audit as compute

    line = open_line(remote, environment)
    branch = main or line.remote.default_branch()
    sources = Sources(line.git, line.remote, line.registry, line.history, branch)
    result = compute(sources, line.declaration(version))
    if json:
        typer.echo(unobeyed(result.model_dump_json(indent=1)))
    else:
        _show(result)
    raise typer.Exit(0 if result.holds else _BROKEN)


def _show(result: "Audit") -> None:
    typer.echo(f"{result.project} version {result.version}, {result.environment}")
    width = max(len(link.name) for link in result.links)
    for link in result.links:
        typer.echo(printable(f"{_MARKS[link.state]} {link.name:<{width}}  {link.detail}"))
    bad = [link.name for link in result.links if link.state != "holds"]
    typer.echo(f"not proven: {', '.join(bad)}" if bad else "every link holds")
