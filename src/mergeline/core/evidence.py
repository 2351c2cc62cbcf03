"""What each stage measured, as frozen types. One JSON file a stage, under `reports/`.

`content` is covered by the digest E; `timing` (seconds, host, time) is not.
A name here is the name of the stage, of its module, and of its file.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import Field, FiniteFloat, JsonValue

from mergeline.core.base import Estimate, Stated
from mergeline.core.digest import json_digest

SCHEMA_VERSION = 1

# In the order in which a reader meets them; also the stages whose evidence E covers.
STAGES = ("prepare", "train", "evaluate", "check_data", "check_model", "fairness", "explain")

# A category, slice or group of fewer rows is not told about: it would name single ones.
FEWEST_TOLD = 10

Count = Annotated[int, Field(ge=0)]
Scalar = str | int | float | bool


class Timing(Stated):
    """What differs from run to run and is therefore outside the digest.

    Attributes:
        started: UTC, ISO 8601.
        seconds: Wall time of the stage's own work, by named part and as `total`.
        host: Machine and Python, as text.
        latency_ms: Scoring latency by batch size (`"1"`, `"1000"`); evaluate only.
        run_id: The MLflow run, where tracking is on.
    """

    started: str
    seconds: dict[str, FiniteFloat]
    host: str
    latency_ms: dict[str, FiniteFloat] = {}
    run_id: str | None = None


Content = TypeVar("Content", bound=Stated)


class Evidence(Stated, Generic[Content]):
    """The envelope of every evidence file."""

    schema_version: Literal[1] = 1
    stage: str
    content: Content
    timing: Timing

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of the content."""
        return json_digest(self.content.as_json())


# --- prepare ---------------------------------------------------------------------


class ColumnProfile(Stated):
    """One column of the table as read.

    Attributes:
        kind: What the column is taken for.
        missing: Rows without a value.
        distinct: Different values, missing excluded.
        summary: Numbers: min, mean, median, max, std. Dates: min, max (ISO 8601).
            Empty for text, so that no single value of the data leaves this file.
        top: The most frequent categories with their counts; at most 10, and only
            those seen in at least 10 rows.
    """

    name: str
    kind: Literal["number", "integer", "category", "boolean", "datetime", "text"]
    missing: Count
    distinct: Count
    summary: dict[str, FiniteFloat | str | None] = {}
    top: tuple[tuple[str, Count], ...] = ()


class Split(Stated):
    """How rows came to the two sides.

    Attributes:
        method: What decides the side of a row.
        by: The column that decides, None for `row`.
        key: The column whose hash names a row's unit (group, else id); None when the
            whole row does.
        test: The fraction asked for, None when `after` is given.
        after: The cut for a split by time, ISO 8601.
        dropped: Training rows left out because their id or group is also held out
            (split by time only).
    """

    method: Literal["id", "group", "time", "row"]
    by: str | None
    key: str | None
    test: FiniteFloat | None
    after: str | None
    train_rows: Count
    test_rows: Count
    dropped: Count


class PrepareContent(Stated):
    """The data: where it came from, what it holds, how it was split.

    Attributes:
        sha256: SHA-256 of the source file's bytes; through it E binds the data.
        balance: Rows by class of the target, as text.
        contract_sha256: SHA-256 of the contract file, None without one.
    """

    source: str
    sha256: str
    bytes: Count
    format: str
    target: str
    positive: str
    noun: str
    rows: Count
    duplicate_rows: Count
    duplicate_ids: Count | None
    columns: tuple[ColumnProfile, ...]
    balance: dict[str, Count]
    contract: str | None
    contract_sha256: str | None
    split: Split


# --- train -----------------------------------------------------------------------


class Feature(Stated):
    """A column that the model reads, in the model's order."""

    name: str
    kind: Literal["number", "category", "boolean"]


class TrainContent(Stated):
    """The model: how it was made and the digest of its bytes.

    Attributes:
        model_sha256: M, over the model directory in canonical form.
        params: The estimator's parameters as given in the settings.
        pinned: Environment variables that training fixed to make bytes repeatable.
    """

    estimator: str
    params: dict[str, JsonValue]
    class_weight: str | dict[str, FiniteFloat] | None = None
    seed: int
    rows: Count
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    positive: str
    model_sha256: str
    model_bytes: Count
    libraries: dict[str, str]
    pinned: dict[str, str]


# --- evaluate --------------------------------------------------------------------


class Slice(Stated):
    """Metrics on the held-out rows where a column has one value."""

    column: str
    value: str
    n: Count
    metrics: dict[str, Estimate]


class CalibrationBin(Stated):
    """Held-out rows whose score falls into [low, high): mean score and observed rate."""

    low: FiniteFloat
    high: FiniteFloat
    n: Count
    score: FiniteFloat
    observed: FiniteFloat


class Confusion(Stated):
    """Counts at the threshold; the positive class is the one that the settings name."""

    true_positive: Count
    false_positive: Count
    true_negative: Count
    false_negative: Count


class EvaluateContent(Stated):
    """The model on the held-out rows.

    Attributes:
        primary: The name of the metric that the report leads with.
        higher_is_better: By metric.
        predictions_sha256: SHA-256 of `predictions.parquet`.
        probes_sha256: SHA-256 of `probes.json`: drawn rows, none of the data's, with scores.
    """

    n: Count
    positives: Count
    primary: str
    threshold: FiniteFloat
    metrics: dict[str, Estimate]
    higher_is_better: dict[str, bool]
    confusion: Confusion
    calibration: tuple[CalibrationBin, ...]
    slices: tuple[Slice, ...]
    model_bytes: Count
    predictions_sha256: str
    probes_sha256: str
    probes: Count
    bootstrap: Count
    seed: int


# --- check_data, check_model -----------------------------------------------------

CheckOutcome = Literal["passed", "warned", "failed", "not_applicable", "did_not_run"]


class Condition(Stated):
    """One condition of a deepchecks check."""

    name: str
    outcome: Literal["passed", "warned", "failed", "did_not_run"]
    details: str


class Check(Stated):
    """One deepchecks check, accounted for.

    Attributes:
        name: Stable id: suite and check class, e.g. `data_integrity/mixed_nulls`.
        title: deepchecks' own title.
        outcome: The worst of the conditions; a check without conditions that ran is
            `passed`; one that does not fit this data is `not_applicable`; one that
            crashed or was not run is `did_not_run` and never a pass.
        reason: Why it is not applicable or did not run, else empty.
    """

    name: str
    title: str
    outcome: CheckOutcome
    conditions: tuple[Condition, ...]
    reason: str = ""


class ChecksContent(Stated):
    """All checks of the suites that a stage ran.

    Attributes:
        sampled: Rows a table that checks which estimate something looked at, at most;
            checks that count or compare values looked at all. None: all looked at all.
    """

    suites: tuple[str, ...]
    deepchecks: str
    sampled: Count | None
    checks: tuple[Check, ...]


# --- fairness --------------------------------------------------------------------


class Group(Stated):
    """One group of one sensitive column, or of an intersection.

    Attributes:
        positives: None, and no rates either, for a group that is not judged and has fewer
            than `FEWEST_TOLD` rows.
        judged: False when the group has fewer rows than `min_group`: shown, not judged.
        metrics: By metric name; rates at the threshold, with Wilson intervals.
    """

    name: str
    n: Count
    positives: Count | None
    judged: bool
    metrics: dict[str, Estimate]


class Gap(Stated):
    """A difference between groups.

    Attributes:
        difference: Largest minus smallest over the judged groups, bootstrap interval;
            value None when fewer than two groups are judged.
        ratio: Smallest over largest, None where it is not defined.
        lowest: The group with the smallest rate.
        highest: The group with the largest rate.
        rate: The metric in which the two differ most.
    """

    difference: Estimate
    ratio: FiniteFloat | None
    lowest: str | None
    highest: str | None
    rate: str | None


class Remedy(Stated):
    """What would close a gap: measured on held-out rows that the remedy was not fitted on.

    Attributes:
        gap: Which gap it aims at.
        method: `threshold` (one other threshold for everybody) or `threshold_optimizer`
            (fairlearn's postprocessing, thresholds by group).
        setting: Human-readable: the threshold, or the thresholds by group.
        gap_before: The gap on the same rows as it is.
        gap_after: The gap on these rows with the remedy.
        accuracy_before: Accuracy on these rows as it is.
        accuracy_after: Accuracy on these rows with the remedy.
        n: The rows it was measured on.
    """

    gap: str
    method: Literal["threshold", "threshold_optimizer"]
    setting: str
    gap_before: FiniteFloat
    gap_after: FiniteFloat
    accuracy_before: FiniteFloat
    accuracy_after: FiniteFloat
    n: Count


class FairnessBy(Stated):
    """Fairness by one sensitive column, or by an intersection of several.

    Attributes:
        by: The column; an intersection's columns joined by ` & `.
        gaps: By name: `demographic_parity_difference`, `equalized_odds_difference`,
            `equal_opportunity_difference`.
        reason: Why nothing could be judged, else empty.
    """

    by: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    gaps: dict[str, Gap]
    remedies: tuple[Remedy, ...] = ()
    reason: str = ""


class FairnessContent(Stated):
    """Bias by group on the held-out rows, at the threshold."""

    n: Count
    threshold: FiniteFloat
    min_group: Count
    metrics: tuple[str, ...]
    by: tuple[FairnessBy, ...]
    bootstrap: Count
    seed: int


# --- explain ---------------------------------------------------------------------


class Importance(Stated):
    """How much one of the user's columns moves the score (mean |SHAP|).

    Attributes:
        mean_abs: In the units of `ExplainContent.output`.
        share: Of the sum over all columns, 0 to 1.
        direction: Spearman correlation of value and SHAP value for numbers, -1 to 1;
            None for categories.
    """

    column: str
    mean_abs: FiniteFloat
    share: FiniteFloat
    direction: FiniteFloat | None


class GroupImportance(Stated):
    """Importances within one group of a sensitive column, largest first."""

    by: str
    group: str
    n: Count
    top: tuple[Importance, ...]


class ExplainedRow(Stated):
    """One held-out row with a large error.

    Attributes:
        row: A hash that points at the row for those who have the data; empty unless
            `report.rows` is true, since who can guess ids can hash them.
        contributions: Column and SHAP value, largest first.
        values: The row's values; empty unless `report.rows` is true.
    """

    row: str
    score: FiniteFloat
    positive: bool
    contributions: tuple[tuple[str, FiniteFloat], ...]
    values: dict[str, str] = {}


class ExplainContent(Stated):
    """Which columns move the predictions.

    Attributes:
        outcome: `not_explained` is ERRORED for a gate on it.
        reason: Why not explained, else empty.
        explainer: `tree`, `linear` or `permutation`.
        output: What the SHAP values add up to: `log_odds` or `probability`.
        rows: Rows explained, drawn by hash.
        of: Held-out rows there are.
        background: Rows of the background sample.
    """

    outcome: Literal["explained", "not_explained"]
    reason: str
    explainer: str
    output: Literal["log_odds", "probability"]
    rows: Count
    of: Count
    background: Count
    features: tuple[Importance, ...]
    by_group: tuple[GroupImportance, ...]
    largest_errors: tuple[ExplainedRow, ...]


# The type of each stage's evidence file.
EVIDENCE_TYPES: Mapping[str, type[Evidence[Any]]] = {
    "prepare": Evidence[PrepareContent],
    "train": Evidence[TrainContent],
    "evaluate": Evidence[EvaluateContent],
    "check_data": Evidence[ChecksContent],
    "check_model": Evidence[ChecksContent],
    "fairness": Evidence[FairnessContent],
    "explain": Evidence[ExplainContent],
}


class EvidenceSet(Stated):
    """The evidence of one commit; a stage that has none (yet) is None."""

    prepare: Evidence[PrepareContent] | None = None
    train: Evidence[TrainContent] | None = None
    evaluate: Evidence[EvaluateContent] | None = None
    check_data: Evidence[ChecksContent] | None = None
    check_model: Evidence[ChecksContent] | None = None
    fairness: Evidence[FairnessContent] | None = None
    explain: Evidence[ExplainContent] | None = None

    @classmethod
    def parse(cls, files: Mapping[str, bytes]) -> Self:
        """Build the set from the bytes of evidence files, keyed by stage.

        Raises:
            pydantic.ValidationError: A file is not evidence of this schema version.
        """
        parsed = {
            name: EVIDENCE_TYPES[name].model_validate_json(data) for name, data in files.items()
        }
        return cls(**parsed)

    def digest(self) -> str:
        """Return E: the digest of the contents of all stages that there are."""
        present = {name: getattr(self, name) for name in STAGES}
        return json_digest(
            {name: item.content.as_json() for name, item in present.items() if item is not None}
        )
