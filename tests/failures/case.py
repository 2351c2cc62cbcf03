"""A bad input, the command that meets it, and the answer as the page tells it."""

import contextlib
import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from cli.conftest import Done, Project

if TYPE_CHECKING:
    import pandas as pd

PAGE = Path(__file__).parent / "README.md"
FAMILIES = ("settings", "files", "values", "models", "repository", "environment")
HEAD = """\
# What goes wrong, and what is said

Bad inputs, each with the command that meets it, its message, the next step and the exit code.
Every block is what the test of that name got; `pytest tests/failures --update-goldens -n 0`
writes them anew. Each test also sees that everything under `reports/` and `data/prepared/` is
byte for byte as it was, and that nothing is a traceback.

"""
TITLES = {
    "settings": "Settings",
    "files": "Data files",
    "values": "Columns and values",
    "models": "Models",
    "repository": "Repository and DVC state",
    "environment": "Environment",
}


@dataclass(frozen=True)
class Case:
    """What a user does, and what the answer is.

    Attributes:
        title: What is wrong, in plain words: the heading on the page.
        break_it: Changes the project.
        code: The exit code.
        command: What is typed.
        env: What the environment says besides.
        apart: A process of its own, not this one.
        made: Paths that stages before the one that failed may have changed.
        answered: It ends in a named answer, which is its output and no error.
    """

    title: str
    break_it: Callable[[Project], None]
    code: int = 3
    command: str = "mergeline check"
    env: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False
    made: tuple[str, ...] = ()
    answered: bool = False


def edit(old: str, new: str, name: str = "params.yaml") -> Callable[[Project], None]:
    return lambda project: project.edit(old, new, name)


def write(name: str, content: str | bytes) -> Callable[[Project], None]:
    data = content.encode() if isinstance(content, str) else content

    def do(project: Project) -> None:
        (project.root / name).write_bytes(data)

    return do


def nothing(_: Project) -> None:
    """Leave the project as it is: it is the command, or the environment, that is wrong."""


def rows(change: Callable[["pd.DataFrame"], object]) -> Callable[[Project], None]:
    """Change the table; what the change returns is the new one, None keeps it."""

    def do(project: Project) -> None:
        import pandas as pd

        path = project.root / "data/loans.csv"
        frame = pd.read_csv(path)
        changed = change(frame)
        (frame if changed is None else changed).to_csv(path, index=False)  # type: ignore[attr-defined]

    return do


def lines(change: Callable[[list[str]], list[str]]) -> Callable[[Project], None]:
    """Change the lines of the table's file."""

    def do(project: Project) -> None:
        path = project.root / "data/loans.csv"
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return do


def hold(case: Case, family: str, project: Project, *, update: bool) -> None:
    """Run a case and hold the answer against the page, or write it there."""
    case.break_it(project)
    before = _kept(project, case)
    done = _answer(case, project)
    message, hint = done.answer() if case.answered else done.error()
    assert done.code == case.code, done.err
    assert _kept(project, case) == before, "files that were there before have changed"
    block = _block(case, _told(message, project), _told(hint, project))
    if update:
        _write(family, case.title, block)
    blocks = read_page()
    assert blocks.get((TITLES[family], case.title)) == block, "see it, then --update-goldens -n 0"


def _kept(project: Project, case: Case) -> dict[str, bytes]:
    files = project.written()
    return {name: data for name, data in files.items() if not name.startswith(case.made)}


def _answer(case: Case, project: Project) -> Done:
    program, *arguments = shlex.split(case.command)
    assert program == "mergeline"
    if case.apart:
        return project.run(sys.executable, "-m", program, *arguments, env=case.env)
    return _here(project, arguments, case.env)


def _here(project: Project, arguments: list[str], env: Mapping[str, str]) -> Done:
    """Run a command in this process, through the same handler of errors."""
    from mergeline.cli.app import main
    from mergeline.stages.pinned import pinned_variables

    # With the pinned variables a stage does not start itself again.
    out, err = io.StringIO(), io.StringIO()
    with (
        _as_it_was(),
        contextlib.chdir(project.root),
        patch.dict(os.environ, {**project.env, **pinned_variables(), **env}, clear=True),
        patch.object(sys, "argv", ["mergeline", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Leave this process as it was: imports from the project, its path, handlers of signals."""
    modules, path, handler = set(sys.modules), [*sys.path], signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        sys.path[:] = path
        signal.signal(signal.SIGTERM, handler)
        for name in set(sys.modules) - modules:
            if name.startswith("project_"):
                del sys.modules[name]


def _told(text: str, project: Project) -> str:
    """Return a message without what differs from one run to the next."""
    text = text.replace(os.fspath(project.root), "PROJECT").replace(sys.executable, "PYTHON")
    return re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", text)


def _block(case: Case, message: str, hint: str) -> str:
    given = "".join(f"{name}={shlex.quote(value)} " for name, value in case.env.items())
    said = [message, hint] if case.answered else [f"ERROR {message}", f"TIP   {hint}"]
    lines = [f"$ {given}{case.command}", *said, f"exit {case.code}"]
    lines[0] = lines[0].replace(sys.executable, "PYTHON")
    return "```console\n" + "\n".join(lines) + "\n```\n"


# --- the page ----------------------------------------------------------------------------------


def read_page() -> dict[tuple[str, str], str]:
    """Return the blocks of the page by family and title, in order."""
    if not PAGE.exists():
        return {}
    blocks = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        family, _, rest = part.partition("\n")
        found = re.findall(
            r"^### ([^\n]+)\n\n(```console\n.*?^```\n)", rest, re.MULTILINE | re.DOTALL
        )
        blocks |= {(family, title): block for title, block in found}
    return blocks


def _write(family: str, title: str, block: str) -> None:
    blocks = read_page() | {(TITLES[family], title): block}
    text = HEAD
    for name, titles in titles_by_family().items():
        text += f"## {TITLES[name]}\n\n"
        for known in titles:
            if (TITLES[name], known) in blocks:
                text += f"### {known}\n\n{blocks[TITLES[name], known]}\n"
    PAGE.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def titles_by_family() -> dict[str, list[str]]:
    """Return the titles of all cases."""
    from importlib import import_module

    modules = {name: import_module(f"failures.test_{name}") for name in FAMILIES}
    return {name: [case.title for case in module.CASES] for name, module in modules.items()}
