"""The settings of a project: `params.yaml` as frozen types. Other sections are the project's."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, JsonValue, model_validator

from mergeline.config.services import Deploy, Registry, ReportSettings, Tracking
from mergeline.core.base import Frozen
from mergeline.core.plan import CardWords
from mergeline.core.policy import Gate, Policy, Promotion, Waiver
from mergeline.core.task import MEASURED, PRIMARY, SHOWN_RATES, MetricName, RateName, Task

Scalar = str | int | FiniteFloat | bool


class Data(Frozen):
    """Where the table is and what its columns mean.

    Attributes:
        source: CSV, TSV, Parquet or JSON lines; a path relative to `params.yaml`.
        format: Given, or detected from the file's name.
        encoding: Of a text file; UTF-8 (with or without byte-order mark) unless given.
        separator: Of a CSV file; found in it unless given.
        decimal: Between the whole number and its fraction in a CSV file.
        thousands: Between groups of three digits in a CSV file; none unless given.
        missing: Texts that mean "no value", besides the empty one.
        task: What to predict: one of two classes, one of several, or a number.
        target: The column to predict.
        positive: The target's value that counts as positive; for two classes only.
        noun: What a positive row is called in sentences.
        id: The split hashes it: a row never changes side as data grows.
        group: Rows with the same value stay on one side (the same person).
        time: The split is by time.
        sensitive: Columns by which bias is reported.
        exclude: Columns that are kept from the model.
        contract: A pandera schema in YAML.
    """

    source: str
    format: Literal["csv", "tsv", "parquet", "jsonl"] | None = None
    encoding: str = "utf-8-sig"
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    missing: tuple[str, ...] = ()
    task: Task = "binary"
    target: str
    positive: Scalar | None = None
    noun: str = "positive"
    id: str | None = None
    group: str | None = None
    time: str | None = None
    sensitive: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    contract: str | None = None

    @model_validator(mode="after")
    def _positive_of_two(self) -> Self:
        if self.task == "binary" and self.positive is None:
            raise ValueError(
                "positive is missing: give the value of the target that counts as positive, "
                "or task: multiclass or regression"
            )
        if self.task != "binary" and self.positive is not None:
            raise ValueError(f"positive is for two classes, and task is {self.task}: leave it out")
        return self


class SplitSettings(Frozen):
    """How much is held out, or from which day on.

    Attributes:
        test: The fraction of rows to hold out; 0.2 unless given.
        after: Rows from this day on are held out; needs `data.time`.
    """

    test: Annotated[FiniteFloat, Field(gt=0, lt=1)] | None = None
    after: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.test is not None and self.after is not None:
            raise ValueError("give test (a fraction) or after (a day), not both")
        return self

    @property
    def fraction(self) -> float:
        """The fraction of rows to hold out where no fixed cut is given."""
        return 0.2 if self.test is None else self.test


class Model(Frozen):
    """What to train, or which file a stage of the project's own has trained.

    Attributes:
        estimator: Import path of a scikit-learn classifier or regressor.
        factory: `package.module:function`, called with the parameters; returns an
            estimator or a whole Pipeline.
        onnx: An ONNX file; a path relative to `params.yaml`.
        params: Keyword arguments.
        class_weight: `balanced`, or a weight by class (its text).
        seed: Random state of whatever takes one.
        trusted_types: Types of the project's own that the model file may hold.
    """

    estimator: str | None = None
    factory: str | None = None
    onnx: str | None = None
    params: dict[str, JsonValue] = {}
    class_weight: Literal["balanced"] | dict[str, FiniteFloat] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    trusted_types: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.estimator, self.factory, self.onnx].count(None) != 2:  # noqa: PLR2004 -- of three
            raise ValueError("give exactly one of estimator, factory and onnx")
        return self

    @property
    def origin(self) -> str:
        """What the model is made by: an import path, or `onnx` and the path of a file."""
        return f"onnx {self.onnx}" if self.onnx else str(self.estimator or self.factory)


# Sums over all rows stay exact enough to be held against each other.
Cost = Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)]


class Costs(Frozen):
    """What a row costs by what is decided; a benefit is negative.

    Attributes:
        true_positive: Of a positive row that is predicted so.
        false_positive: Of another row that is predicted positive.
        true_negative: Of another row that is predicted so.
        false_negative: Of a positive row that is not predicted so.
        unit: What is counted, e.g. `EUR`.
    """

    true_positive: Cost = 0
    false_positive: Cost = 0
    true_negative: Cost = 0
    false_negative: Cost = 0
    unit: str = ""


class Evaluate(Frozen):
    """What is measured on the held-out rows.

    Attributes:
        primary: The metric that the report leads with; one for the task unless given.
        metrics: What else is measured; some for the task unless given.
        threshold: Rows with this score or more are predicted positive; for two classes only.
        slices: Columns by whose values the metrics are shown as well.
        bootstrap: Replicates for the intervals.
        costs: What decisions cost, to see which threshold costs least; for two classes only.
    """

    primary: MetricName | None = None
    metrics: tuple[MetricName, ...] | None = None
    threshold: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.5
    slices: tuple[str, ...] = ()
    bootstrap: Annotated[int, Field(ge=100, le=20_000)] = 1000
    costs: Costs | None = None


class Mitigation(Frozen):
    """Training under a constraint of fairness, by fairlearn's reductions.

    The model reads no more columns than without: groups are needed in training only.

    Attributes:
        constraint: What is to be alike between the groups, up to `bound`.
        by: The sensitive column.
        bound: The difference that is allowed; of `bounded_group_loss` the mean absolute error
            that a group may have, as a share of the outcome's range.
        rounds: Rounds of the search, at most; each trains about three models.
        threshold: Where the gap is to be closed: `evaluate.threshold`, said here too since the
            model is trained for it. Two classes only.
    """

    constraint: Literal[
        "demographic_parity", "equalized_odds", "true_positive_rate_parity", "bounded_group_loss"
    ]
    by: str
    bound: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.02
    rounds: Annotated[int, Field(ge=2, le=200)] = 50
    threshold: Annotated[FiniteFloat, Field(gt=0, lt=1)] = 0.5


class Fairness(Frozen):
    """How bias is measured.

    Attributes:
        metrics: Rates or means to show by group; some for the task unless given.
        min_group: Smaller groups are shown and not judged.
        bins: Edges by column for continuous sensitive columns: [18, 30, 45] makes
            `[18, 30)` and `[30, 45)`.
        mitigation: Train under a constraint; None trains as the model is.
    """

    metrics: tuple[RateName, ...] | None = None
    min_group: Annotated[int, Field(ge=1)] = 50
    bins: dict[str, Annotated[tuple[FiniteFloat, ...], Field(min_length=2)]] = {}
    mitigation: Mitigation | None = None


class Explain(Frozen):
    """How much is explained, and for how long at most.

    Attributes:
        rows: Held-out rows to explain at most.
        budget_seconds: A model that needs longer is recorded as not explained.
    """

    rows: Annotated[int, Field(ge=10)] = 2000
    budget_seconds: Annotated[FiniteFloat, Field(gt=0)] = 60


class Checks(Frozen):
    """How deepchecks runs.

    Attributes:
        sample: Rows of each table that it looks at, at most.
    """

    sample: Annotated[int, Field(ge=100)] = 10_000


class Settings(Frozen):
    """Everything that a project says to Mergeline.

    Attributes:
        project: Name in the registry: at most 100 letters, digits, dots, dashes and
            underscores, the first a letter or a digit.
        gates: The rules of the policy, by name: the row in the comment, the key of a waiver.
        waivers: FAILED gates that somebody answers for, until a day.
    """

    project: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", examples=["credit-default"])
    ]
    data: Data
    split: SplitSettings = SplitSettings()
    model: Model
    evaluate: Evaluate = Evaluate()
    fairness: Fairness = Fairness()
    explain: Explain = Explain()
    checks: Checks = Checks()
    gates: dict[str, Gate] = {}
    waivers: tuple[Waiver, ...] = ()
    promotion: Promotion = Promotion()
    tracking: Tracking = Tracking()
    registry: Registry = Registry()
    deploy: Deploy = Deploy()
    report: ReportSettings = ReportSettings()
    card: CardWords = CardWords()

    @property
    def primary(self) -> str:
        """The metric that the report leads with."""
        return self.evaluate.primary or PRIMARY[self.data.task]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """What is measured: the primary metric first, then the others, each once."""
        given = self.evaluate.metrics
        others = MEASURED[self.data.task] if given is None else given
        return tuple(dict.fromkeys((self.primary, *others)))

    @property
    def rate_names(self) -> tuple[str, ...]:
        """What is shown by group."""
        given = self.fairness.metrics
        return SHOWN_RATES[self.data.task] if given is None else given

    @property
    def threshold(self) -> float | None:
        """From which score on a row is predicted positive; None but for two classes."""
        return self.evaluate.threshold if self.data.task == "binary" else None

    @property
    def policy(self) -> Policy:
        """The sections that decide what passes."""
        return Policy(gates=self.gates, waivers=self.waivers, promotion=self.promotion)
