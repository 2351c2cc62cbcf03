"""No string in a plan does anything in the comment, wherever a plan can hold one."""

import html
import re
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.gfm import gfm_plugin

from mergeline.core.plan import Plan
from mergeline.report.comment import LIMIT, render_comment
from mergeline.report.github import to_html
from mergeline.report.sections.mermaid import chart

from . import plans
from .filled import Filler, text_fields
from .nasty import NASTY
from .reading import problems

PAGE = "https://github.com/acme/credit/actions/runs/7#artifacts"
# What acts in GitHub's Markdown, its HTML, its tables, its alerts, its folds and Mermaid.
PIECES = (
    *NASTY,
    *(
        "|",
        "\n",
        "\n\n",
        "\r",
        "`",
        "```",
        "```mermaid\n",
        "~~~",
        "]",
        "(",
        ")",
        "<",
        ">",
        "&",
        "\\",
    ),
    *("<!--", "-->", "<details>", "</summary>", "> ", "\n> [!NOTE]\n", "- ", "# ", "@a", "#1", "$"),
    *('"]', "%%{init: {}}%%", "click a href", "https://e.example", "www.e.example", "a@e.example"),
    *("x", " ", "sex", "roc_auc", "\u2060", "\u200b", "\u202e", "é"),
)
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), min_size=1, max_size=5).map("".join)
_HTML = {"<br>", "<span>", "</span>", "<code>", "</code>"}


@cache
def gfm() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).use(gfm_plugin)


class Found(HTMLParser):
    """What a rendered comment holds beside text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.others: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag in {"img", "input", "script", "iframe", "del", "em", "sup", "svg", "h1"}:
            self.others.add(tag)
        self.others |= {name for name in given if name.startswith(("on", "src", "style"))}


OURS = {"text", "softbreak", "code_inline", "strong_open", "strong_close", "html_inline"}


def acting(comment: str) -> list[str]:
    """What GitHub's own Markdown makes of a comment that is neither text nor ours."""
    found = []
    for token in gfm().parse(comment):
        for child in token.children or ():
            if child.type == "html_inline" and child.content not in _HTML:
                found.append(child.content)
            if child.type not in OURS:
                href = html.unescape(str(child.attrs.get("href", "")))
                ours = child.type in {"link_open", "link_close"} and href in {PAGE, ""}
                found += [] if ours else [f"{child.type} {child.attrs} {child.content}"]
    seen = Found(to_html(comment))
    return found + [f"link {link}" for link in seen.links if link != PAGE] + sorted(seen.others)


def test_the_filler_reaches_every_field_that_can_hold_text():
    filler = Filler(["x"])
    filler.model(Plan)
    assert filler.reached == text_fields(Plan)
    assert ("GateResult", "waiver") in filler.reached
    assert ("LedgerLine", "said") in filler.reached
    assert ("TrainContent", "params") in filler.reached


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(texts=st.lists(TEXT, min_size=1, max_size=4), seed=st.integers(0, 2**16), more=st.booleans())
def test_nothing_in_a_comment_acts(texts, seed, more):
    plan = Filler([*texts, "roc_auc"], seed, 0.15 if more else 0.0).model(Plan)
    comment = render_comment(plan)
    assert problems(comment) == []
    assert acting(comment) == []
    assert len(comment) <= LIMIT


@pytest.mark.parametrize("text", NASTY)
def test_each_nasty_string_everywhere_at_once(text):
    comment = render_comment(Filler([text], none=0.0).model(Plan))
    assert problems(comment) == []
    assert acting(comment) == []


def test_what_the_parser_would_find():
    for bad in ("@a <img src=x>", "[a](https://e.example)", "![a](b)", "www.e.example", "- [x] a"):
        assert acting(f"<!-- mergeline: a -->\n\n{bad}\n") != [], bad


# --- Mermaid -------------------------------------------------------------------------

_CHART = re.compile(
    r"xychart-beta\n"
    r'    x-axis "Class" \[(?:"class \d+"|"[A-Za-z][A-Za-z ]*")(?:, "[A-Za-z][A-Za-z \d]*")*\]\n'
    r'    y-axis "Recall" 0 --> 1\n    bar \[[\d.]+(?:, [\d.]+)*\]\n'
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(names=st.lists(TEXT | st.sampled_from(["end", "Dropout", "click"]), min_size=3, max_size=5))
def test_names_of_classes_do_nothing_in_a_chart(names):
    (first, *_) = plans.three_classes().evidence.evaluate.content.classes
    classes = tuple(first.model_copy(update={"name": name}) for name in names)
    found = plans.three_classes().evidence.evaluate.content
    drawn = chart(found.model_copy(update={"classes": classes}))
    (fence,) = [token for token in gfm().parse(drawn) if token.type == "fence"]
    assert fence.info == "mermaid"
    assert _CHART.fullmatch(fence.content)
    assert drawn.rstrip().endswith("```")


def test_plain_names_of_classes_are_kept():
    drawn = chart(plans.three_classes().evidence.evaluate.content)
    assert 'x-axis "Class" ["Dropout", "Enrolled", "Graduate"]' in drawn
    assert "numbered" not in drawn


# --- the link to the page ------------------------------------------------------------


def test_the_page_is_linked_once_at_the_end():
    comment = render_comment(plans.better().model_copy(update={"page": PAGE}))
    assert comment.count(PAGE) == 1
    assert comment.rstrip().splitlines()[-1].endswith(f"({PAGE})")
    assert acting(comment) == []


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "https://e.example/a)b", "https://u@e.example/", "//e.example", "gone"],
)
def test_an_address_that_no_job_gives_is_no_link(address):
    comment = render_comment(plans.better().model_copy(update={"page": address}))
    assert address not in comment
