"""What MLflow's page of a run shows of a plan: the note, the page, the card and the charts."""

from pathlib import Path
from typing import TYPE_CHECKING

from mergeline.core import layout

if TYPE_CHECKING:
    from mergeline.adapters.mlflow import Rendered
    from mergeline.core.plan import Plan

# Pictures take a while each; the page has all charts.
_PICTURES = 12


def rendered(root: Path, plan: "Plan") -> "Rendered":
    """Return what is logged beside the evidence, for people.

    Args:
        root: The project's root; the page is in its `reports/`.
        plan: What the page says.
    """
    from mergeline.adapters.mlflow import Rendered
    from mergeline.report.card import card_text
    from mergeline.report.charts import charts, svg
    from mergeline.report.note import render_note

    pictures = {f"charts/{chart.name}.svg": svg(chart) for chart in charts(plan)[:_PICTURES]}
    # MLflow shows Markdown, and front matter as if it were some.
    texts = {"card.md": card_text(plan), **pictures}
    files = {name: text.encode() for name, text in texts.items()}
    return Rendered(render_note(plan), files | {"report.html": (root / layout.PAGE).read_bytes()})
