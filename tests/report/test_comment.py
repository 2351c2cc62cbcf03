import re

import pytest

from mergeline.core.base import Estimate
from mergeline.core.evidence import STAGES, EvidenceSet, FairnessBy
from mergeline.core.policy import MetricGate, Policy
from mergeline.core.verdict import Banner, Outcome
from mergeline.report.comment import LIMIT, render_comment
from mergeline.report.words import WORD

from . import plans
from .nasty import NASTY
from .plans_large import LARGE, PAGE
from .reading import problems, shape, tables, visible

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")


def numbers(cell):
    return [float(found.replace(",", "")) for found in NUMBER.findall(cell)]


def table(comment, *header):
    """The one table whose header starts like this."""
    (found,) = [each for each in tables(comment) if each.header[: len(header)] == header]
    return found


@pytest.mark.parametrize("name", plans.ALL)
def test_golden(name, golden):
    comment = render_comment(plans.ALL[name]())
    golden(f"comment/{name}.md", comment)
    assert problems(comment) == []


@pytest.mark.parametrize("name", LARGE)
def test_golden_of_large_plans(name, golden):
    comment = render_comment(LARGE[name]())
    golden(f"comment/{name}.md", comment)
    assert problems(comment.replace(f"]({PAGE})", "]")) == []
    assert len(comment) <= LIMIT


# --- numbers ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in plans.ALL if name != "hostile"])
def test_the_gate_table_says_what_was_judged(name):
    plan = plans.ALL[name]()
    if plan.judgement.proposed is not None:
        return
    found = table(render_comment(plan), "Outcome", "Gate")
    rows = {row[1]: row for row in found.rows}
    assert rows.keys() == {gate.name for gate in plan.judgement.verdict.gates}
    for gate in plan.judgement.verdict.gates:
        outcome, _, measured, rule, why = rows[gate.name]
        assert outcome.split()[-1] == WORD[gate.outcome]
        assert rule == gate.rule
        if gate.measured is not None:
            given = (gate.measured.value, gate.measured.low, gate.measured.high)
            expected = [number for number in given if number is not None]
            # All three get as many decimals as the largest.
            largest = max(1.0, *map(abs, expected))
            assert numbers(measured) == pytest.approx(expected, abs=0.0005 * largest)
        if gate.limit is not None:
            assert any(abs(each) == pytest.approx(abs(gate.limit)) for each in numbers(rule))
        assert gate.reason in why
        assert gate.waiver in why


def test_the_gate_table_is_worst_first():
    found = table(render_comment(plans.errored()), "Outcome", "Gate")
    severity = {word: outcome for outcome, word in WORD.items()}
    order = [severity[cell.split()[-1]] for cell in found.column("Outcome")]
    assert order == sorted(order, reverse=True)
    assert order[0] is Outcome.ERRORED


def test_both_policies_are_shown():
    plan = plans.weakened()
    found = table(render_comment(plan), "Gate", "Rules in force (base)")
    rows = {row[0]: row for row in found.rows}
    assert rows["equal-odds"][1] == "❌ FAILED: equalized_odds_difference by sex at most 0.1"
    assert rows["equal-odds"][2] == "✅ passed: equalized_odds_difference by sex at most 0.2"
    assert rows["auc-floor"][2] == "✅ passed: the same"
    assert numbers(rows["equal-odds"][3]) == [0.143, 0.102, 0.184]


def test_a_gate_that_comes_or_goes():
    more = Policy(gates={**plans.GATES, "new-gate": MetricGate(metric="roc_auc", at_least=0.5)})
    less = {name: gate for name, gate in plans.GATES.items() if name != "auc-floor"}
    plan = plans.unfair(head=Policy(gates={**less, "new-gate": more.gates["new-gate"]}))
    rows = {row[0]: row for row in table(render_comment(plan), "Gate").rows}
    assert rows["new-gate"][1:3] == ("no such gate", "✅ passed: roc_auc at least 0.5")
    assert rows["auc-floor"][1:3] == ("✅ passed: roc_auc at least 0.75", "gate removed")


@pytest.mark.parametrize(
    ("name", "word"), [("better", "better"), ("worse", "worse"), ("cannot-tell", "cannot tell")]
)
def test_the_primary_metric(name, word):
    plan = plans.ALL[name]()
    paired = plan.comparison.metrics["roc_auc"]
    (row,) = table(render_comment(plan), "Higher is better").rows
    assert row[0] == "roc_auc"
    assert numbers(row[1]) == pytest.approx([paired.baseline], abs=0.0005)
    assert numbers(row[2]) == pytest.approx([paired.candidate], abs=0.0005)
    delta = [paired.delta.value, paired.delta.low, paired.delta.high]
    assert numbers(row[3]) == pytest.approx(delta, abs=0.0005)
    assert row[4].endswith(word)


def test_rows_that_would_decide():
    said = visible(render_comment(plans.cannot_tell()))
    assert "About 24,700 common rows would decide." in said
    gate = next(g for g in plans.cannot_tell().judgement.verdict.gates if g.name == "auc-baseline")
    assert f"About {gate.rows_to_decide:,} common rows would decide." in said


def test_fairness_by_group():
    plan = plans.unfair()
    found = table(render_comment(plan), "Group", "n")
    rows = {row[0].split(" (")[0]: row for row in found.rows}
    (by,) = plan.evidence.fairness.content.by
    old = {group.name: group for group in plan.baseline_evidence.fairness.content.by[0].groups}
    for group in by.groups:
        row = rows[group.name]
        assert numbers(row[1]) == [group.n]
        assert ("shown, not judged" in row[0]) is not group.judged
        for name, cell in zip(group.metrics, row[3:], strict=True):
            measured = group.metrics[name]
            moved = measured.value - old[group.name].metrics[name].value
            expected = [measured.value, measured.low, measured.high, *([moved] if moved else [])]
            assert numbers(cell) == pytest.approx(expected, abs=0.0005)
            assert ("no change" in cell) is (moved == 0)


def test_what_would_close_the_gap_is_not_folded():
    comment = render_comment(plans.unfair())
    open_part = comment[: comment.index("<details>")]
    said = "gap 0.143 → 0.094, accuracy 0.825 → 0.819 (n = 2,000)"
    assert open_part.count(said) == 1
    assert "What would close" not in render_comment(plans.better())


def test_metrics_and_their_change():
    plan = plans.better()
    found = table(render_comment(plan), "Metric", "")
    rows = {row[0]: row for row in found.rows}
    for name, measured in plan.evidence.evaluate.content.metrics.items():
        before = plan.baseline_evidence.evaluate.content.metrics[name]
        for cell, value in zip(rows[name][2:4], (measured, before), strict=True):
            assert numbers(cell) == pytest.approx([value.value, value.low, value.high], abs=0.0005)
    assert rows["brier_score"][1] == "lower is better"
    assert rows["brier_score"][4] == "-0.002 (-0.003 to -0.001), better"


def test_data_changes():
    comment = render_comment(plans.better())
    rows = {row[0]: row[1:] for row in table(comment, "", "Now", "Baseline").rows}
    assert rows["Rows"] == ("22,000", "20,000", "+2,000")
    assert rows["Duplicate rows"] == ("3", "3", "same")
    assert rows["Class 1"] == ("22.3 %", "22.1 %", "+0.2 points")
    columns = dict(table(comment, "Column", "Change").rows)
    assert columns == {
        "income": "missing 2.0 % → 6.4 %",
        "postcode": "type integer → category",
        "tenure": "added: number, 0.1 % missing",
    }


def test_a_removed_column_is_named():
    plan = plans.plan(
        plans.evidence(),
        before=plans.evidence(prepare=plans.prepare(22_000)),
        compared=plans.comparison(0.79, 0.01),
    )
    columns = dict(table(render_comment(plan), "Column", "Change").rows)
    assert columns["tenure"] == "removed"


def test_explanations_and_their_change():
    found = table(render_comment(plans.better()), "Rank", "Before")
    assert found.column("Column") == plans.ORDER
    assert found.column("Share")[0] == "41.0 %"
    assert found.column("Before")[:3] == ("▲ from 2", "▼ from 1", "same")
    assert found.column("Change")[:3] == ("+0.185", "-0.185", "no change")


def test_checks_are_all_counted():
    comment = render_comment(plans.errored())
    assert "2 passed, 0 warned, 1 failed, 1 not applicable, 1 did not run" in comment
    rows = table(comment, "Check", "Outcome").rows
    assert [row[0] for row in rows] == ["New Category", "String Mismatch"]
    assert rows[0][3] == "DeepchecksProcessError: unsupported dtype"
    assert rows[1][3] == "2 columns: ['purpose', 'sex']"


def test_digests_are_whole():
    plan = plans.better()
    found = table(render_comment(plan), "", "Of", "Digest")
    candidate = plan.candidate
    assert found.column("Digest") == (
        candidate.key,
        candidate.inputs,
        candidate.model,
        candidate.evidence,
        candidate.tree,
        candidate.commit,
        candidate.base,
    )


def test_dirty_files_are_named():
    plan = plans.plan(plans.evidence(), base=None, dirty=("params.yaml", "a|b.csv"))
    said = visible(render_comment(plan))
    assert "NOT_PROMOTABLE: Nothing can be promoted" in said
    assert "Not as in the commit: params.yaml, a|b.csv." in said


def test_banners_stand_before_the_numbers():
    banner = Banner(kind="gates-moved", text="It moves data.source from 'a' to 'b'.")
    comment = render_comment(plans.plan(plans.evidence(), base=None, banners=(banner,)))
    assert comment.index("> [!WARNING]\n> It moves") < comment.index("### Gates")


# --- what is missing -------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_without_evidence_reads_well(stage):
    for before in (None, plans.evidence(), plans.evidence(**{stage: None})):
        compared = None if before is None else plans.comparison(0.79, 0.01)
        plan = plans.plan(plans.evidence(**{stage: None}), before=before, compared=compared)
        comment = render_comment(plan)
        assert f"here is no evidence of the stage {stage}." in visible(comment)
        assert "None" not in comment
        assert problems(comment) == []


def test_no_evidence_at_all():
    comment = render_comment(plans.plan(EvidenceSet(), base=None))
    assert all(f"no evidence of the stage {stage}." in comment for stage in STAGES)
    assert "None" not in comment


# --- strings of others -----------------------------------------------------------


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    for name in ("first", "better", "errored-check", "lowered-gate", "waived"):
        plan = plans.ALL[name]().model_copy(update={"command": ""})
        comment = render_comment(plans.poisoned(plan, nasty))
        assert problems(comment) == [], name
        assert shape(comment) == shape(render_comment(plans.poisoned(plan, "x"))), name


@pytest.mark.parametrize("nasty", NASTY)
def test_no_command_acts(nasty):
    comment = render_comment(plans.better().model_copy(update={"command": nasty}))
    assert problems(comment) == []
    assert comment.startswith("<!-- mergeline: credit-default -->\n")


# --- length ----------------------------------------------------------------------


def large(nasty=""):
    """300 columns, 60 gates, 200 groups by each of 8, 80 failed checks, long texts."""
    gates = {
        f"gate-{number}": MetricGate(metric="roc_auc", at_least=0.99 if number % 3 else 0.5)
        for number in range(60)
    }
    policy = Policy(gates=gates)
    prepare = plans.prepare()
    columns = tuple(
        prepare.columns[1].model_copy(update={"name": f"column {number}"}) for number in range(300)
    )
    fairness = plans.fairness(0.2, remedies=True)
    groups = tuple(
        plans.group(f"group {number}", 60 + number, 0.2, 0.5, 0.1) for number in range(200)
    )
    by = tuple(
        FairnessBy(by=f"by {number}", columns=("a",), groups=groups, gaps=fairness.by[0].gaps)
        for number in range(8)
    )
    found = plans.evidence(
        prepare=prepare.model_copy(update={"columns": columns}),
        check_model=plans.checks(
            *(plans.check(f"model/check_{n}", "failed", "a detail " * 40) for n in range(80))
        ),
        fairness=fairness.model_copy(update={"by": by}),
    )
    plan = plans.plan(
        found,
        before=plans.evidence(),
        compared=plans.comparison(0.79, 0.01),
        base=policy,
        head=policy,
        banners=(Banner(kind="gates-moved", text="moved " * 400),) * 30,
    ).model_copy(update={"notices": ("a notice " * 100,) * 50})
    return plans.poisoned(plan, nasty) if nasty else plan


def test_a_large_comment_keeps_the_gate_table_whole():
    comment = render_comment(large())
    assert len(comment) <= LIMIT
    assert len(table(comment, "Outcome", "Gate").rows) == 60
    assert problems(comment) == []
    left_out = re.search(r"Left out, because a comment holds no more: (.*); they are in", comment)
    for name in left_out[1].split(", "):
        assert f"<b>{name}</b>" not in comment
    assert comment.rstrip().endswith("```")


@pytest.mark.parametrize("nasty", [each * 60 for each in NASTY[::4]] + ["$" * 900, "@" * 900])
def test_a_large_hostile_comment_fits(nasty):
    comment = render_comment(large(nasty))
    assert len(comment) <= LIMIT
    assert len(table(comment, "Outcome", "Gate").rows) >= 20
    assert problems(comment) == []


def test_a_part_that_is_too_long_does_not_cost_the_others():
    fairness = plans.fairness(0.2)
    group = plans.group("g", 5_000, 0.2, 0.5, 0.1)
    gone = dict.fromkeys(group.metrics, Estimate(value=None, n=5_000, reason="x" * 120))
    groups = tuple(group.model_copy(update={"name": f"{k}", "metrics": gone}) for k in range(30))
    by = [fairness.by[0].model_copy(update={"groups": groups, "by": f"c{k}"}) for k in range(8)]
    found = plans.evidence(fairness=fairness.model_copy(update={"by": tuple(by)}))
    comment = render_comment(plans.plan(found, base=None))
    assert "holds no more: Fairness by group; they are in" in comment
    assert "<b>Metrics</b>" in comment
    assert "<b>Digests</b>" in comment


def test_more_gates_than_fit_end_with_a_count():
    gates = {f"gate-{n}": MetricGate(metric="roc_auc", at_least=0.5) for n in range(2_000)}
    gates["the-one-that-failed"] = MetricGate(metric="roc_auc", at_least=0.99)
    policy = Policy(gates=gates)
    comment = render_comment(plans.plan(plans.evidence(), base=None, head=policy))
    assert len(comment) <= LIMIT
    assert table(comment, "Outcome", "Gate").rows[0][1] == "the-one-that-failed"
    assert "more gates, none worse than these: " in comment


def test_many_groups_keep_the_ends_of_the_gap():
    fairness = plans.fairness(0.2)
    more = tuple(plans.group(f"g{number}", 5_000, 0.2, 0.5, 0.1) for number in range(100))
    by = fairness.by[0].model_copy(update={"groups": (*more, *fairness.by[0].groups)})
    found = plans.evidence(fairness=fairness.model_copy(update={"by": (by,)}))
    comment = render_comment(plans.plan(found, base=None))
    groups = table(comment, "Group", "n").column("Group")
    assert {"female", "male"} <= set(groups)
    assert "more groups in the evidence." in comment
