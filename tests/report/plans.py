"""Small, realistic plans for the tests of `report`: evidence by hand, verdicts by the judge."""

from collections.abc import Callable
from datetime import date
from typing import Literal, get_origin

from mergeline.core.base import Estimate, Frozen
from mergeline.core.digest import promotion_key, sha256
from mergeline.core.evidence import (
    STAGES,
    CalibrationBin,
    Check,
    ChecksContent,
    ColumnProfile,
    Condition,
    Confusion,
    EvaluateContent,
    Evidence,
    EvidenceSet,
    ExplainContent,
    ExplainedRow,
    FairnessBy,
    FairnessContent,
    Feature,
    Gap,
    Group,
    GroupImportance,
    Importance,
    PrepareContent,
    Remedy,
    Slice,
    Split,
    Timing,
    TrainContent,
)
from mergeline.core.judge import Case, judge_change
from mergeline.core.plan import Plan
from mergeline.core.policy import (
    CheckGate,
    ExplainGate,
    FairnessGate,
    Gate,
    MetricGate,
    Policy,
    Promotion,
    Waiver,
)
from mergeline.core.verdict import (
    Banner,
    Baseline,
    Candidate,
    Comparison,
    Paired,
    Practical,
    Stage,
)

from . import plans_of_thresholds as curves

TODAY = date(2026, 11, 20)
HEAD, BASE = "8c1d4f0a6b2e97350d14c8fa77be20935ac61e4d", "51e7a90bd3c2f4486ea05917bb2d30fc8e64a712"
ODDS = "equalized_odds_difference"


# --- policy ----------------------------------------------------------------------

GATES: dict[str, Gate] = {
    "auc-floor": MetricGate(metric="roc_auc", at_least=0.75),
    "auc-baseline": MetricGate(metric="roc_auc", no_worse_than_baseline_by=0.01),
    "equal-odds": FairnessGate(fairness=ODDS, by="sex", at_most=0.1),
    "no-new-gap": FairnessGate(
        fairness=ODDS, by="sex", no_worse_than_baseline_by=0.02, level="warn"
    ),
    "data-checks": CheckGate(check="data", new_only=True),
    "model-checks": CheckGate(check="model", new_only=True),
    "postcode-minor": ExplainGate(explain="postcode", at_most_rank=4),
}
POLICY = Policy(gates=GATES)


def lowered(limit: float = 0.2) -> Policy:
    """The policy with a looser fairness gate."""
    gate = FairnessGate(fairness=ODDS, by="sex", at_most=limit)
    return Policy(gates={**GATES, "equal-odds": gate})


def waived() -> Policy:
    """The policy with a waiver of the fairness gate."""
    waiver = Waiver(
        gate="equal-odds",
        reason="Accepted until the new scorecard replaces this model",
        owner="credit-risk",
        expires=date(2027, 1, 31),
    )
    return Policy(gates=GATES, waivers=(waiver,))


# --- evidence --------------------------------------------------------------------


def interval(value: float, half: float, n: int) -> Estimate:
    """An estimate with a symmetric interval."""
    return Estimate(value=value, low=round(value - half, 6), high=round(value + half, 6), n=n)


def rate(value: float, n: int) -> Estimate:
    """A rate with an interval that stays between 0 and 1."""
    half = 1.0 / n**0.5
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(value=value, low=round(low, 6), high=round(high, 6), n=n)


def prepare(rows: int = 20_000, *, defaulters: int = 4_412) -> PrepareContent:
    """The data: one column more and more missing incomes when there are more rows."""
    grown = rows > 20_000
    columns = [
        ColumnProfile(name="application_id", kind="integer", missing=0, distinct=rows),
        ColumnProfile(
            name="income",
            kind="number",
            missing=1_410 if grown else 402,
            distinct=rows // 2,
            summary={"min": 804.0, "mean": 3120.5, "median": 2890.0, "max": 18230.0, "std": 990.1},
        ),
        ColumnProfile(
            name="purpose",
            kind="category",
            missing=0,
            distinct=3,
            top=(("car", rows // 2), ("home", rows // 4), ("other", rows // 4)),
        ),
        ColumnProfile(name="sex", kind="category", missing=0, distinct=2),
        ColumnProfile(
            name="postcode", kind="category" if grown else "integer", missing=0, distinct=90
        ),
        ColumnProfile(name="default", kind="integer", missing=0, distinct=2),
    ]
    if grown:
        columns.append(ColumnProfile(name="tenure", kind="number", missing=12, distinct=40))
    return PrepareContent(
        source="data/applications.parquet",
        sha256=sha256(f"applications {rows}".encode()),
        bytes=rows * 41,
        format="parquet",
        target="default",
        positive="1",
        noun="defaulter",
        rows=rows,
        duplicate_rows=3,
        duplicate_ids=0,
        columns=tuple(columns),
        balance={"0": rows - defaulters, "1": defaulters},
        contract="data/contract.yaml",
        contract_sha256=sha256(b"contract"),
        held_out_sha256="d" * 64,
        split=Split(
            method="id",
            by="application_id",
            key="application_id",
            test=0.2,
            after=None,
            train_rows=rows - rows // 5,
            test_rows=rows // 5,
            dropped=0,
        ),
    )


def train(*, max_iter: int, rows: int = 16_000) -> TrainContent:
    """A boosting model."""
    names = ("income", "loan_amount", "postcode", "purpose", "age")
    return TrainContent(
        estimator="sklearn.ensemble.HistGradientBoostingClassifier",
        params={"max_iter": max_iter, "learning_rate": 0.1},
        seed=0,
        rows=rows,
        features=tuple(
            Feature(name=name, kind="category" if name == "purpose" else "number") for name in names
        ),
        classes=("0", "1"),
        positive="1",
        model_sha256=sha256(f"model {max_iter}".encode()),
        model_bytes=412_336,
        libraries={"scikit-learn": "1.9.1"},
        pinned={"OMP_NUM_THREADS": "1"},
    )


def evaluate(auc: float, *, brier: float = 0.151) -> EvaluateContent:
    """Three metrics, two slices, three calibration bins, twelve thresholds."""
    n = curves.POSITIVES + curves.NEGATIVES
    return EvaluateContent(
        n=n,
        positives=curves.POSITIVES,
        primary="roc_auc",
        threshold=0.5,
        metrics={
            "roc_auc": interval(auc, 0.0142, n),
            "average_precision": interval(auc - 0.21, 0.0268, n),
            "brier_score": interval(brier, 0.0061, n),
        },
        higher_is_better={"roc_auc": True, "average_precision": True, "brier_score": False},
        confusion=Confusion(
            true_positive=412, false_positive=231, true_negative=n - 1111, false_negative=468
        ),
        calibration=(
            CalibrationBin(low=0.0, high=0.1, n=1_480, score=0.061, observed=0.058),
            CalibrationBin(low=0.1, high=0.5, n=1_877, score=0.243, observed=0.251),
            CalibrationBin(low=0.5, high=1.0, n=643, score=0.668, observed=0.641),
        ),
        thresholds=curves.thresholds(),
        costs=curves.COSTS,
        cost_unit=curves.COST_UNIT,
        cheapest=curves.CHEAPEST,
        slices=(
            Slice(
                column="purpose",
                value="car",
                n=2_010,
                metrics={"roc_auc": interval(auc, 0.02, 2_010)},
            ),
            Slice(
                column="purpose",
                value="boat",
                n=7,
                metrics={"roc_auc": Estimate(value=None, n=7, reason="only one class")},
            ),
        ),
        model_bytes=412_336,
        predictions_sha256=sha256(b"predictions"),
        probes_sha256=sha256(b"probes"),
        probes=20,
        bootstrap=1_000,
        seed=0,
    )


def check(name: str, outcome: str, details: str = "", reason: str = "") -> Check:
    """One check with one condition, of the same outcome where it has one."""
    title = name.rpartition("/")[2].replace("_", " ").title()
    conditions = ()
    if outcome in ("passed", "warned", "failed"):
        name_of = f"{title} is within its limit"
        conditions = (Condition(name=name_of, outcome=outcome, details=details),)
    return Check(name=name, title=title, outcome=outcome, conditions=conditions, reason=reason)


def checks(*more: Check) -> ChecksContent:
    """Checks that passed, one that does not apply, and the ones given."""
    given = (
        check("data_integrity/mixed_nulls", "passed"),
        check("data_integrity/single_value", "passed"),
        check("train_test_validation/date_leakage", "not_applicable", reason="no date column"),
        *more,
    )
    return ChecksContent(
        suites=("data_integrity", "train_test_validation"),
        deepchecks="0.19.1",
        sampled=10_000,
        checks=given,
    )


def group(
    name: str, n: int, selected: float, found: float, false: float, *, judged: bool = True
) -> Group:
    """A group with three rates."""
    positives = round(0.22 * n)
    return Group(
        name=name,
        n=n,
        positives=positives,
        judged=judged,
        metrics={
            "selection_rate": rate(selected, n),
            "true_positive_rate": rate(found, positives),
            "false_positive_rate": rate(false, n - positives),
        },
    )


def fairness(gap: float, *, remedies: bool = False) -> FairnessContent:
    """By sex: women are found less often, by `gap`."""
    found = 0.541
    groups = (
        group("female", 1_890, 0.112, round(found - gap, 6), 0.052),
        group("male", 2_095, 0.158, found, 0.071),
        group("not given", 15, 0.2, 0.5, 0.1, judged=False),
    )
    closing = (
        Remedy(
            gap=ODDS,
            method="threshold",
            setting="one threshold of 0.41 for everybody",
            gap_before=gap,
            gap_after=0.094,
            accuracy_before=0.8254,
            accuracy_after=0.8191,
            n=2_000,
        ),
        Remedy(
            gap=ODDS,
            method="threshold_optimizer",
            setting="thresholds by group: female 0.38, male 0.52",
            gap_before=gap,
            gap_after=0.021,
            accuracy_before=0.8254,
            accuracy_after=0.8232,
            n=2_000,
        ),
    )
    return FairnessContent(
        n=4_000,
        threshold=0.5,
        min_group=50,
        metrics=("selection_rate", "true_positive_rate", "false_positive_rate"),
        by=(
            FairnessBy(
                by="sex",
                columns=("sex",),
                groups=groups,
                gaps={
                    "demographic_parity_difference": Gap(
                        difference=interval(0.046, 0.021, 3_985),
                        ratio=0.7089,
                        lowest="female",
                        highest="male",
                        rate="selection_rate",
                    ),
                    ODDS: Gap(
                        difference=interval(gap, 0.041, 3_985),
                        ratio=round((found - gap) / found, 4),
                        lowest="female",
                        highest="male",
                        rate="true_positive_rate",
                    ),
                },
                remedies=closing if remedies else (),
                thresholds=curves.group_thresholds(gap, found),
            ),
        ),
        bootstrap=1_000,
        seed=0,
    )


def explain(*order: str, rows: bool = False) -> ExplainContent:
    """Columns in this order of importance; single rows where the settings allow them."""
    shares = (0.41, 0.27, 0.16, 0.1, 0.06)
    features = tuple(
        Importance(
            column=column,
            mean_abs=round(share * 1.32, 4),
            share=share,
            direction=None if column == "purpose" else -0.62,
        )
        for column, share in zip(order, shares, strict=False)
    )
    wrong = ExplainedRow(
        row=sha256(b"row")[:12],
        score=0.0312,
        actual="yes",
        contributions=(("income", -1.204), ("postcode", -0.311)),
        values={"income": "5204.5", "postcode": "1180"},
    )
    return ExplainContent(
        outcome="explained",
        reason="",
        explainer="tree",
        output="log_odds",
        rows=2_000,
        of=4_000,
        background=100,
        features=features,
        by_group=(GroupImportance(by="sex", group="female", n=940, top=features[:3]),),
        largest_errors=(wrong,) if rows else (),
    )


def wrapped(stage: str, content: object) -> Evidence:
    """The content in its envelope."""
    latency = {"1": 3.12, "1000": 11.8} if stage == "evaluate" else {}
    timing = Timing(
        started="2026-11-20T09:00:00+00:00",
        seconds={"total": 2.5},
        host="x86_64, CPython 3.11",
        latency_ms=latency,
    )
    return Evidence[type(content)](stage=stage, content=content, timing=timing)


def evidence(**changed: object) -> EvidenceSet:
    """A whole set; a stage given as None has none."""
    order = ("income", "loan_amount", "age", "postcode", "purpose")
    contents = {
        "prepare": prepare(),
        "train": train(max_iter=100),
        "evaluate": evaluate(0.7834),
        "check_data": checks(check("data_integrity/conflicting_labels", "warned", "0.4 % of rows")),
        "check_model": checks(),
        "fairness": fairness(0.062),
        "explain": explain(*order),
        **changed,
    }
    there = {name: item for name, item in contents.items() if item is not None}
    return as_read(EvidenceSet(**{name: wrapped(name, item) for name, item in there.items()}))


def as_read(evidence: EvidenceSet) -> EvidenceSet:
    """The set as it is after its files were written and read: every field is given."""
    return EvidenceSet.model_validate_json(evidence.model_dump_json())


# --- comparison ------------------------------------------------------------------


def paired(
    before: float,
    after: float,
    half: float,
    *,
    n: int = 3_988,
    higher: bool = True,
    rows: int | None = None,
) -> Paired:
    """A pair; its outcome follows from the interval."""
    delta = interval(round(after - before, 6), half, n)
    outcome = "cannot_tell"
    if delta.low > 0 or delta.high < 0:
        outcome = "better" if (delta.low > 0) == higher else "worse"
    return Paired(
        baseline=before,
        candidate=after,
        delta=delta,
        higher_is_better=higher,
        outcome=outcome,
        rows_to_decide=rows,
    )


def comparison(
    after: float, half: float, *, gap: float = 0.064, rows: int | None = None
) -> Comparison:
    """The primary metric and a gap against the baseline."""
    return Comparison(
        n=3_988,
        unit="id",
        metrics={
            "roc_auc": paired(0.7834, after, half, rows=rows),
            "brier_score": paired(0.151, 0.149 if half else 0.151, half / 8, higher=False),
        },
        fairness={"sex": {ODDS: paired(0.062, gap, half * 1.4, higher=False, n=3_973)}},
        practical=_caught(after, half, rows),
    )


def _caught(after: float, half: float, rows: int | None) -> Practical:
    """Of 100 defaulters so many more, in step with the change of the AUC."""
    more = round((after - 0.7834) * 175, 1)
    change = paired(46.8, round(46.8 + more, 1), round(half * 203, 2), rows=rows)
    return Practical(kind="caught", paired=change, selected=0.16075)


# --- plans -----------------------------------------------------------------------


def plan(
    found: EvidenceSet,
    *,
    before: EvidenceSet | None = None,
    compared: Comparison | None = None,
    base: Policy | None = POLICY,
    head: Policy = POLICY,
    inputs_changed: bool = True,
    banners: tuple[Banner, ...] = (),
    dirty: tuple[str, ...] = (),
    baseline: Baseline | None = None,
) -> Plan:
    """A plan, judged by the judge; with no `before` it is a first pull request."""
    first = before is None
    baseline = baseline or _baseline(first=first)
    case = Case(
        evidence=found,
        baseline=baseline,
        baseline_evidence=before or EvidenceSet(),
        comparison=compared,
    )
    judged = judge_change(
        base, head, case, inputs_changed=inputs_changed, dirty=bool(dirty), today=TODAY
    )
    return Plan(
        project="credit-default",
        noun="defaulter",
        candidate=_candidate(found, first=first, dirty=dirty),
        baseline=baseline,
        judgement=judged.model_copy(update={"banners": (*judged.banners, *banners)}),
        evidence=found,
        baseline_evidence=before or EvidenceSet(),
        comparison=compared,
        stages=_stages(found),
        notices=("dvc.lock is behind: commit it so that `dvc metrics diff` shows these numbers.",),
        approvals=head.promotion.approvals,
        command="mergeline check --base origin/main",
    )


def _baseline(*, first: bool) -> Baseline:
    if first:
        return Baseline(status="none", reason="The base has no params.yaml: this is the first one.")
    return Baseline(status="available", commit=BASE, restored=STAGES)


def _candidate(found: EvidenceSet, *, first: bool, dirty: tuple[str, ...]) -> Candidate:
    inputs = sha256(b"inputs")
    model = found.train.content.model_sha256 if found.train else sha256(b"")
    return Candidate(
        project="credit-default",
        commit=HEAD,
        tree="d3b07384d113edec49eaa6238ad5ff00c4b1a6f9",
        base=None if first else BASE,
        inputs=inputs,
        model=model,
        evidence=sha256(b"evidence"),
        key=promotion_key("credit-default", inputs, model),
        dirty=dirty,
    )


def _stages(found: EvidenceSet) -> tuple[Stage, ...]:
    actions = {"prepare": ("unchanged", 0.0), "check_data": ("restored", 0.4)}
    return tuple(
        Stage(
            name=name,
            action=actions.get(name, ("ran", 2.5))[0],
            seconds=actions.get(name, ("ran", 2.5))[1],
        )
        for name in STAGES
        if getattr(found, name) is not None
    )


ORDER = ("loan_amount", "income", "age", "postcode", "purpose")


def first() -> Plan:
    """The first pull request of a project."""
    return plan(evidence(), base=None)


def better(**changed: object) -> Plan:
    """More rows, more iterations: clearly better, nothing to warn of."""
    data = {
        "prepare": prepare(22_000, defaulters=4_900),
        "check_data": checks(),
        "train": train(max_iter=200, rows=17_600),
        "evaluate": evaluate(0.8011, brier=0.149),
        "explain": explain(*ORDER),
        "fairness": fairness(0.064),
        **changed,
    }
    return plan(evidence(**data), before=evidence(), compared=comparison(0.8011, 0.0091))


def worse() -> Plan:
    """Clearly worse, by less than the policy allows."""
    found = evidence(
        train=train(max_iter=60), evaluate=evaluate(0.7793, brier=0.149), check_data=checks()
    )
    return plan(found, before=evidence(), compared=comparison(0.7793, 0.0031))


def cannot_tell() -> Plan:
    """A little worse, in an interval that covers zero and the limit."""
    found = evidence(train=train(max_iter=90), evaluate=evaluate(0.7789, brier=0.149))
    return plan(found, before=evidence(), compared=comparison(0.7789, 0.0112, rows=24_700))


def not_comparable() -> Plan:
    """The pull request takes a column away that the baseline's model reads."""
    reason = "The baseline's model cannot score these rows: there is no column income."
    compared = Comparison(n=0, unit="row", status="impossible", reason=reason)
    found = evidence(train=train(max_iter=60))
    return plan(found, before=evidence(), compared=compared)


def unfair(*, base: Policy | None = POLICY, head: Policy = POLICY) -> Plan:
    """Better, and not fair enough."""
    found = evidence(
        train=train(max_iter=200),
        evaluate=evaluate(0.8011, brier=0.149),
        fairness=fairness(0.1432, remedies=True),
        check_data=checks(),
        explain=explain(*ORDER),
    )
    return plan(
        found,
        before=evidence(),
        compared=comparison(0.8011, 0.0091, gap=0.1432),
        base=base,
        head=head,
    )


def errored() -> Plan:
    """A data check crashed, another failed; nothing is explained."""
    found = evidence(
        check_data=checks(
            check(
                "train_test_validation/new_category",
                "did_not_run",
                reason="DeepchecksProcessError: unsupported dtype",
            ),
            check("data_integrity/string_mismatch", "failed", "2 columns: ['purpose', 'sex']"),
        ),
        explain=ExplainContent(
            outcome="not_explained",
            reason="the model would take longer than 60 s",
            explainer="permutation",
            output="probability",
            rows=0,
            of=4_000,
            background=100,
            features=(),
            by_group=(),
            largest_errors=(),
        ),
        check_model=None,
    )
    return plan(found, before=evidence(), compared=comparison(0.7834, 0.0, gap=0.062))


def policy_only() -> Plan:
    """The same model under a looser policy, as a line that is stuck needs it."""
    found = evidence(fairness=fairness(0.1432, remedies=True))
    return plan(
        found,
        before=found,
        compared=comparison(0.7834, 0.0, gap=0.062),
        head=Policy(gates=lowered().gates, promotion=Promotion(approvals=2)),
        inputs_changed=False,
    )


def weakened() -> Plan:
    """Not fair enough, and it lowers the gate that says so."""
    return unfair(head=lowered())


def with_waiver() -> Plan:
    """Not fair enough, and somebody answers for it."""
    return unfair(base=waived(), head=waived())


def hostile() -> Plan:
    """Strings in columns, categories and groups that try to act."""
    bad = {
        "female": "<img src=x onerror=alert(1)> @octocat",
        "male": "a|b](https://evil.example) #1",
        "postcode": "**postcode** `x` $e^x$ :tada:",
        "income": "<!-- mergeline: credit-default --> GH-1",
        "car": "\u202eevil\u202c www.evil.example",
        "purpose": "</details>\n\n# Approved\n\n| a | b |",
    }
    return replaced(unfair(), bad)


def replaced(value: object, names: dict[str, str]) -> object:
    """The same value with words replaced wherever they stand, also within sentences."""

    def swap(text: str) -> str:
        for old, new in names.items():
            text = text.replace(old, new)
        return text

    return rewritten(value, swap)


def poisoned(value: object, nasty: str) -> object:
    """The same value with every string that is not empty behind a nasty one."""
    return rewritten(value, lambda text: nasty + text if text else text)


def rewritten(value: object, swap: Callable[[str], str]) -> object:
    """Rewrite every string of a value that is not one of a fixed set."""
    if isinstance(value, str):
        return swap(value)
    if isinstance(value, tuple | list):
        return type(value)(rewritten(item, swap) for item in value)
    if isinstance(value, dict):
        return {swap(key): rewritten(item, swap) for key, item in value.items()}
    if isinstance(value, Frozen):
        return value.model_copy(
            update={
                name: rewritten(getattr(value, name), swap)
                for name, field in type(value).model_fields.items()
                if get_origin(field.annotation) is not Literal
            }
        )
    return value


def regression() -> Plan:
    """A number is predicted: see `plans_of_tasks`."""
    from . import plans_of_tasks

    return plans_of_tasks.regression()


def three_classes() -> Plan:
    """One of three classes is predicted: see `plans_of_tasks`."""
    from . import plans_of_tasks

    return plans_of_tasks.three_classes()


ALL = {
    "first": first,
    "better": better,
    "worse": worse,
    "cannot-tell": cannot_tell,
    "not-comparable": not_comparable,
    "failed-fairness": unfair,
    "errored-check": errored,
    "waived": with_waiver,
    "lowered-gate": weakened,
    "policy-only": policy_only,
    "hostile": hostile,
    "regression": regression,
    "three-classes": three_classes,
}
