"""The page `reports/report.html`: one file that needs no network, drawn from a plan.

`render` puts it together, `sections` say what stands in it, `blocks` are what sections are made
of, `vega` is the JavaScript that draws, `digest` tells whether a page is that of a plan. It is a
pure function of the plan, without a clock; how long stages took is left out, so that checking
again changes nothing.
"""

from mergeline.core.plan import Plan
from mergeline.report.page.digest import is_page_of, plan_digest

__all__ = ["is_page_of", "plan_digest", "render_page"]


def render_page(plan: Plan) -> str:
    """Return the page of a plan; the same plan gives the same bytes."""
    from mergeline.report.page.render import render_page as render

    return render(plan)
