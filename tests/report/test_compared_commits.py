"""Two commits held against each other: no review, so nothing is said of a merge."""

import io

import pytest
from rich.console import Console

from mergeline.core.plan import Plan
from mergeline.core.verdict import Banner
from mergeline.report.comment import render_comment
from mergeline.report.page import render_page
from mergeline.report.terminal import print_plan

from . import plans


def printed(plan: Plan) -> str:
    shown = io.StringIO()
    print_plan(plan, Console(file=shown, width=80), files=False)
    return shown.getvalue()


@pytest.mark.parametrize("render", [render_comment, render_page, printed])
def test_a_merge_is_foretold_in_reviews_alone(render) -> None:
    plan = plans.better()
    banner = Banner(kind="diff", text="This compares B with A. It is no review.")
    judgement = plan.judgement.model_copy(update={"banners": (banner,)})
    compared = render(plan.model_copy(update={"judgement": judgement}))
    for said in ("If merged now", "becomes the next release", "asks for 1 approval"):
        assert said in render(plan)
        assert said not in compared
    assert "It is no review" in compared
