"""The verbs, and the one place where an error becomes a message and an exit code."""

import errno
import os
import signal
import sys
from importlib import import_module
from traceback import format_exc
from typing import Annotated

import typer

from mergeline import __version__
from mergeline.config.problem import printable_lines
from mergeline.errors import MergelineError, ToolError

app = typer.Typer(
    name="mergeline",
    help="From pull request to production model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_VERBS = (
    *("init", "check", "status", "comment", "promote", "publish", "rollback", "serve"),
    *("report", "diff", "log", "audit", "checkout", "predict"),
    *("doctor", "demo", "rehearse", "stage", "schema"),
)
for verb in _VERBS:
    import_module(f"mergeline.cli.{verb}").register(app)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


_DISK = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def main() -> None:
    """Run the command line; every error ends here."""
    # A job that is ended politely ends its stages too, as at Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except MergelineError as error:
        fail(error)
    except OSError as error:
        fail(_from_system(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 -- a bug: what it says may be somebody else's text
        print(printable_lines(format_exc().rstrip("\n")), file=sys.stderr)  # noqa: T201
        sys.exit(MergelineError.exit_code)


def fail(error: MergelineError) -> None:
    """Print an error and its hint, and end with its exit code."""
    said = printable_lines(f"ERROR {error.message}\nTIP   {error.hint}")
    print(said, file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_code)


def _from_system(error: OSError) -> ToolError:
    if error.errno in _DISK:
        return ToolError(
            f"the disk is full or a size limit is reached: {error}",
            hint="free some space (files written before are as they were), then run it again",
        )
    where = os.fspath(error.filename) if error.filename is not None else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return ToolError(
            f"{where} is a file, and a folder is needed there", hint="move the file away"
        )
    return ToolError(
        f"the system refused: {error.strerror or error} {where}".rstrip(),
        hint="check that the path exists and may be read and written",
    )
