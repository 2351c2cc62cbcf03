"""`mergeline report`: what the last check found out, once more, in another form."""

from pathlib import Path

import typer

from mergeline.cli.shown import FORMAT, OUTPUT, Format


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report")(report)


def report(how: FORMAT = Format.TERMINAL, output: OUTPUT = None) -> None:
    """Show what the last check found out; nothing is run.

    Reads verdict and evidence out of reports/, holds the evidence against the digest that
    was judged, and says on stderr what has changed since.

    Exit codes: that of the verdict, as of `mergeline check` (0; 10 a gate FAILED; 11
    ERRORED); 2 there was no check; 4 the files in reports/ are not of one check.
    """
    from mergeline.adapters.git import find_root
    from mergeline.check.left import last_check
    from mergeline.cli.jobs import say
    from mergeline.cli.shown import show
    from mergeline.report.log import entry_said

    left = last_check(find_root(Path.cwd()), entry_said)
    for change in left.stale:
        say(f"stale: {change}; `mergeline check` makes it anew")
    show(left.plan, how, output, files=True)
