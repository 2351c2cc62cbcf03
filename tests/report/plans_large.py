"""Plans that are large, or that have what only a trusted job knows."""

from mergeline.core.evidence import ColumnProfile, Importance, Proxy
from mergeline.core.plan import GateSeen, LedgerLine, Plan, Push
from mergeline.core.policy import FairnessGate, Gate, MetricGate, Policy
from mergeline.core.verdict import Drift, Outcome, RowChanges
from mergeline.ledger.seen import gates_seen

from . import plans

REGIONS = (
    *("Burgenland", "Carinthia", "Lower Austria", "Upper Austria", "Salzburg", "Styria"),
    *("Tyrol", "Vorarlberg", "Vienna", "South Tyrol", "Bavaria", "Trentino"),
)
PAGE = "https://github.com/acme/credit-default/actions/runs/7000000001"
EARLIER = "3f0c1d5e9a7b2c4d6e8f0a1b2c3d4e5f60718293"


def many_groups() -> Plan:
    """Twelve regions beside the sexes; the gap between two of them fails its gate."""
    found = plans.fairness(0.064)
    groups = tuple(
        plans.group(name, 120 + 37 * place, 0.11 + 0.004 * place, 0.40 + 0.012 * place, 0.05)
        for place, name in enumerate(REGIONS)
    )
    (by_sex,) = found.by
    gap = by_sex.gaps[plans.ODDS].model_copy(
        update={
            "difference": plans.interval(0.132, 0.071, 3_985),
            "lowest": REGIONS[0],
            "highest": REGIONS[-1],
        }
    )
    by = by_sex.model_copy(
        update={
            "by": "region",
            "columns": ("region",),
            "groups": groups,
            "gaps": {plans.ODDS: gap},
            "thresholds": (),
        }
    )
    gates: dict[str, Gate] = {
        **plans.GATES,
        "odds-by-region": FairnessGate(fairness=plans.ODDS, by="region", at_most=0.1),
    }
    now = plans.evidence(
        fairness=found.model_copy(update={"by": (by_sex, by)}),
        train=plans.train(max_iter=200),
        evaluate=plans.evaluate(0.8011, brier=0.149),
        check_data=plans.checks(),
    )
    policy = Policy(gates=gates)
    compared = plans.comparison(0.8011, 0.0091)
    return plans.plan(now, before=plans.evidence(), compared=compared, base=policy, head=policy)


def wide() -> Plan:
    """Three hundred columns, of which the model reads all; a third of them drifted."""

    def columns(count: int, missing: int) -> tuple[ColumnProfile, ...]:
        return tuple(
            ColumnProfile(name=f"sensor_{place:03}", kind="number", missing=missing, distinct=9_000)
            for place in range(count)
        )

    shares = [1.0 / (place + 3) for place in range(300)]
    features = tuple(
        Importance(
            column=f"sensor_{place:03}",
            mean_abs=round(share, 4),
            share=round(share / sum(shares), 6),
            direction=0.4,
        )
        for place, share in enumerate(shares)
    )
    explained = plans.explain(*plans.ORDER).model_copy(update={"features": features})
    before, now = plans.prepare(20_000), plans.prepare(22_000)
    drift = {
        f"sensor_{place:03}": Drift(n=22_000, distance=0.9 / (place + 1), noise=0.012)
        for place in range(300)
    }
    compared = plans.comparison(0.8011, 0.0091).model_copy(
        update={"drift": drift, "rows": RowChanges(added=2_400, removed=400, common=19_600)}
    )
    return plans.plan(
        plans.evidence(
            prepare=now.model_copy(update={"columns": (*now.columns, *columns(300, 40))}),
            explain=explained,
            train=plans.train(max_iter=200),
            evaluate=plans.evaluate(0.8011, brier=0.149),
            fairness=plans.fairness(0.064),
            check_data=plans.checks(),
        ),
        before=plans.evidence(
            prepare=before.model_copy(update={"columns": (*before.columns, *columns(280, 10))}),
            explain=explained,
        ),
        compared=compared,
    )


def many_gates() -> Plan:
    """Forty gates, every eighth of which fails."""
    gates: dict[str, Gate] = {
        f"floor-{place:02}": MetricGate(
            metric="roc_auc", at_least=0.9 if place % 8 == 0 else 0.5 + place / 200
        )
        for place in range(40)
    }
    policy = Policy(gates=gates)
    made = plans.better()
    return plans.plan(
        made.evidence,
        before=made.baseline_evidence,
        compared=made.comparison,
        base=policy,
        head=policy,
    )


def pushed() -> Plan:
    """The second push: a gate passes by now, a proxy of the sex rose, the job links its page."""
    explained = plans.explain("postcode", "loan_amount", "income", "age", "purpose")
    made = plans.better(
        explain=explained.model_copy(
            update={
                "proxies": (
                    Proxy(column="postcode", of="sex", score=0.412),
                    Proxy(column="purpose", of="sex", score=0.337),
                )
            }
        )
    )
    gates = gates_seen(made.judgement)
    gates["equal-odds"] = GateSeen(outcome=Outcome.FAILED, value=0.207)
    before = Push(
        commit=EARLIER,
        time="2026-11-20T08:10:00Z",
        inputs="1" * 64,
        model="2" * 64,
        evidence="3" * 64,
        outcome=Outcome.FAILED,
        answer="POLICY_FAILED",
        gates=gates,
    )
    line = LedgerLine(
        number=3,
        time=before.time,
        kind="reviewed",
        by="acme/credit-default run 41",
        said="Reviewed model 222222222222 of pull request 7: FAILED, POLICY_FAILED.",
        sha256="4" * 64,
    )
    return made.model_copy(update={"previous": before, "ledger": (line,), "page": PAGE})


LARGE = {
    "many-groups": many_groups,
    "wide": wide,
    "many-gates": many_gates,
    "pushed": pushed,
}
