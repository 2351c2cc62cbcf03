"""The least evidence that each kind of gate needs, built by hand."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mergeline.core.base import Estimate
from mergeline.core.case import Case
from mergeline.core.evidence import (
    Check,
    ChecksContent,
    ColumnProfile,
    Condition,
    Confusion,
    EvaluateContent,
    Evidence,
    EvidenceSet,
    ExplainContent,
    FairnessBy,
    FairnessContent,
    Gap,
    Group,
    Importance,
    PrepareContent,
    Split,
    Timing,
)
from mergeline.core.policy import Gate, Policy, Waiver
from mergeline.core.verdict import Baseline, Comparison, Paired

TODAY = date(2026, 11, 20)
ODDS = "equalized_odds_difference"
AVAILABLE = Baseline(status="available", commit="b" * 40)
FIRST = Baseline(status="none")
NOT_AVAILABLE = Baseline(status="not_available", commit="b" * 40, reason="no cache")
UNREADABLE = Baseline(status="unreadable", commit="b" * 40, reason="bad YAML")


def sealed(stage: str, content: Any) -> Any:
    timing = Timing(started="2026-11-20T10:00:00+00:00", seconds={}, host="test")
    return Evidence[type(content)](stage=stage, content=content, timing=timing)


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(
        value=value, low=low, high=high, n=1000, reason="" if value else "all one class"
    )


MIXED = Confusion(true_positive=150, false_positive=50, true_negative=750, false_negative=50)


def evaluated(confusion: Confusion = MIXED, **metrics: float | None) -> Any:
    content = EvaluateContent(
        n=1000,
        positives=200,
        primary="roc_auc",
        threshold=0.5,
        metrics={name: estimate(value) for name, value in metrics.items()},
        higher_is_better={},
        confusion=confusion,
        calibration=(),
        slices=(),
        model_bytes=1,
        predictions_sha256="",
        probes_sha256="",
        probes=0,
        bootstrap=1000,
        seed=0,
    )
    return sealed("evaluate", content)


def fairness(difference: float | None, *, by: str = "sex", rate: bool = True) -> Any:
    rates = {"true_positive_rate": estimate(0.5)} if rate else {}
    groups = tuple(
        Group(name=name, n=500, positives=100, judged=True, metrics=rates) for name in ("f", "m")
    )
    gap = Gap(
        difference=Estimate(
            value=difference, n=1000, reason="" if difference is not None else "only f has 50 rows"
        ),
        ratio=None,
        lowest="f" if difference is not None else None,
        highest="m" if difference is not None else None,
        rate="true_positive_rate" if difference is not None else None,
    )
    found = FairnessBy(by=by, columns=(by,), groups=groups, gaps={ODDS: gap})
    content = FairnessContent(
        n=1000, threshold=0.5, min_group=50, metrics=(), by=(found,), bootstrap=1000, seed=0
    )
    return sealed("fairness", content)


def checks(stage: str = "check_data", **outcomes: str) -> Any:
    """Checks by name; each with one condition of the same outcome where it may have one."""
    made = tuple(
        Check(
            name=name,
            title=name.title(),
            outcome=outcome,
            conditions=()
            if outcome == "not_applicable"
            else (Condition(name="c", outcome=outcome, details=""),),
            reason="it crashed" if outcome == "did_not_run" else "",
        )
        for name, outcome in outcomes.items()
    )
    return of_checks(stage, *made)


def of_checks(stage: str, *made: Check) -> Any:
    content = ChecksContent(suites=(), deepchecks="0.19.1", sampled=None, checks=made)
    return sealed(stage, content)


def explained(*weights: tuple[str, float], outcome: str = "explained") -> Any:
    content = ExplainContent(
        outcome=outcome,
        reason="" if outcome == "explained" else "the budget of 60 s was used up",
        explainer="tree",
        output="log_odds",
        rows=100,
        of=1000,
        background=100,
        features=tuple(
            Importance(column=name, mean_abs=weight, share=0.1, direction=None)
            for name, weight in weights
        ),
        by_group=(),
        largest_errors=(),
    )
    return sealed("explain", content)


def paired(
    low: float | None,
    high: float | None,
    *,
    higher: bool = True,
    baseline: float | None = 0.8,
    candidate: float | None = 0.8,
) -> Paired:
    middle = None if low is None or high is None else (low + high) / 2
    undefined = baseline is None or candidate is None
    return Paired(
        baseline=baseline,
        candidate=candidate,
        delta=Estimate(
            value=None if undefined else middle or 0.0,
            low=None if undefined else low,
            high=None if undefined else high,
            n=1000,
            reason="" if middle is not None else "Too few rows for an interval.",
        ),
        higher_is_better=higher,
        outcome="cannot_tell",
    )


def compared(**metrics: Paired) -> Comparison:
    return Comparison(n=1000, unit="row", metrics=metrics)


def compared_gap(gap: Paired) -> Comparison:
    return Comparison(n=1000, unit="row", fairness={"sex": {ODDS: gap}})


def case(
    baseline: Baseline = AVAILABLE,
    comparison: Comparison | None = None,
    before: EvidenceSet | None = None,
    **stages: Any,
) -> Case:
    return Case(EvidenceSet(**stages), baseline, before or EvidenceSet(), comparison)


def policy(gates: Mapping[str, Gate] | None = None, *waivers: Waiver) -> Policy:
    return Policy(gates=dict(gates or {}), waivers=waivers)


def waiver(gate: str, expires: date = TODAY) -> Waiver:
    return Waiver(gate=gate, reason="known", owner="risk", expires=expires)


def prepared(*columns: str) -> Any:
    content = PrepareContent(
        source="data/a.csv",
        sha256="",
        bytes=1,
        format="csv",
        target="y",
        positive="1",
        noun="positive",
        rows=10,
        duplicate_rows=0,
        duplicate_ids=None,
        columns=tuple(
            ColumnProfile(name=name, kind="number", missing=0, distinct=2) for name in columns
        ),
        balance={},
        contract=None,
        contract_sha256=None,
        held_out_sha256="d" * 64,
        split=Split(
            method="row", by=None, key=None, test=0.2, after=None, train_rows=8, test_rows=2,
            dropped=0,
        ),
    )  # fmt: skip
    return sealed("prepare", content)
