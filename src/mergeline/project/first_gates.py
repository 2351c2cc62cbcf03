"""The gates that a project starts with: from what chance alone gets, made up of nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mergeline.core.task import PRIMARY
from mergeline.project.guess import words
from mergeline.project.outcome import Outcome, rounded_up
from mergeline.project.yaml_text import scalar
from mergeline.report.numbers import exact


def gate_lines(outcome: Outcome, gated: Iterable[str]) -> Iterator[str]:
    """Return the section `gates` of `params.yaml`, a line each.

    Args:
        outcome: What is predicted.
        gated: The sensitive columns whose gap has a gate.
    """
    floor = _floor(outcome)
    yield from (f"# {line}" for line in floor.why)
    yield "gates:"
    yield f"  {floor.noun}-{floor.kind}: {{metric: {floor.metric}, {floor.limit}}}"
    allowed = f"no_worse_than_baseline_by: {scalar(_whole(floor.allowed))}"
    yield f"  {floor.noun}-baseline: {{metric: {floor.metric}, {allowed}}}"
    yield "  data-checks: {check: data, new_only: true}"
    yield "  model-checks: {check: model, new_only: true}"
    for gate, column in _gate_names(gated).items():
        limit = f"no_worse_than_baseline_by: {scalar(_whole(floor.wider))}, level: warn"
        yield f"  {gate}:"
        yield f"    {{fairness: {floor.gap}, by: {scalar(column)}, {limit}}}"


@dataclass(frozen=True)
class _Floor:
    """The first gate on the model, from what chance gets, and what the others allow.

    Attributes:
        noun: What the names of the gates begin with; `kind` is `floor` or `ceiling`.
        allowed: How much worse than the baseline's the metric may be.
        gap: The gap between groups; `wider` is how much worse than the baseline's it may be.
        why: Where the limit comes from, a line each.
    """

    noun: str
    kind: str
    metric: str
    limit: str
    allowed: float
    gap: str
    wider: float
    why: tuple[str, ...]


def _floor(outcome: Outcome) -> _Floor:
    metric = PRIMARY[outcome.task]
    match outcome.task:
        case "binary":
            why: tuple[str, ...] = (
                "These hold whatever the data is: 0.5 is what a coin gets.",
                "Raise that floor once there is a first number to go by.",
            )
            limit, gap = "at_least: 0.5", "equalized_odds_difference"
            return _Floor("auc", "floor", metric, limit, 0.01, gap, 0.05, why)
        case "multiclass":
            least = rounded_up(1 / outcome.classes, 2)
            why = (
                f"{least:g} is what always the same one of {outcome.classes} classes gets, "
                "rounded up.",
                "Raise that floor once there is a first number to go by.",
            )
            limit, gap = f"at_least: {least:g}", "accuracy_difference"
            return _Floor("accuracy", "floor", metric, limit, 0.01, gap, 0.05, why)
        case "regression":
            spread = rounded_up(outcome.spread, 3)
            middle = exact(float(f"{outcome.median:.4g}"))
            why = (
                f"{exact(spread)} is what always saying the median, {middle}, gets, rounded up:",
                "the mean distance of the target's values from it. What may be worse than the",
                "baseline's is 2 % and 5 % of that.",
                "Lower that ceiling once there is a first number to go by.",
            )
            allowed, wider = rounded_up(0.02 * spread, 2), rounded_up(0.05 * spread, 2)
            limit, gap = f"at_most: {scalar(_whole(spread))}", "mean_error_difference"
            return _Floor("error", "ceiling", metric, limit, allowed, gap, wider, why)


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _gate_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the sensitive columns by the names of their gates, all different."""
    names: dict[str, str] = {}
    for column in columns:
        name = "-".join(["no-new-gap", *(w for w in words(column) if w.isascii())])
        number = len(names) + 1
        names[name if name not in names else f"{name}-{number}"] = column
    return names
