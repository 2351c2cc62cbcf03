"""What all charts share: the type, the look, names that fit, and the picture."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mergeline.report.markdown import plain
from mergeline.report.numbers import number

if TYPE_CHECKING:
    import altair as alt

MODEL, BASELINE = "this model", "baseline"
BOTH = (MODEL, BASELINE)
HEIGHT, STEP = 260, 26  # pixels
NAME = 40  # characters of a name on an axis
# Named, so that the room that a text takes can be measured.
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif"
_WIDTH = 640  # of a picture; in a page a chart is as wide as its column

# Colours for eyes of every kind (Okabe and Ito's, darkened until text of them can be read).
LIGHT: Mapping[str, str] = {
    "ink": "#1f2328",
    "soft": "#59636e",
    "grid": "#e4e8ec",
    "paper": "#ffffff",
    "first": "#0b62a8",
    "second": "#b35900",
    "third": "#00785a",
    "fourth": "#9a3f78",
    "alarm": "#b3261e",
}


@dataclass(frozen=True)
class Chart:
    """One chart, and the same in words and as a table.

    Attributes:
        name: Letters, digits and hyphens, one of its kind in a plan.
        title: One line; may hold a name out of the data.
        description: What is to be seen, for those who do not see it.
        spec: Vega-Lite, without a look (see `config`).
        header: Of the table of its numbers.
        rows: As they are read, not as they are drawn.
    """

    name: str
    title: str
    description: str
    spec: dict[str, Any]
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


def config(colours: Mapping[str, str] = LIGHT) -> dict[str, Any]:
    """Return the look of all charts.

    Args:
        colours: By the names of `LIGHT`, in any way that SVG understands.
    """
    text = {
        "labelColor": colours["soft"],
        "titleColor": colours["ink"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    series = [colours[name] for name in ("first", "second", "third", "fourth")]
    return {
        "aria": False,  # the page says it in words
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axisX": {"tickCount": 6, "labelFlush": False},
        "point": {"opacity": 1},
        "axis": {
            **text,
            "gridColor": colours["grid"],
            "domainColor": colours["soft"],
            "tickColor": colours["soft"],
            "labelLimit": 150,
        },
        "legend": {
            **text,
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "symbolStrokeWidth": 2,
            "labelLimit": 260,
        },
        "range": {
            "category": series,
            "symbol": ["circle", "square", "triangle-up", "diamond"],
        },
        "style": {
            "line": {"strokeWidth": 2},
            "model": {"color": colours["first"]},
            "reference": {"color": colours["soft"], "strokeDash": [3, 3], "strokeWidth": 1},
            "decides": {
                "color": colours["ink"],
                "fill": colours["paper"],
                "strokeWidth": 2,
                "size": 110,
            },
            "limit": {"color": colours["alarm"], "strokeDash": [6, 3], "strokeWidth": 1.5},
            "said": {"color": colours["ink"], "fontSize": 12},
            "noise": {"color": colours["ink"]},
        },
    }


def finished(
    chart: "alt.Chart | alt.LayerChart | alt.FacetChart", height: float = HEIGHT
) -> dict[str, Any]:
    """Return an Altair chart as Vega-Lite, as wide as where it stands."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    del spec["config"]
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def values(rows: Iterable[Mapping[str, object]]) -> "alt.InlineData":
    """Return rows as a chart's data."""
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in rows])


def fitting(names: Sequence[str]) -> list[str]:
    """Return names short enough for an axis, no two of them the same."""
    taken: set[str] = set()
    shown = []
    for name in names:
        short, count = plain(name, NAME) or "(empty)", 1
        while short in taken:
            count += 1
            short = f"{plain(name, NAME)} ({count})"
        taken.add(short)
        shown.append(short)
    return shown


def or_none(value: float | None) -> str:
    """Return a number, or that there is none."""
    return "none" if value is None else number(value)


def svg(chart: Chart) -> str:
    """Return a chart as a picture, on white."""
    import vl_convert

    look = config() | {"font": "sans-serif", "background": LIGHT["paper"]}
    spec = {**chart.spec, "config": look, "width": _WIDTH, "title": plain(chart.title)}
    drawn: str = vl_convert.vegalite_to_svg(
        json.dumps(spec), allowed_base_urls=[], show_warnings=False
    )
    return drawn
