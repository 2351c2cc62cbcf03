"""Plans of a regression and of three classes: evidence by hand, as real tables gave it."""

from mergeline.core.digest import sha256
from mergeline.core.evidence import (
    ClassImportance,
    ClassReport,
    ColumnProfile,
    EvaluateContent,
    EvidenceSet,
    ExplainContent,
    FairnessBy,
    FairnessContent,
    Feature,
    Gap,
    Group,
    Importance,
    PrepareContent,
    ResidualBin,
    Residuals,
    Slice,
    Split,
    TrainContent,
)
from mergeline.core.plan import Plan
from mergeline.core.policy import CheckGate, FairnessGate, Gate, MetricGate, Policy
from mergeline.core.task import Task
from mergeline.core.verdict import Comparison, Practical

from . import plans
from . import plans_of_thresholds as curves


def _split(rows: int) -> Split:
    return Split(
        method="row",
        by=None,
        key=None,
        test=0.2,
        after=None,
        train_rows=rows - rows // 5,
        test_rows=rows // 5,
        dropped=0,
    )


def _prepare(
    task: Task, rows: int, target: ColumnProfile, balance: dict[str, int], *names: str
) -> PrepareContent:
    others = tuple(
        ColumnProfile(name=name, kind="category", missing=0, distinct=2) for name in names
    )
    return PrepareContent(
        source=f"data/{task}.csv",
        sha256=sha256(task.encode()),
        bytes=rows * 41,
        format="csv",
        task=task,
        target=target.name,
        positive=None,
        noun="positive",
        rows=rows,
        duplicate_rows=1,
        duplicate_ids=None,
        columns=(*others, target),
        balance=balance,
        contract=None,
        contract_sha256=None,
        split=_split(rows),
        held_out_sha256="d" * 64,
    )


def _train(task: Task, kind: str, rounds: int, rows: int, *, classes=(), names=()) -> TrainContent:
    return TrainContent(
        task=task,
        estimator=f"sklearn.ensemble.HistGradientBoosting{kind}",
        params={"max_iter": rounds},
        seed=0,
        rows=rows,
        features=tuple(Feature(name=name, kind="category") for name in names),
        classes=classes,
        positive=None,
        model_sha256=sha256(f"{task} {rounds}".encode()),
        model_bytes=212_000,
        libraries={"scikit-learn": "1.9.1"},
        pinned={"OMP_NUM_THREADS": "1"},
    )


def _evaluate(task: Task, n: int, **more: object) -> EvaluateContent:
    given = {
        "positives": None,
        "threshold": None,
        "confusion": None,
        "calibration": (),
        "slices": (),
        "model_bytes": 212_000,
        "predictions_sha256": sha256(b"predictions"),
        "probes_sha256": sha256(b"probes"),
        "probes": 20,
        "bootstrap": 1_000,
        "seed": 0,
        **more,
    }
    return EvaluateContent(task=task, n=n, **given)


def _explain(task: Task, n: int, output: str, *names: str, classes=()) -> ExplainContent:
    shares = (0.48, 0.31, 0.21)
    scale = 8_000.0 if task == "regression" else 1.3
    features = tuple(
        Importance(column=name, mean_abs=share * scale, share=share, direction=None)
        for name, share in zip(names, shares, strict=False)
    )
    return ExplainContent(
        outcome="explained",
        reason="",
        explainer="tree",
        task=task,
        output=output,
        rows=n,
        of=n,
        background=100,
        features=features,
        classes=tuple(ClassImportance(name=name, features=features) for name in classes),
        by_group=(),
        largest_errors=(),
    )


def _plan(policy: Policy, now: EvidenceSet, before: EvidenceSet, compared: Comparison) -> Plan:
    """A plan whose texts name this project."""
    made = plans.plan(now, before=before, compared=compared, base=policy, head=policy)
    return made.model_copy(update={"noun": "positive"})


CHECKS: dict[str, Gate] = {
    "data-checks": CheckGate(check="data", new_only=True),
    "model-checks": CheckGate(check="model", new_only=True),
}


# --- a number ------------------------------------------------------------------------------

ERROR, ERROR_GAP = "mean_absolute_error", "mean_error_difference"
NUMBER_GATES: dict[str, Gate] = {
    "error-ceiling": MetricGate(metric=ERROR, at_most=2_600),
    "error-baseline": MetricGate(metric=ERROR, no_worse_than_baseline_by=100),
    "error-by-sex": FairnessGate(fairness=ERROR_GAP, by="sex", at_most=1_000),
    **CHECKS,
}
COLUMNS = ("smoker", "bmi", "age", "sex")


def number_prepare() -> PrepareContent:
    """Charges of 1,338 customers."""
    summary = {"min": 1121.87, "mean": 13270.42, "median": 9382.03, "max": 63770.43, "std": 12110.0}
    charges = ColumnProfile(
        name="charges", kind="number", missing=0, distinct=1_337, summary=summary
    )
    return _prepare("regression", 1_338, charges, {}, *COLUMNS)


def number_evaluate(error: float) -> EvaluateContent:
    """Four metrics, three tenths, two slices."""
    bins = (
        ResidualBin(low=1_892.1, high=4_120.8, n=27, predicted=3_010.4, actual=2_861.9),
        ResidualBin(low=4_120.8, high=11_802.3, n=160, predicted=8_021.7, actual=8_404.2),
        ResidualBin(low=11_802.3, high=46_003.1, n=80, predicted=29_411.5, actual=27_960.0),
    )
    quantiles = {"5": -7_301.2, "25": -812.6, "50": 402.9, "75": 1_504.3, "95": 4_410.7}
    values = {ERROR: (error, 310.0), "root_mean_squared_error": (4_612.9, 520.0)}
    values |= {"r2": (0.857, 0.031), "mean_error": (212.4, 540.0)}
    return _evaluate(
        "regression",
        267,
        primary=ERROR,
        metrics={name: plans.interval(*of, 267) for name, of in values.items()},
        higher_is_better={name: name == "r2" for name in values},
        residuals=Residuals(bins=bins, quantiles=quantiles),
        slices=tuple(
            Slice(
                column="region",
                value=name,
                n=n,
                metrics={ERROR: plans.interval(error + by, 600.0, n)},
            )
            for name, n, by in (("northeast", 66, -140.2), ("southeast", 72, 310.8))
        ),
    )


def _fairness(task: Task, n: int, by: FairnessBy, *metrics: str) -> FairnessContent:
    return FairnessContent(
        task=task,
        n=n,
        threshold=None,
        min_group=50,
        metrics=metrics,
        by=(by,),
        bootstrap=1_000,
        seed=0,
    )


def number_fairness(apart: float) -> FairnessContent:
    """By sex: men are overcharged."""

    def group(name: str, n: int, actual: float, error: float) -> Group:
        means = {"mean_prediction": actual + error, "mean_actual": actual}
        means |= {"mean_error": error, "mean_absolute_error": 2_480.0}
        return Group(
            name=name,
            n=n,
            positives=None,
            judged=True,
            metrics={key: plans.interval(value, 700.0, n) for key, value in means.items()},
        )

    gap = Gap(
        difference=plans.interval(apart, 410.0, 267),
        ratio=None,
        lowest="female",
        highest="male",
        rate="mean_error",
    )
    groups = (group("female", 131, 12_569.6, -102.2), group("male", 136, 13_956.8, apart - 102.2))
    by = FairnessBy(by="sex", columns=("sex",), groups=groups, gaps={ERROR_GAP: gap})
    means = ("mean_prediction", "mean_actual", "mean_error", "mean_absolute_error")
    return _fairness("regression", 267, by, *means)


def number_evidence(rounds: int, error: float, apart: float) -> EvidenceSet:
    """The whole set."""
    return plans.evidence(
        prepare=number_prepare(),
        train=_train("regression", "Regressor", rounds, 1_071, names=COLUMNS),
        evaluate=number_evaluate(error),
        fairness=number_fairness(apart),
        explain=_explain("regression", 267, "value", *COLUMNS),
        check_data=plans.checks(),
    )


def regression() -> Plan:
    """Better, and its error is a hair above the ceiling."""
    error = plans.paired(2_871.44, 2_600.32, 190.5, n=267, higher=False)
    compared = Comparison(
        n=267,
        unit="row",
        metrics={
            ERROR: error,
            "mean_error": plans.paired(301.9, 212.4, 240.0, n=267, higher=False),
        },
        fairness={"sex": {ERROR_GAP: plans.paired(390.1, 611.7, 300.0, n=267, higher=False)}},
        practical=Practical(kind="off", paired=error),
    )
    before = number_evidence(60, 2_871.44, 390.1)
    now = number_evidence(120, 2_600.32, 611.7)
    return _plan(Policy(gates=NUMBER_GATES), now, before, compared)


# --- three classes --------------------------------------------------------------------------

BALANCED, PARITY = "balanced_accuracy", "demographic_parity_difference"
CLASSES = ("Dropout", "Enrolled", "Graduate")
CLASS_GATES: dict[str, Gate] = {
    "accuracy-floor": MetricGate(metric=BALANCED, at_least=0.6),
    "accuracy-baseline": MetricGate(metric=BALANCED, no_worse_than_baseline_by=0.01),
    "parity": FairnessGate(fairness=PARITY, by="Gender", at_most=0.2),
    **CHECKS,
}
READ = ("Curricular units 2nd sem (approved)", "Tuition fees up to date", "Father's occupation")


def class_prepare() -> PrepareContent:
    """Students, of whom every second graduated."""
    target = ColumnProfile(name="Target", kind="category", missing=0, distinct=3)
    balance = {"Dropout": 1_421, "Enrolled": 794, "Graduate": 2_209}
    return _prepare("multiclass", 4_424, target, balance, *READ, "Gender")


def class_evaluate(balanced: float) -> EvaluateContent:
    """Four metrics, and who is taken for whom."""
    matrix = ((228, 30, 26), (41, 73, 45), (12, 29, 400))
    found = []
    for place, name in enumerate(CLASSES):
        n, predicted = sum(matrix[place]), sum(row[place] for row in matrix)
        hits = matrix[place][place]
        values = {"precision": hits / predicted, "recall": hits / n}
        values["f1"] = 2 * hits / (n + predicted)
        metrics = {key: plans.rate(round(value, 6), n) for key, value in values.items()}
        metrics["roc_auc"] = plans.rate(0.9, n)
        report = ClassReport(name=name, n=n, predicted=predicted, metrics=metrics)
        found.append(report.model_copy(update={"curve": curves.curve(report, 884)}))
    values = {BALANCED: (balanced, 0.031), "accuracy": (0.793, 0.027)}
    values |= {"f1_macro": (0.722, 0.033), "log_loss": (0.557, 0.048)}
    return _evaluate(
        "multiclass",
        884,
        primary=BALANCED,
        metrics={name: plans.interval(*of, 884) for name, of in values.items()},
        higher_is_better={name: name != "log_loss" for name in values},
        classes=tuple(found),
        matrix=matrix,
    )


def class_fairness(apart: float) -> FairnessContent:
    """By gender: women are predicted to graduate more often."""

    def group(name: str, n: int, graduate: float) -> Group:
        rates = {"selection_rate": graduate, "true_positive_rate": 0.9, "precision": 0.85}
        return Group(
            name=name,
            n=n,
            positives=None,
            judged=True,
            metrics={"accuracy": plans.rate(0.79, n)},
            classes={"Graduate": {key: plans.rate(value, n) for key, value in rates.items()}},
        )

    gap = Gap(
        difference=plans.interval(apart, 0.06, 884),
        ratio=0.61,
        lowest="1",
        highest="0",
        rate="selection_rate",
        of="Graduate",
    )
    groups = (group("0", 570, 0.62), group("1", 314, round(0.62 - apart, 6)))
    by = FairnessBy(by="Gender", columns=("Gender",), groups=groups, gaps={PARITY: gap})
    rates = ("accuracy", "selection_rate", "true_positive_rate", "precision")
    return _fairness("multiclass", 884, by, *rates)


def class_evidence(rounds: int, balanced: float, apart: float) -> EvidenceSet:
    """The whole set."""
    return plans.evidence(
        prepare=class_prepare(),
        train=_train("multiclass", "Classifier", rounds, 3_540, classes=CLASSES, names=READ),
        evaluate=class_evaluate(balanced),
        fairness=class_fairness(apart),
        explain=_explain("multiclass", 884, "log_odds", *READ, classes=CLASSES),
        check_data=plans.checks(),
    )


def three_classes() -> Plan:
    """Better, and fair enough."""
    compared = Comparison(
        n=884,
        unit="row",
        metrics={BALANCED: plans.paired(0.6841, 0.7231, 0.018, n=884)},
        fairness={"Gender": {PARITY: plans.paired(0.151, 0.163, 0.04, n=884, higher=False)}},
        practical=Practical(kind="right", paired=plans.paired(76.8, 79.3, 1.7, n=884)),
    )
    before = class_evidence(60, 0.6841, 0.151)
    now = class_evidence(120, 0.7231, 0.163)
    return _plan(Policy(gates=CLASS_GATES), now, before, compared)
