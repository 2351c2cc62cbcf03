"""A predicted number: the errors, in the target's units, and where they are largest."""

from mergeline.core.evidence import EvaluateContent, ResidualBin
from mergeline.core.plan import Plan
from mergeline.report.markdown import code, table
from mergeline.report.numbers import bar, number, signed

_BINS = 10


def in_units(plan: Plan) -> str:
    """Return in what units errors are, and how far the target itself spreads; else empty."""
    prepare, evaluate = plan.evidence.prepare, plan.evidence.evaluate
    if prepare is None or evaluate is None or evaluate.content.task != "regression":
        return ""
    target = prepare.content.target
    profile = next((each for each in prepare.content.columns if each.name == target), None)
    found = {} if profile is None else profile.summary
    mean, std = found.get("mean"), found.get("std")
    said = f"Errors are in the units of {code(target)}"
    if not isinstance(mean, float | int) or not isinstance(std, float | int):
        return f"{said}."
    return f"{said}, whose mean is {number(mean)} and whose standard deviation {number(std)}."


def residuals(content: EvaluateContent) -> str:
    """Return how large the errors are, and predicted beside actual means by tenths."""
    if content.residuals is None:
        return ""
    parts = (_spread(content.residuals.quantiles), _bins(content.residuals.bins))
    return "\n\n".join(part for part in parts if part)


def _spread(quantiles: dict[str, float]) -> str:
    said = [
        f"{how} between {signed(quantiles[low])} and {signed(quantiles[high])}"
        for how, low, high in (
            ("half of the errors (prediction minus outcome) are", "25", "75"),
            ("nine in ten", "5", "95"),
        )
        if low in quantiles and high in quantiles
    ]
    return f"{'; '.join(said).capitalize()}." if said else ""


def _bins(bins: tuple[ResidualBin, ...]) -> str:
    if not bins:
        return ""
    largest = max(abs(item.predicted - item.actual) for item in bins)
    rows = [
        (
            f"{number(item.low)} to {number(item.high)}",
            f"{item.n:,}",
            number(item.predicted),
            number(item.actual),
            signed(item.predicted - item.actual),
            bar(abs(item.predicted - item.actual) / largest) if largest else "",
        )
        for item in bins[:_BINS]
    ]
    header = ("Predictions", "n", "Mean predicted", "Mean actual", "Difference", "")
    return f"{_worst(bins)}\n\n{table(header, rows, numeric=(1, 2, 3, 4))}"


def _worst(bins: tuple[ResidualBin, ...]) -> str:
    worst = max(bins, key=lambda item: abs(item.predicted - item.actual))
    apart = worst.predicted - worst.actual
    where = f"predictions from {number(worst.low)} to {number(worst.high)}"
    if not apart:
        return "Predicted and actual means are equal in each tenth of the predictions."
    how = "too high" if apart > 0 else "too low"
    return (
        "Predicted beside actual, by tenths of the predictions. Furthest apart: "
        f"{where} are {how} by {number(abs(apart))} on average ({worst.n:,} rows)."
    )
