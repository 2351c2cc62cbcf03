"""metrics: intervals in doubt are named, and how far classes are from their probabilities."""

from mergeline.core.evidence import CalibrationBin, EvidenceSet
from mergeline.report.sections.classes import class_calibration
from mergeline.report.sections.metrics import metrics

from .. import plans, plans_of_tasks


def with_reasons(reasons: dict[str, str]) -> str:
    plan = plans_of_tasks.regression()
    evaluate = plan.evidence.evaluate
    found = {
        name: one.model_copy(update={"reason": reasons.get(name, "")})
        for name, one in evaluate.content.metrics.items()
    }
    content = evaluate.content.model_copy(update={"metrics": found})
    evidence = EvidenceSet(evaluate=evaluate.model_copy(update={"content": content}))
    return metrics(plan.model_copy(update={"evidence": evidence})).body


def test_intervals_in_doubt_are_named_once_for_each_reason() -> None:
    said = with_reasons({"r2": "It <b>bends</b>.", "root_mean_squared_error": "It <b>bends</b>."})
    assert "- `root_mean_squared_error` and `r2`: It &#60;b&#62;bends&#60;/b&#62;." in said
    assert "bends" not in with_reasons({})


def test_of_each_class_the_worst_bin_of_its_probabilities_is_shown() -> None:
    content = plans_of_tasks.class_evaluate(0.7)
    assert class_calibration(content) == ""
    bins = (
        CalibrationBin(low=0.0, high=0.2, n=500, score=0.06, observed=0.07),
        CalibrationBin(low=0.5, high=0.6, n=40, score=0.55, observed=0.35),
    )
    first, *others = content.classes
    classes = (first.model_copy(update={"calibration": bins}), *others)
    said = class_calibration(content.model_copy(update={"classes": classes}))
    assert said.splitlines()[-1] == "| `Dropout` | 0.50 to 0.60 | 40 | 0.550 | 0.350 | +0.200 |"
    assert "Enrolled" not in said


def test_two_classes_have_all_bins() -> None:
    assert "Calibration (rows by score ▇█▃):" in metrics(plans.ALL["better"]()).body


def test_what_errors_cost_is_said_with_the_cheapest_threshold() -> None:
    plan = plans.ALL["better"]()
    content = plan.evidence.evaluate.content
    points = {point.threshold: point.cost for point in content.thresholds}
    said = metrics(plan).body
    assert f"a row costs {points[content.threshold]:.3f} monthly payments on average at" in said
    assert f", and {points[content.cheapest]:.3f} at {content.cheapest:g}, the cheapest (" in said
    bare = content.model_copy(update={"costs": {}, "cheapest": None})
    evaluate = plan.evidence.evaluate.model_copy(update={"content": bare})
    evidence = plan.evidence.model_copy(update={"evaluate": evaluate})
    assert "a row costs" not in metrics(plan.model_copy(update={"evidence": evidence})).body
