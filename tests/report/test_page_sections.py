"""What single sections of the page say, where the comment says it too."""

from collections.abc import Sequence

from mergeline.core.base import Estimate
from mergeline.core.evidence import Remedy
from mergeline.core.plan import Plan
from mergeline.report.page.blocks import Block, Cell, Fold, Listing, Table, Words
from mergeline.report.page.sections.fairness import fairness
from mergeline.report.page.sections.performance import performance, slices
from mergeline.report.page.sections.verdict import verdict

from . import plans


def texts(blocks: Sequence[Block]) -> str:
    """All captions, cells and sentences of blocks, a line each."""
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            rows = [*block.rows, block.header]
            cells = [each.text if isinstance(each, Cell) else each for row in rows for each in row]
            found += [block.caption, *cells]
        elif isinstance(block, Listing):
            found += block.items
        elif isinstance(block, Words):
            found.append(block.text)
        elif isinstance(block, Fold):
            found.append(texts(block.blocks))
    return "\n".join(found)


def evaluated(plan: Plan, **update: object) -> Plan:
    evaluate = plan.evidence.evaluate
    assert evaluate is not None
    content = evaluate.content.model_copy(update=update)
    evidence = plan.evidence.model_copy(
        update={"evaluate": evaluate.model_copy(update={"content": content})}
    )
    return plan.model_copy(update={"evidence": evidence})


def test_a_mean_error_is_best_nearest_to_0() -> None:
    plan = plans.regression()
    said = texts(performance(plan, ()).blocks)
    assert "of mean_absolute_error" in said
    assert "mean_error less is better" not in said
    assert "of mean_error nearest to 0" in said
    primary = texts(verdict(evaluated(plan, primary="mean_error"), ()).blocks)
    assert "nearest to 0 is best" in primary
    assert "mean_error, distance from 0" in primary


def test_the_same_model_is_neither_better_nor_worse_nor_unknown() -> None:
    plan = plans.better()
    same = plan.evidence.model_copy(update={"train": plan.baseline_evidence.train})
    compared = plan.comparison
    assert compared is not None
    paired = compared.metrics["roc_auc"]
    no_change = paired.model_copy(
        update={"delta": Estimate(value=0.0, n=paired.delta.n), "outcome": "cannot_tell"}
    )
    plan = plan.model_copy(
        update={
            "evidence": same,
            "comparison": compared.model_copy(update={"metrics": {"roc_auc": no_change}}),
        }
    )
    (row,) = next(
        block.rows
        for block in verdict(plan, ()).blocks
        if isinstance(block, Table) and block.caption.startswith("The primary metric")
    )
    assert row[-1] == Cell("the same")


def test_why_a_metric_is_in_doubt_is_said() -> None:
    plan = plans.better()
    assert plan.evidence.evaluate is not None
    metrics = plan.evidence.evaluate.content.metrics
    doubt = Estimate(value=0.8, n=40, reason="Of few rows.")
    none = Estimate(value=None, n=0, reason="Of few rows.")
    doubted = evaluated(plan, metrics=metrics | {"roc_auc": doubt, "brier_score": none})
    assert "roc_auc and brier_score: Of few rows." in texts(performance(doubted, ()).blocks)
    assert "Of few rows." not in texts(performance(plan, ()).blocks)


def test_rows_in_no_slice_are_counted() -> None:
    plan = evaluated(plans.better(), in_no_slice={"city": 1, "age": 2_000})
    said = texts(slices(plan, ()).blocks)
    assert "1 row in no slice by city: of rarer values." in said
    assert "2,000 rows in no slice by age: of rarer values." in said


def test_a_slice_of_too_few_rows_says_so() -> None:
    plan = plans.better()
    assert plan.evidence.evaluate is not None
    few = next(each for each in plan.evidence.evaluate.content.slices if each.n < 10)
    reason = few.metrics["roc_auc"].reason
    assert reason
    assert f"not measured: {reason}" in texts(slices(plan, ()).blocks)


def test_a_remedy_says_what_it_does_not_close_and_what_it_opens() -> None:
    plan = plans.unfair()
    evidence = plan.evidence.fairness
    assert evidence is not None
    found = evidence.content.by[0]
    good = found.remedies[0]
    others = {"accuracy_difference": (0.01, 0.2)}
    bad: Remedy = good.model_copy(update={"gap_after": good.gap_before, "others": others})
    by = (found.model_copy(update={"remedies": (good, bad)}),)
    content = evidence.content.model_copy(update={"by": by})
    shown = plan.evidence.model_copy(
        update={"fairness": evidence.model_copy(update={"content": content})}
    )
    said = texts(fairness(plan.model_copy(update={"evidence": shown}), ()).blocks)
    assert said.count("does not close it") == 1
    assert said.count("opens accuracy_difference, 0.010 → 0.200") == 1
