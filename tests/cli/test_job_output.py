"""What a job prints is data to GitHub's runner: no line of it is a command.

The runner reads stdout and stderr line by line: `::name` is a command after white space at a
line's start, `##[name]` anywhere in it (`ActionCommand` in the runner's source).
"""

import io
import json
import re
import sys

import pytest
import typer

from mergeline.cli import app, jobs
from mergeline.cli.app import fail
from mergeline.cli.check import _say, _show
from mergeline.config.problem import printable, printable_lines, unobeyed
from mergeline.core.answers import Answer, Name
from mergeline.core.evidence import EvidenceSet
from mergeline.errors import ToolError
from report import plans
from report.nasty import NASTY

COMMANDS = (
    "::error::x",
    "::error file=params.yaml,line=1::x",
    "  \t::add-path::/tmp",
    "::set-output name=build::reuse",
    "::add-mask::PASSED",
    "::stop-commands::0123456789",
    "##[error]x",
    "roc_auc ##[add-mask]PASSED",
    "####[stop-commands]0123456789",
    "x\n::error::x",
    "x\r::error::x",
    "x\r\n \u00a0\u2003::error::x",
    "x\u2028::error::x\x85::error::x\x0b::error::x\x0c::error::x",
    "\x1b[31m::error::x",
    "\ufeff::error::x \u200b::error::x",
    f"{'wide ' * 14}::error::x {'wide ' * 20}::error::x",
    f"{'x' * 70} ::error::x " * 4,
    f"{'x' * 78}::error::x",
    f"{'x' * 79}##[error]x",
)
HOSTILE = (*COMMANDS, *NASTY)


def obeyed(printed: str) -> list[str]:
    """The lines that GitHub's runner would take for commands."""
    lines = re.split(r"\r\n|\r|\n", printed)
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_commands_would_be_found() -> None:
    assert all(obeyed(each) for each in COMMANDS[:11])
    assert obeyed("a ::error:: b") == obeyed("a # #[error]") == []


@pytest.mark.parametrize("text", HOSTILE)
def test_printable_text_is_one_line_and_no_command(text: str) -> None:
    for value in (text, f"said: {text}", f"{text} {text}", f" {text}"):
        line = printable(value)
        assert line.isprintable()
        assert obeyed(line) == []
        assert printable(line) == line
        assert obeyed(printable_lines(value)) == obeyed(unobeyed(value)) == []


@pytest.mark.parametrize("text", ["plain: a::b, #1, [x]", "std::vector", "a\nb", "", "C# [1]"])
def test_other_text_is_as_it_was(text: str) -> None:
    assert printable_lines(text) == unobeyed(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_json_stays_the_same_json(text: str) -> None:
    value = {"a": text, text: [text]}
    for indent in (None, 1):
        written = unobeyed(json.dumps(value, indent=indent, ensure_ascii=False))
        assert json.loads(written) == value
        assert obeyed(written) == []


# --- what the verbs print -------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fail(ToolError(f"it says {text}\n  {text}", hint=text))
    said = capsys.readouterr().err
    assert obeyed(said) == []
    assert said.startswith("ERROR it says ")
    assert "\nTIP   " in said


@pytest.mark.parametrize("text", HOSTILE)
def test_how_a_verb_ends(
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    summary = tmp_path_factory.mktemp("job") / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    answer = Answer(name=Name.MOVED, reason=text, next_step=text)
    for as_json in (False, True):
        with pytest.raises(typer.Exit):
            jobs.end(answer, as_json=as_json)
    jobs.say(text)
    _say(text)
    printed = capsys.readouterr()
    assert obeyed(printed.err) == []
    assert obeyed(printed.out) == []


@pytest.mark.parametrize("text", COMMANDS)
def test_what_a_check_shows(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("lowered-gate", "waived"):
        _show(plans.poisoned(plans.ALL[name](), text), as_json=False)
        assert obeyed(capsys.readouterr().out) == [], name
    _show(plans.poisoned(plans.unfair(), text), as_json=True)
    verdict = json.loads(written := capsys.readouterr().out)
    assert obeyed(written) == []
    assert verdict["project"]


def test_a_check_shows_nothing_else_than_before(capsys: pytest.CaptureFixture[str]) -> None:
    _show(plans.plan(plans.evidence(), base=None), as_json=False)
    first = capsys.readouterr().out
    _show(plans.plan(EvidenceSet(), base=None), as_json=False)
    assert "Gates" in first
    assert first != capsys.readouterr().out


def test_a_bug_prints_its_traceback_and_no_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("what\n::error::it says ##[add-mask]x")

    monkeypatch.setattr(app, "app", broken)
    with pytest.raises(SystemExit) as caught:
        app.main()
    said = capsys.readouterr().err
    assert caught.value.code == 1
    assert "Traceback" in said
    assert "in broken" in said
    assert obeyed(said) == []


def test_what_cannot_be_encoded_is_printed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(SystemExit):
        fail(ToolError("half \ud800 a character", hint="none"))
    stream.flush()
    assert stream.buffer.getvalue().startswith(b"ERROR half \\ud800 a character")  # type: ignore[attr-defined]
