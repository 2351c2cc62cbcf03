import io

import pytest
from rich.console import Console

from mergeline.core.evidence import EvidenceSet
from mergeline.core.policy import Policy
from mergeline.report.terminal import print_plan

from . import plans
from .nasty import NASTY


def printed(plan, width=80, **options):
    """What a terminal of a width shows."""
    console = Console(file=io.StringIO(), width=width, **options)
    print_plan(plan, console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", plans.ALL)
def test_golden(name, golden):
    lines = printed(plans.ALL[name]()).splitlines()
    golden(f"terminal/{name}.txt", "".join(f"{line.rstrip()}\n" for line in lines))


@pytest.mark.parametrize("width", [80, 50, 120])
def test_no_line_is_wider_than_the_terminal(width):
    for make in plans.ALL.values():
        assert max(map(len, printed(make(), width).splitlines())) <= width


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    plan = plans.poisoned(plans.unfair(), nasty)
    shown = printed(plan, force_terminal=True, color_system=None)
    assert not set(shown) & {"\x1b", "\x07", "\x00", "\u202e", "\u200b", "\u2066", "\u2028"}
    words = [line.split()[0] for line in shown.splitlines() if line.split()]
    assert words.count("FAILED") == 1


def test_markup_is_text():
    banner = plans.Banner(kind="x", text="[red]alarm[/red] [link=https://evil.example]x[/link]")
    shown = printed(plans.plan(plans.evidence(), base=None, banners=(banner,)))
    assert "NOTE  [red]alarm[/red]" in shown


def test_colour_carries_no_meaning_alone():
    plain = printed(plans.unfair())
    coloured = printed(plans.unfair(), force_terminal=True, color_system="standard")
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert "FAILED  equal-odds" in plain


def test_where_the_files_are():
    shown = " ".join(printed(plans.better()).split())
    assert "Files: reports/comment.md, reports/report.html, reports/card.md" in shown


def test_nothing_measured_and_no_gates():
    shown = printed(plans.plan(EvidenceSet(), base=None, head=Policy()))
    assert "Gates: none." in shown
    assert "Not measured." in shown


def test_dirty_files_are_named():
    dirty = tuple(f"file-{number}.py" for number in range(7))
    shown = " ".join(printed(plans.plan(plans.evidence(), base=None, dirty=dirty)).split())
    assert "Not as in the commit: file-0.py, file-1.py" in shown
    assert "file-4.py and 2 more" in shown
