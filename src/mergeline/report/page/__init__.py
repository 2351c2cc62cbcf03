"""The page `reports/report.html`: one file that needs no network, drawn from a plan.

`render` puts it together, `sections` say what stands in it, `blocks` are what sections are made
of, `vega` is the JavaScript that draws. It is a pure function of the plan, without a clock; how
long stages took is left out, so that checking again changes nothing.
"""

from mergeline.report.page.render import is_page_of, plan_digest, render_page

__all__ = ["is_page_of", "plan_digest", "render_page"]
