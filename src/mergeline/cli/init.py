"""`mergeline init`: from a table and a target to a project."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.core.task import Task
from mergeline.errors import UsageError

if TYPE_CHECKING:
    from mergeline.project.draft import Draft
    from mergeline.project.init import File, Start

_MOST_LINES = 40
_VERBS = {
    "new": "write",
    "complete": "complete",
    "same": "is there",
    "differs": "LEFT",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("init")(init)


def init(
    data: Annotated[Path, typer.Option(help="The table: csv, tsv, parquet or json lines.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    task: Annotated[
        Task | None,
        typer.Option(
            help="What it holds: two classes, several, or a number.",
            show_default="guessed from its values",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    framework: Annotated[
        str | None,
        typer.Option(
            help="OWNER/NAME@COMMIT, whose workflows are called.",
            show_default="where Mergeline was installed from",
        ),
    ] = None,
) -> None:
    """Write params.yaml, dvc.yaml, the contract, pins and workflows for a table.

    What is there already is left as it is. Exit codes: 0 done; 2 the table or the target
    does not fit; 3 the table cannot be used as it is; 4 Git, DVC or the disk.
    """
    from mergeline.adapters.git import find_root
    from mergeline.project.callers import given_framework, installed_framework
    from mergeline.project.init import plan_start, write_start

    found = given_framework(framework) if framework else installed_framework()
    start = plan_start(find_root(Path.cwd()), data, target, found, task)
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked: the input is no terminal",
            hint="add --yes to write without asking",
        )
    _show(start)
    if not yes and start.to_write() and not _agreed():
        typer.echo("Nothing was written.")
        return
    write_start(start)
    _hint(start)
    _tell_next(start, data, target, task)


def _agreed() -> bool:
    try:
        return typer.confirm("Write these files?")
    except typer.Abort:
        return False


# --- what was found and what becomes of it ---------------------------------------------------


def _show(start: "Start") -> None:
    from mergeline.config.problem import shown
    from mergeline.model.table import listed

    draft, rows = start.draft, start.source.frame.shape
    said = {
        "table": f"{start.source.path}, {rows[0]:,} rows, {rows[1]} columns",
        "target": f"{shown(draft.target)}{_positive(draft)}",
        "task": f"{draft.outcome.task} ({draft.outcome.why})",
        "numbers": f"as in {draft.signs.example}" if draft.signs.example else "",
        "no value": listed([shown(text) for text in draft.missing]),
        "id": shown(draft.roles.id) if draft.roles.id else "",
        "group": shown(draft.roles.group) if draft.roles.group else "",
        "time": shown(draft.roles.time) if draft.roles.time else "",
        "sensitive": listed([shown(name) for name in draft.roles.sensitive]),
        "not read": listed([f"{shown(n)} ({why})" for n, why in draft.roles.exclude.items()]),
    }
    typer.echo("Guessed, and yours to correct in params.yaml:")
    for name, text in said.items():
        if text:
            typer.echo(f"  {name:<10} {text}")
    for note in draft.roles.notes:
        typer.echo(f"  note       {note}")
    typer.echo("")
    if start.dvc:
        typer.echo(f"  {'make':<9} .dvc/ (dvc init)")
    for file in start.files:
        typer.echo(f"  {_VERBS[file.state]:<9} {file.path}{_why(file)}")


def _positive(draft: "Draft") -> str:
    from mergeline.config.problem import shown

    positive = draft.outcome.positive
    return "" if positive is None else f", positive is {shown(positive.value)} ({positive.why})"


def _why(file: "File") -> str:
    return ": it holds something else, see below" if file.state == "differs" else ""


def _hint(start: "Start") -> None:
    """Show what would have stood where in files that were left."""
    for file in start.left():
        typer.echo(f"\n{file.path} was left as it is. What it would have held where:")
        lines = list(file.difference())
        for line in lines[:_MOST_LINES]:
            typer.echo(f"  {line}")
        if len(lines) > _MOST_LINES:
            typer.echo(f"  and {len(lines) - _MOST_LINES} more lines")


# --- what to do next -----------------------------------------------------------------------------


def _tell_next(start: "Start", data: Path, target: str, task: Task | None) -> None:
    from mergeline.project.repository import data_keeper

    keeper = data_keeper(start.root, start.source.path)
    kept = _data_step(start, keeper)
    given = f"--data {shlex.quote(str(data))} --target {shlex.quote(target)}"
    workflows = _workflow_steps(start, given + (f" --task {task}" if task else ""))
    model = _model_steps(start, by_dvc=keeper == "dvc" or bool(kept))
    typer.echo("\nNext")
    steps = [*kept, *workflows, *model]
    for number, (what, commands) in enumerate(steps, 1):
        typer.echo(f"{number}. {what}")
        for command in commands:
            typer.echo(f"     {command}")


Step = tuple[str, list[str]]


def _data_step(start: "Start", keeper: str) -> list[Step]:
    """Say how the table comes to those who clone, where it does not yet."""
    from mergeline.project.source import LARGE_BYTES

    path, size = shlex.quote(start.source.path), start.source.bytes / 1024 / 1024
    if keeper == "dvc":
        return []
    with_dvc = [f"dvc add {path}", "dvc remote add --default NAME URL", f"dvc push {path}"]
    if start.source.bytes > LARGE_BYTES:
        out = [f"git rm --cached {path}"] if keeper == "git" else []
        return [
            (f"The table has {size:.0f} MB: let DVC keep it instead of Git.", [*out, *with_dvc])
        ]
    if keeper == "ignored":
        return [
            (
                f"Git ignores {path}: take it out of the ignore file, or let DVC keep it.",
                with_dvc,
            )
        ]
    return []


def _workflow_steps(start: "Start", given: str) -> list[Step]:
    from mergeline.project.callers import FOLDER
    from mergeline.project.repository import data_keeper

    if start.framework is None and (start.root / FOLDER / "comment.yml").exists():
        return []
    if start.framework is None:
        again = f"mergeline init {given} --framework OWNER/NAME@COMMIT"
        said = "No workflows were written: nothing says which repository Mergeline is from. Name it"
        return [(f"{said}, with the commit of a release.", [again])]
    states = {file.path: file.state for file in start.files}
    ours = [path for path in states if path.startswith(f"{FOLDER}/")]
    if all(states[path] == "same" and data_keeper(start.root, path) == "git" for path in ours):
        return []
    main = shlex.quote(start.main)
    commands = [] if start.on_main else [f"git switch {main}"]
    # The pins go with them: a pull request that brings pins is built a second time on main.
    paths = ".github requirements/mergeline.txt"
    commands += [f"git add {paths}", f"git commit -m 'Workflows of Mergeline' -- {paths}"]
    commands += [f"git push origin {main}"]
    counts = start.draft.since is not None and states["params.yaml"] != "differs"
    if counts:
        since = "sed -i.old \"s/since: .*/since: '$(git rev-parse HEAD)'/\" params.yaml"
        commands += [f"{since} && rm params.yaml.old"]
    counting = ", and the line counts from that commit" if counts else ""
    return [
        (
            f"First workflows and pins, straight to {start.main}: GitHub starts the one that "
            f"comments only from there{counting}.",
            commands,
        ),
        (
            "In GitHub's settings (`mergeline doctor` says what is still missing):",
            _settings(start.main),
        ),
    ]


def _settings(main: str) -> list[str]:
    return [
        f"Rules, {main}: pull requests only, the status `mergeline` required",
        "Rules, mergeline/ledger: only the line's own key or app may push",
        "Environment production: MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME and _PASSWORD,",
        "  MERGELINE_DVC_CONFIG_WRITE where DVC has a remote, MERGELINE_TOKEN; main only",
        "Environment mergeline: MERGELINE_TOKEN, the line's own key; main only",
        "Secrets: MERGELINE_DVC_CONFIG where the data's remote is private; it may only read",
    ]


def _model_steps(start: "Start", *, by_dvc: bool) -> list[Step]:
    written = [file.path for file in start.files if not file.path.startswith(".github/")]
    paths = " ".join(map(shlex.quote, [*written, ".dvc"]))
    table = shlex.quote(start.source.path + (".dvc" if by_dvc else ""))
    return [
        (
            "The project itself, as the first pull request.",
            [
                "git switch -c first-model",
                f"git add {paths} {table}",
                "git commit -m 'A first model'",
                "mergeline doctor",
                "mergeline check",
                "git push -u origin first-model",
            ],
        )
    ]
