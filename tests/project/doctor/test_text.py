"""How findings are printed."""

import json

from mergeline.project.doctor.finding import Group, exit_code, missing, ok, unknown, warn
from mergeline.project.doctor.text import as_json, render

GROUPS = (
    Group(title="One", findings=(ok("a", "1.0"), missing("longer", "gone", "get it"))),
    Group(
        title="Two",
        findings=(warn("b", "old", "do:", "gh api <<'X'\n{}\nX"), unknown("c", "needs more")),
    ),
)
TEXT = """\
One
  ok       a       1.0
  MISSING  longer  gone
                   next: get it

Two
  warn     b       old
                   next: do:
gh api <<'X'
{}
X
  unknown  c       needs more

1 missing, 1 warning, 1 not known"""


def test_aligned_lines_and_blocks_that_can_be_copied() -> None:
    assert render(GROUPS) == TEXT


def test_nothing_wrong() -> None:
    group = Group(title="One", findings=(ok("a", "1.0"),))
    assert render([group]).endswith("\n\nall is as it should be")


def test_colours_are_asked_for() -> None:
    painted = render(GROUPS, lambda text, state: f"<{state}|{text}>")
    assert "<missing|MISSING>" in painted
    assert "<None|Two>" in painted


def test_what_a_terminal_would_obey_is_escaped() -> None:
    group = Group(title="One", findings=(missing("a", "\x1b[31m", "\u202e", "a\x07\nb"),))
    assert not set("\x1b\x07\u202e") & set(render([group]))


def test_json() -> None:
    said = json.loads(as_json(GROUPS))
    assert said["exit_code"] == 4
    assert said["findings"][1] == {
        "group": "One",
        "name": "longer",
        "state": "missing",
        "detail": "gone",
        "next_step": "get it",
        "block": "",
    }


def test_only_what_is_needed_fails() -> None:
    assert exit_code(GROUPS) == 4
    assert exit_code(GROUPS[1:]) == 0
