"""Policy: the gates, the waivers and the rules of promotion that a project sets itself."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from mergeline.core.base import Frozen

Level = Literal["fail", "warn"]


class Limits(Frozen):
    """A gate on a number: exactly one of the three limits.

    Attributes:
        at_least: A floor under the point estimate.
        at_most: A ceiling over the point estimate.
        no_worse_than_baseline_by: How much worse than the baseline the whole paired
            interval may be, in the number's own units; turned so that more is better.
        level: `warn` turns FAILED into WARNED.
    """

    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    no_worse_than_baseline_by: Annotated[FiniteFloat, Field(ge=0)] | None = None
    level: Level = "fail"

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [
            name
            for name in ("at_least", "at_most", "no_worse_than_baseline_by")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                "give exactly one of at_least, at_most, no_worse_than_baseline_by; "
                f"found {', '.join(given) or 'none'}"
            )
        return self


class MetricGate(Limits):
    """A metric of the held-out rows against a floor, a ceiling or the baseline.

    Attributes:
        metric: One that `evaluate` measures.
    """

    metric: str


class FairnessGate(Limits):
    """A gap between groups against a ceiling or the baseline.

    Attributes:
        fairness: The gap.
        by: A sensitive column, or several joined by ` & ` for their intersection.
    """

    fairness: Literal[
        "demographic_parity_difference",
        "equalized_odds_difference",
        "equal_opportunity_difference",
        "accuracy_difference",
        "mean_prediction_difference",
        "mean_error_difference",
        "mean_absolute_error_difference",
    ]
    by: str

    @model_validator(mode="after")
    def _a_gap_has_no_floor(self) -> Self:
        if self.at_least is not None:
            raise ValueError("a gap is limited from above: use at_most")
        return self


class CheckGate(Frozen):
    """The data or model checks of deepchecks.

    Attributes:
        check: Of the data, or of the model.
        new_only: Fail on conditions that failed now and did not at the baseline;
            warn of those that failed there already.
        level: `warn` turns FAILED into WARNED.
    """

    check: Literal["data", "model"]
    new_only: bool = False
    level: Level = "fail"


class ExplainGate(Frozen):
    """A column that must not matter: it may rank no higher than this in importance.

    Attributes:
        explain: The column.
        at_most_rank: 1 is the most important column; with 10, ranks 1 to 9 fail.
        level: `warn` turns FAILED into WARNED.
    """

    explain: str
    at_most_rank: Annotated[int, Field(ge=1)]
    level: Level = "fail"


GATE_KINDS = ("metric", "fairness", "check", "explain")


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((kind for kind in GATE_KINDS if kind in value), None)
    return next((kind for kind in GATE_KINDS if hasattr(value, kind)), None)


Gate = Annotated[
    Annotated[MetricGate, Tag("metric")]
    | Annotated[FairnessGate, Tag("fairness")]
    | Annotated[CheckGate, Tag("check")]
    | Annotated[ExplainGate, Tag("explain")],
    Discriminator(
        _kind,
        custom_error_type="gate_kind",
        custom_error_message="a gate names one of metric, fairness, check, explain",
    ),
]


class Waiver(Frozen):
    """Somebody's word that a FAILED gate is accepted, until a day.

    Attributes:
        gate: Its name.
        reason: Why it is accepted.
        owner: Who answers for it.
        expires: The last day on which it counts.
    """

    gate: str
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    expires: date


class Accept(Frozen):
    """A commit that would block the line, named with a reason and an owner.

    Attributes:
        commit: Its full id.
        reason: Why it is accepted.
        owner: Who answers for it.
    """

    commit: str
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]


class Promotion(Frozen):
    """What a merge needs in order to promote.

    Attributes:
        approvals: How many people must approve the final head; 0 is said aloud.
        build: Where the bytes come from: `reuse` the reviewed ones, `rebuild` them on
            main, or `auto`.
        since: The commit from which on every change must come from a pull request.
        accept: Commits that block the line, accepted by name.
        reinstate: Models rolled back before, by digest, that may be promoted again. One that
            was named before it was rolled back counts when it is taken out and named again.
    """

    approvals: Annotated[int, Field(ge=0)] = 1
    build: Literal["auto", "reuse", "rebuild"] = "auto"
    since: str | None = None
    accept: tuple[Accept, ...] = ()
    reinstate: tuple[str, ...] = ()


class Policy(Frozen):
    """The sections of `params.yaml` that decide what passes."""

    gates: dict[str, Gate] = {}
    waivers: tuple[Waiver, ...] = ()
    promotion: Promotion = Promotion()
