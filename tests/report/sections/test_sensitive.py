import pytest

from mergeline.core.evidence import Proxy
from mergeline.report.comment import render_comment
from mergeline.report.sections.explain import explanations
from mergeline.report.sections.sensitive import rising

from .. import plans
from ..nasty import NASTY
from ..reading import problems, tables, visible

BEFORE = ("income", "loan_amount", "age", "postcode", "purpose")
POSTCODE = Proxy(column="postcode", of="sex", score=0.412)


def plan(*order, proxies=(POSTCODE,), before=BEFORE):
    """A plan whose columns matter in this order; without `before` the first one of a project."""
    explained = plans.explain(*order).model_copy(update={"proxies": tuple(proxies)})
    old = plans.evidence(explain=plans.explain(*before)) if before else None
    return plans.plan(
        plans.evidence(explain=explained, train=plans.train(max_iter=200)),
        before=old,
        compared=plans.comparison(0.8011, 0.0091) if before else None,
    )


def test_a_proxy_that_rises_is_warned_of():
    found = visible(rising(plan("income", "postcode", "loan_amount", "age", "purpose")))
    assert (
        "postcode tells sex (score 0.412 of 1), and matters more than before: "
        "rank 4 → 2, 10.0 % → 27.0 % of what moves predictions."
    ) in found
    assert "loan_amount" not in found


def test_a_sensitive_column_that_rises_is_warned_of():
    found = rising(plan("sex", "income", "loan_amount", "age", "postcode", proxies=()))
    assert "`sex` is a sensitive column, and is read anew: rank 1, 41.0 %." in found


def test_a_share_that_grows_at_the_same_rank_counts():
    grown = plan(*BEFORE, proxies=[Proxy(column="income", of="sex", score=0.5)])
    content = grown.baseline_evidence.explain.content
    first = content.features[0].model_copy(update={"share": 0.38})
    old = content.model_copy(update={"features": (first, *content.features[1:])})
    grown = grown.model_copy(
        update={"baseline_evidence": plans.evidence(explain=old)},
    )
    assert "rank 1, 38.0 % → 41.0 % of what moves predictions." in rising(grown)


@pytest.mark.parametrize(
    "quiet",
    [
        plan(*BEFORE),
        plan("income", "loan_amount", "postcode", "age", "purpose", proxies=()),
        plan("loan_amount", "income", "age", "purpose", "postcode"),
        plan("postcode", "income", before=()),
        plans.errored(),
    ],
    ids=["same", "no proxy", "falls", "no baseline", "not explained"],
)
def test_nothing_else_is_warned_of(quiet):
    assert rising(quiet) == ""


def test_of_several_sensitive_columns_the_one_it_tells_best_is_said():
    more = Proxy(column="postcode", of="age", group="[18, 30)", score=0.6)
    made = plan("postcode", *BEFORE[:3], "purpose", proxies=[more, POSTCODE])
    assert "`postcode` tells `age` (`[18, 30)` best) (score 0.600 of 1)" in rising(made)


def test_proxies_have_a_table():
    body = explanations(plan(*BEFORE)).body
    (found,) = [each for each in tables(body) if "Tells" in each.header]
    assert found.rows == (("postcode", "sex", "0.412", "10.0 %"),)
    assert "Tells" not in explanations(plan(*BEFORE, proxies=())).body


@pytest.mark.parametrize("nasty", NASTY[::5])
def test_hostile_names_stay_text(nasty):
    made = plans.poisoned(plan("postcode", *BEFORE[:3], "purpose"), nasty)
    made = made.model_copy(update={"command": ""})
    assert "[!WARNING]" in rising(made)
    assert problems(render_comment(made)) == []
