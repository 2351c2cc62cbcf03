import pytest

from mergeline.core.evidence import EvidenceSet
from mergeline.report.sections.fairness import fairness
from mergeline.report.sections.metrics import metrics, primary, slices

from .. import plans, plans_of_tasks


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("positive", "880 of them positive, 22.0 %."),
        ("defaulter", "880 of them positive (defaulter), 22.0 %."),
    ],
)
def test_the_noun_is_named_where_it_says_more(noun: str, said: str) -> None:
    plan = plans.better().model_copy(update={"noun": noun})
    assert said in metrics(plan).body


def test_a_mean_error_is_compared_by_its_distance_from_0() -> None:
    """Its own value has a sign: -50 and 40 are 50 and 40 away."""
    plan = plans_of_tasks.regression()
    evaluate = plan.evidence.evaluate
    content = evaluate.content.model_copy(update={"primary": "mean_error"})
    first = evaluate.model_copy(update={"content": content})
    led = plan.model_copy(update={"evidence": plan.evidence.model_copy(update={"evaluate": first})})
    assert "| `mean_error`, distance from 0 | 301.9 | 212.4 |" in primary(led)
    assert "distance" not in primary(plan)
    assert metrics(plan).body.count("in distance from 0") == 1


def test_rows_in_no_slice_are_counted() -> None:
    plan = plans.better()
    assert "no slice" not in slices(plan).body
    evaluate = plan.evidence.evaluate
    content = evaluate.content.model_copy(update={"in_no_slice": {"purpose": 1_983}})
    first = evaluate.model_copy(update={"content": content})
    rest = plan.model_copy(
        update={"evidence": plan.evidence.model_copy(update={"evaluate": first})}
    )
    assert "1,983 rows in no slice by `purpose`: of rarer values." in slices(rest).body


@pytest.mark.parametrize(
    ("difference", "said"), [(0.0, "All judged groups are alike."), (0.1, "`female`")]
)
def test_the_ends_of_a_gap_are_named_where_there_are_any(difference: float, said: str) -> None:
    body = fairness(with_gaps(difference)).body
    (line,) = [line for line in body.splitlines() if line.startswith("The largest gap is")]
    assert said in line
    assert "None" not in body
    assert ("is lowest for" in line) is (difference > 0)


def with_gaps(difference: float) -> plans.Plan:
    """All gaps of this size; without ends where it is zero."""
    plan = plans.better()
    content = plan.evidence.fairness.content
    found = content.by[0]
    ends = {} if difference else {"lowest": None, "highest": None}
    gaps = {
        name: gap.model_copy(
            update={"difference": gap.difference.model_copy(update={"value": difference}), **ends}
        )
        for name, gap in found.gaps.items()
    }
    by = (found.model_copy(update={"gaps": gaps}),)
    sealed = plan.evidence.fairness.model_copy(
        update={"content": content.model_copy(update={"by": by})}
    )
    evidence: EvidenceSet = plan.evidence.model_copy(update={"fairness": sealed})
    return plan.model_copy(update={"evidence": evidence})
