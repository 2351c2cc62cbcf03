"""Policy: the gates, the waivers and the rules of promotion that a project sets itself."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from mergeline.core.base import Frozen
from mergeline.core.evidence.envelope import FEWEST_TOLD
from mergeline.core.task import GapName

Level = Literal["fail", "warn"]


_LIMITS = ("at_least", "at_most", "no_worse_than_baseline_by")


class Bounds(Frozen):
    """A gate on a number: a floor or a ceiling.

    Attributes:
        at_least: A floor under the point estimate.
        at_most: A ceiling over the point estimate.
        level: `warn` turns FAILED into WARNED.
    """

    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    level: Level = "fail"

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        known = [name for name in _LIMITS if name in type(self).model_fields]
        given = [name for name in known if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(known)}; found {', '.join(given) or 'none'}"
            )
        return self


class Limits(Bounds):
    """A gate on a number: exactly one of the three limits.

    Attributes:
        at_least: A floor under the point estimate.
        at_most: A ceiling over the point estimate.
        no_worse_than_baseline_by: How much worse than the baseline the whole paired
            interval may be, in the number's own units; turned so that more is better.
        level: `warn` turns FAILED into WARNED.
    """

    no_worse_than_baseline_by: Annotated[FiniteFloat, Field(ge=0)] | None = None


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

    fairness: GapName
    by: str

    @model_validator(mode="after")
    def _a_gap_has_no_floor(self) -> Self:
        if self.at_least is not None:
            raise ValueError("a gap is limited from above: use at_most")
        return self


class SliceGate(Bounds):
    """A metric in each slice of a column, or in one of them.

    Attributes:
        slice: The column; one of `evaluate.slices`.
        metric: One that `evaluate` measures.
        value: Judge this slice alone, by its name in the report. Of several slices the worst
            looks worse than it is: its interval, widened for their number, decides.
        min_rows: Slices of fewer rows are not judged.
        at_least: A floor under the metric.
        at_most: A ceiling over the metric.
        level: `warn` turns FAILED into WARNED.
    """

    slice: str
    metric: str
    value: str | None = None
    min_rows: Annotated[int, Field(ge=FEWEST_TOLD)] = 50


class LatencyGate(Frozen):
    """How long scoring may take; measured in the build, so it differs from run to run.

    Attributes:
        latency: Rows that are scored in one call: 1, or 1000.
        at_most: Milliseconds, of the median call.
        level: `warn` turns FAILED into WARNED.
    """

    latency: Literal[1, 1000]
    at_most: Annotated[FiniteFloat, Field(gt=0)]
    level: Level = "fail"


class SizeGate(Frozen):
    """How large the model may be.

    Attributes:
        size: Of the model's directory.
        at_most: Bytes.
        level: `warn` turns FAILED into WARNED.
    """

    size: Literal["model"]
    at_most: Annotated[int, Field(ge=1)]
    level: Level = "fail"


class DataGate(Limits):
    """The table that the model is made from.

    Attributes:
        data: `rows`: how many there are. `missing`: the share of rows without a value.
            `drift`: how far the values lie from the baseline's, 0 to 1. `leak`: how well a
            column that the model reads tells the outcome by itself, 0 to 1.
        column: Judge this column alone; the worst of all unless given.
        at_least: A floor; for rows alone.
        at_most: A ceiling.
        no_worse_than_baseline_by: How much worse than the baseline's it may be: fewer rows, a
            larger share missing, a larger score.
        level: `warn` turns FAILED into WARNED.
    """

    data: Literal["rows", "missing", "drift", "leak"]
    column: str | None = None

    @model_validator(mode="after")
    def _fits_the_number(self) -> Self:
        if self.data == "rows":
            if self.column is not None:
                raise ValueError("rows are those of the whole table: leave out column")
            return self
        if self.at_least is not None:
            raise ValueError(f"{self.data} is limited from above: use at_most")
        if self.data == "drift" and self.no_worse_than_baseline_by is not None:
            raise ValueError("drift is a distance from the baseline already: use at_most")
        return self


class CheckGate(Frozen):
    """The data or model checks of deepchecks, or one of them.

    Attributes:
        check: Of the data, or of the model.
        name: Judge this check alone: its id, e.g. `data_integrity/mixed_nulls`, or the last
            part of it.
        new_only: Fail on conditions that failed now and did not at the baseline;
            warn of those that failed there already.
        level: `warn` turns FAILED into WARNED.
    """

    check: Literal["data", "model"]
    name: str | None = None
    new_only: bool = False
    level: Level = "fail"


class ExplainGate(Frozen):
    """A column that must not matter: it may rank no higher than this in importance.

    Attributes:
        explain: The column.
        at_most_rank: 1 is the most important column; with 10, ranks 1 to 9 fail,
            but for a column that moves no prediction.
        level: `warn` turns FAILED into WARNED.
    """

    explain: str
    at_most_rank: Annotated[int, Field(ge=1)]
    level: Level = "fail"


# By the key that only gates of this kind have; a gate on slices has a metric too.
GATE_KINDS = ("slice", "metric", "fairness", "check", "explain", "latency", "size", "data")


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((kind for kind in GATE_KINDS if kind in value), None)
    return next((kind for kind in GATE_KINDS if hasattr(value, kind)), None)


Gate = Annotated[
    Annotated[MetricGate, Tag("metric")]
    | Annotated[SliceGate, Tag("slice")]
    | Annotated[FairnessGate, Tag("fairness")]
    | Annotated[CheckGate, Tag("check")]
    | Annotated[ExplainGate, Tag("explain")]
    | Annotated[LatencyGate, Tag("latency")]
    | Annotated[SizeGate, Tag("size")]
    | Annotated[DataGate, Tag("data")],
    Discriminator(
        _kind,
        custom_error_type="gate_kind",
        custom_error_message=f"a gate names one of {', '.join(GATE_KINDS)}",
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
