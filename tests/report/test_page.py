"""The page: whole, the same each time, within its size, and inert whatever stands in a plan."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest

from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.report.charts import charts
from mergeline.report.page import is_page_of, plan_digest, render_page
from mergeline.report.page.vega import vega_javascript

from . import plans, plans_large
from .nasty import NASTY

VOID = {"meta", "input", "br", "hr"}
VEGA = vega_javascript()  # a megabyte that needs no reading
IDS = (
    *("verdict", "performance", "slices", "fairness", "explanations", "data", "checks", "card"),
    *("lineage", "merging"),
)


class Page(HTMLParser):
    """Tags, attributes, texts by their element, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(html.replace(VEGA, "/* Vega */"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text += data

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def with_tag(self, tag: str) -> list[dict[str, str]]:
        return [attributes for found, attributes in self.tags if found == tag]


@pytest.mark.parametrize("name", plans.ALL)
def test_every_plan_has_a_whole_page(name: str) -> None:
    plan = plans.ALL[name]()
    page = Page(render_page(plan))
    assert page.open == []
    assert len(page.ids()) == len(set(page.ids()))
    sections = [attributes["id"] for attributes in page.with_tag("section") if "id" in attributes]
    assert tuple(sections) == IDS
    links = {attributes.get("href") for attributes in page.with_tag("a")}
    assert {f"#{each}" for each in IDS} <= links
    drawn = {attributes.get("data-chart") for attributes in page.with_tag("div")}
    assert {chart.name for chart in charts(plan)} <= drawn


def test_words_of_ours_hold_no_markdown() -> None:
    plan = plans.better()
    evaluate = plan.evidence.evaluate
    assert evaluate is not None
    content = evaluate.content.model_copy(update={"slices": ()})
    bare = evaluate.model_copy(update={"content": content})
    evidence = plan.evidence.model_copy(update={"evaluate": bare})
    shown = render_page(plan.model_copy(update={"evidence": evidence}))
    assert "No column is sliced by (evaluate.slices)." in shown
    assert "No ledger was read here; mergeline log shows it." in shown


def test_headings_go_down_one_level_at_a_time() -> None:
    page = Page(render_page(plans.unfair()))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_same_plan_gives_the_same_bytes_whatever_was_timed() -> None:
    plan = plans.better()
    again = plan.model_copy(update={"stages": (), "notices": ()})
    assert render_page(plan) == render_page(again)
    assert plan_digest(plan) == plan_digest(again)


def test_a_page_knows_its_plan() -> None:
    plan = plans.better()
    page = render_page(plan)
    assert is_page_of(page, plan_digest(plan))
    assert not is_page_of(page, plan_digest(plans.worse()))
    assert not is_page_of("", plan_digest(plan))
    late = "x" * 10_000 + page
    assert not is_page_of(late, plan_digest(plan))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("task", ["better", "regression", "three-classes"])
def test_evidence_that_is_missing_is_said(task: str, stage: str) -> None:
    plan = plans.ALL[task]()
    less = plan.model_copy(
        update={"evidence": plan.evidence.model_copy(update={stage: None}), "comparison": None}
    )
    text = Page(render_page(less)).text
    if stage != "train":
        assert f"There is no evidence of the stage {stage}" in text


def test_a_plan_without_anything_is_a_page() -> None:
    plan = plans.first().model_copy(update={"evidence": EvidenceSet()})
    page = Page(render_page(plan))
    assert page.open == []
    assert len(page.scripts) == 2  # nothing is drawn, so Vega is left out


# --- nothing acts but our scripts --------------------------------------------------


def _policy(page: Page) -> str:
    (found,) = [
        attributes["content"]
        for attributes in page.with_tag("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    return found


def test_the_policy_allows_our_scripts_by_their_hashes_and_no_network() -> None:
    page = Page(render_page(plans.better()))
    policy = _policy(page)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    ran = [
        VEGA if "Vega" in script[:20] else script
        for script, attributes in zip(page.scripts, page.with_tag("script"), strict=True)
        if attributes.get("type") != "application/json"
    ]
    hashes = {
        f"sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}"
        for each in ran
    }
    assert hashes == allowed


HARMLESS = {
    *("class", "id", "href", "download", "lang", "charset", "name", "content", "http-equiv"),
    *("role", "tabindex", "scope", "hidden", "for", "type", "min", "max", "step", "value"),
    *("autocomplete", "spellcheck", "align", "rel", "open", "start", "colspan", "rowspan"),
    *("disabled", "checked"),
}


def _inert(page: Page) -> None:
    assert page.open == []
    allowed = {"script": 3, "style": 1, "img": 0, "iframe": 0, "form": 0, "svg": 0, "object": 0}
    for tag, most in allowed.items():
        assert len(page.with_tag(tag)) <= most, tag
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert name in HARMLESS or name.startswith(("aria-", "data-")), (tag, name)
            if name == "href":
                assert value.startswith(("#", "data:application/json;base64,", "https://")), value
            if name in {"id", "class", "data-chart", "data-search", "data-point"}:
                assert re.fullmatch(r"[a-z0-9 -]*", value), (name, value)


# Several at once: a page takes its time to be read.
TOGETHER = ["\n".join(NASTY[place : place + 8]) for place in range(0, len(NASTY), 8)]


@pytest.mark.parametrize("nasty", TOGETHER)
def test_nothing_from_a_plan_breaks_out(nasty: str) -> None:
    _inert(Page(render_page(plans.poisoned(plans.hostile(), nasty))))


@pytest.mark.parametrize("task", ["regression", "three-classes", "errored-check"])
def test_nothing_breaks_out_of_any_task(task: str) -> None:
    _inert(Page(render_page(plans.poisoned(plans.ALL[task](), "'\"><script>alert(1)</script>"))))


BREAKING = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover=alert(1) x='",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}",
    "${alert(1)}",
    "\u2028alert(1)\u2029",
    "javascript:alert(1)",
    "datum.x; alert(1)",
    "constructor.constructor('alert(1)')()",
)


@pytest.mark.parametrize("nasty", BREAKING)
def test_what_would_end_a_script_or_an_attribute_does_not(nasty: str) -> None:
    html = render_page(plans.poisoned(plans.unfair(), nasty))
    page = Page(html)
    _inert(page)
    assert "49{% raw" not in page.text
    (data,) = [
        script
        for script, attributes in zip(page.scripts, page.with_tag("script"), strict=True)
        if attributes.get("type") == "application/json"
    ]
    assert json.loads(data)["charts"]
    assert "<" not in data


# --- downloads --------------------------------------------------------------


def _download(page: Page, name: str) -> object:
    (address,) = [
        attributes["href"]
        for attributes in page.with_tag("a")
        if attributes.get("download") == f"{name}.json"
    ]
    return json.loads(base64.b64decode(address.partition(",")[2]))


def test_a_download_holds_the_plan_s_own_numbers() -> None:
    plan = plans.better()
    page = Page(render_page(plan))
    assert plan.evidence.fairness is not None
    assert _download(page, "fairness") == plan.evidence.fairness.content.as_json()
    assert _download(page, "verdict") == plan.judgement.as_json()


# --- Vega ------------------------------------------------------------------------------


def test_the_javascript_is_the_one_that_is_known(tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    made = vega_javascript(cache)
    (kept,) = (tmp_path / "mergeline").iterdir()
    assert kept.name == f"vega-{version('vl-convert-python')}.js"
    assert kept.read_text("utf-8") == made
    kept.write_text("alert(1)")
    assert vega_javascript(cache) == made
    assert "</script" not in made
    assert "<!--" not in made


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "vegaEmbed" in vega_javascript({"XDG_CACHE_HOME": str(tmp_path / "file")})


# --- size --------------------------------------------------------------------------------


def size(plan: Plan) -> int:
    return len(render_page(plan).encode())


@pytest.mark.parametrize("name", plans.ALL)
def test_a_small_project_s_page_is_under_two_megabytes(name: str) -> None:
    assert size(plans.ALL[name]()) < 2_000_000


@pytest.mark.parametrize("name", plans_large.LARGE)
def test_a_large_project_s_page_is_under_five_megabytes(name: str) -> None:
    html = render_page(plans_large.LARGE[name]())
    assert len(html.encode()) < 5_000_000
    assert Page(html).open == []


def test_a_hundred_classes_are_bounded() -> None:
    plan = plans.three_classes()
    evaluate = plan.evidence.evaluate
    assert evaluate is not None
    one = evaluate.content.classes[0]
    classes = tuple(one.model_copy(update={"name": f"class {place}"}) for place in range(150))
    content = evaluate.content.model_copy(
        update={"classes": classes, "matrix": tuple((7,) * 150 for _ in range(150))}
    )
    evidence = plan.evidence.model_copy(
        update={"evaluate": evaluate.model_copy(update={"content": content})}
    )
    html = render_page(plan.model_copy(update={"evidence": evidence}))
    assert len(html.encode()) < 5_000_000
    assert "50 more classes in the evidence." in html
