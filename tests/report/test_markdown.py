import html

import pytest

from mergeline.report.markdown import Section, block, code, listing, marker, plain, table, text

from .nasty import NASTY
from .reading import JOINER, parse, problems, seen, tables

HEAD = marker("credit-default") + "\n\n"


def rendered(markdown):
    """The one paragraph of a text, as a reader sees it."""
    (inline,) = [token for token in parse(markdown) if token.type == "inline"]
    return seen(inline)


def shown(nasty, limit=400):
    """What a reader has to see of a string."""
    return plain(nasty, limit)


@pytest.mark.parametrize("nasty", NASTY)
def test_text_shows_what_was_written_and_nothing_acts(nasty):
    for around in ("{}", "a {} b", "| h |\n| --- |\n| {} |", "- {}", "## {}", "> {}", "**b** {}"):
        assert problems(HEAD + around.format(text(nasty))) == []
    assert rendered(f"a {text(nasty)} b") == f"a {shown(nasty)} b"
    assert rendered(text(nasty)) == shown(nasty)


@pytest.mark.parametrize("nasty", NASTY)
def test_code_shows_what_was_written_and_nothing_acts(nasty):
    markdown = f"a {code(nasty, 400)} b"
    assert problems(HEAD + markdown) == []
    assert rendered(markdown).replace("␣", "") == f"a {shown(nasty)} b"


@pytest.mark.parametrize("nasty", NASTY)
def test_two_neighbours_do_not_act_together(nasty):
    for one, two in ((text, code), (code, text), (text, text), (code, code)):
        assert problems(HEAD + f"{one(nasty)} {two(nasty)}") == []
        assert problems(HEAD + f"({one(nasty)}, {two(nasty)})") == []


@pytest.mark.parametrize("nasty", NASTY)
def test_a_table_keeps_its_cells(nasty):
    rows = [(code(nasty), text(nasty), "1"), ("a", "b", "2")]
    (found,) = tables(table((text(nasty), "x", "y"), rows, numeric=(2,)))
    assert found.column("y") == ("1", "2")
    assert len(found.rows) == 2


@pytest.mark.parametrize("nasty", NASTY)
def test_a_summary_is_safe_html(nasty):
    folded = str(Section("Name", text(nasty, 60), "body"))
    assert problems(HEAD + folded) == []
    summary = folded.splitlines()[1].removeprefix("<summary><b>Name</b>: ")
    raw = html.unescape(summary.removesuffix("</summary>").replace("<span>$</span>", "$"))
    assert raw.replace(JOINER, "").strip("\u2068\u2069") == shown(nasty, 60)


def test_ordinary_text_stays_readable_in_the_source():
    said = "true_positive_rate is 0.398 for female and 0.541 for male (see params.yaml)."
    assert text(said) == said
    assert code("age [18, 30) & sex") == "`age [18, 30) & sex`"


def test_invisible_and_turning_characters_are_named():
    assert plain("fe\u200bmale\u202e") == "fe⟨U+200B⟩male⟨U+202E⟩"
    assert plain("a\x1b[31mb\x00") == "a⟨U+001B⟩[31mb⟨U+0000⟩"
    assert plain("tag\U000e0041 \ufe0f \u3164") == "tag⟨U+E0041⟩ ⟨U+FE0F⟩ ⟨U+3164⟩"


def test_marks_do_not_pile_up():
    assert plain("a" + "\u0301" * 50) == "a" + "\u0301" * 3


def test_a_name_with_spaces_around_it_does_not_look_like_another():
    assert (code("Male"), code(" Male"), code("Male ")) == ("`Male`", "`␣Male`", "`Male␣`")
    assert (code(""), code(" ")) == ("(empty)", "(blank)")


def test_text_from_right_to_left_is_isolated():
    assert code("עברית") == "\u2068`עברית`\u2069"
    assert text("נ 1") == "\u2068נ 1\u2069"


def test_long_strings_keep_both_ends():
    name = plain("first" + "x" * 1000 + "last", 60)
    assert len(name) == 60
    assert name.startswith("first")
    assert name.endswith("last")


@pytest.mark.parametrize("nasty", NASTY)
def test_hostile_text_cannot_grow_without_end(nasty):
    assert len(text(nasty * 200, 100)) <= 322
    assert len(code(nasty * 200, 100)) <= 340


def test_the_marker_is_of_one_project_only():
    assert marker("credit-default") == "<!-- mergeline: credit-default -->"
    forged = marker("credit-default --> <!-- mergeline: other")
    assert forged.startswith("<!-- mergeline: unnamed-")
    assert marker("a b") != marker("a  b")


def test_a_command_can_be_copied_and_a_strange_one_is_shown():
    assert block("mergeline check") == "```console\nmergeline check\n```"
    assert problems(HEAD + block("x\n```\n@octocat <!-- mergeline: p -->")) == []


def test_listing_counts_the_rest():
    assert listing(["a", "b", "c"], 2) == "`a`, `b` and 1 more"
    assert listing(["a"], 2) == "`a`"
