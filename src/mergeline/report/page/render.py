"""The page out of its sections: templates, scripts by their hashes, and downloads."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mergeline.core.plan import Plan
from mergeline.report.charts import Chart, charts, config
from mergeline.report.charts.chart import LIGHT
from mergeline.report.markdown import plain
from mergeline.report.page.blocks import Block, Explorer, Figures, Fold, Section
from mergeline.report.page.digest import META, plan_digest
from mergeline.report.page.sections import SECTIONS
from mergeline.report.templates import templates_of
from mergeline.report.words import headline

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "mergeline.report.page"
_DOWNLOAD = 600_000  # characters of JSON in a page; more is in the evidence files alone
_LONGEST = 600  # visible characters of one text


def render_page(plan: Plan) -> str:
    """Return the page of a plan; the same plan gives the same bytes."""
    from markupsafe import Markup

    from mergeline.report.page.vega import vega_javascript

    drawn = charts(plan)
    sections = [each for make in SECTIONS if (each := make(plan, drawn)) is not None]
    figures = [each for section in sections for each in _figures(section.blocks)]
    scripts = [vega_javascript(), _ours("page.js")] if figures else [_ours("page.js")]
    verdict = headline(plan)
    return (
        _environment()
        .get_template("page.html")
        .render(
            meta=Markup(META.format(plan_digest(plan))),  # noqa: S704
            policy=_policy(scripts),
            project=plan.project,
            sentence=verdict.sentence,
            sections=[(section, _download(section)) for section in sections],
            style=Markup(_ours("style.css")),  # noqa: S704
            scripts=[Markup(script) for script in scripts],  # noqa: S704
            specs=_json(
                {
                    "config": config({key: f"var(--{key})" for key in LIGHT}),
                    "charts": {chart.name: chart.spec for chart in figures},
                    "thresholds": [
                        each.points
                        for section in sections
                        for each in section.blocks
                        if isinstance(each, Explorer)
                    ],
                }
            ),
        )
    )


def _policy(scripts: Sequence[str]) -> str:
    """Return the page's Content-Security-Policy: no network, and no script but ours."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _figures(blocks: Sequence[Block]) -> Iterator[Chart]:
    for block in blocks:
        if isinstance(block, Figures):
            yield from block.charts
        elif isinstance(block, Fold):
            yield from _figures(block.blocks)


def _json(value: object) -> Any:
    """Return JSON for within `<script>`: nothing in it can end the element."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704


def _download(section: Section) -> str:
    """Return a section's numbers as an address that holds them; empty without or too large."""
    if section.data is None:
        return ""
    text = json.dumps(section.data, indent=1, sort_keys=True, allow_nan=False)
    if len(text) > _DOWNLOAD:
        return ""
    return f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}"


@cache
def _environment() -> "Environment":
    found = templates_of(_PACKAGE)
    found.filters["seen"] = _seen
    return found


def _seen(value: str) -> str:
    """Return a text as one line of visible characters."""
    return plain(value, _LONGEST)


def _ours(name: str) -> str:
    return files(_PACKAGE).joinpath("templates", name).read_text("utf-8")
