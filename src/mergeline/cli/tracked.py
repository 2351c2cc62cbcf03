"""What MLflow's page of a run shows of a plan: the note, the page, the card and the charts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mergeline.adapters.mlflow import Rendered
    from mergeline.core.plan import Plan

# Pictures take a while each; the page has all charts.
_PICTURES = 12


def rendered(plan: "Plan") -> "Rendered":
    """Return what is logged beside the evidence, for people."""
    from mergeline.adapters.mlflow import Rendered
    from mergeline.report.card import card_text
    from mergeline.report.charts import charts, svg
    from mergeline.report.note import render_note
    from mergeline.report.page import render_page

    pictures = {f"charts/{chart.name}.svg": svg(chart) for chart in charts(plan)[:_PICTURES]}
    # MLflow shows Markdown, and front matter as if it were some.
    texts = {"report.html": render_page(plan), "card.md": card_text(plan), **pictures}
    return Rendered(render_note(plan), {name: text.encode() for name, text in texts.items()})
