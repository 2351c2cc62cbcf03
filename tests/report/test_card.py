"""The model card: everything that was measured, and nothing that acts."""

import subprocess
import sys

import pytest

from mergeline.core.digest import sha256
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.report.against import changes
from mergeline.report.card import render_card
from mergeline.report.markdown import code, marker

from . import plans
from .nasty import NASTY
from .reading import parse, problems, shape, tables, visible


def wrong(card):
    # The marker of a comment is what `problems` expects; a card has none.
    return problems(f"{marker('p')}\n\n{card}")


def headings(card):
    tokens = parse(card)
    return [
        f"{token.markup} {tokens[at + 1].content}"
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.markup in ("#", "##")
    ]


@pytest.mark.parametrize(
    "name", ["first", "better", "waived", "hostile", "regression", "three-classes"]
)
def test_golden(name, golden):
    golden(f"card/{name}.md", render_card(plans.ALL[name]()))


@pytest.mark.parametrize("name", plans.ALL)
def test_nothing_in_a_card_acts(name):
    assert wrong(render_card(plans.ALL[name]())) == []


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    for name in ("better", "waived", "lowered-gate"):
        plan = plans.ALL[name]()
        card = render_card(plans.poisoned(plan, nasty))
        assert wrong(card) == [], name
        assert shape(card) == shape(render_card(plans.poisoned(plan, "x"))), name


def test_the_same_plan_gives_the_same_bytes_in_another_process():
    plan = plans.better()
    code = (
        "import sys; from mergeline.core.plan import Plan; "
        "from mergeline.report.card import render_card; "
        "print(render_card(Plan.model_validate_json(sys.stdin.read())), end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=plan.model_dump_json(), capture_output=True,
        encoding="utf-8", timeout=60, check=True, env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.stdout == render_card(plan)


def test_all_sections_are_there_in_their_order():
    assert headings(render_card(plans.better())) == [
        "# Model card: `credit-default`",
        "## What it does",
        "## Data",
        "## Training",
        "## Metrics",
        "## Fairness by group",
        "## Explanations",
        "## Checks",
        "## Gates and waivers",
        "## Lineage",
    ]


def test_the_digests_are_whole():
    plan = plans.better()
    card = visible(render_card(plan))
    for digest in (
        plan.candidate.key,
        plan.candidate.inputs,
        plan.candidate.model,
        plan.candidate.evidence,
        plan.candidate.tree,
        plan.candidate.commit,
        plan.evidence.prepare.content.sha256,
    ):
        assert digest in card


def test_what_the_model_reads_and_what_it_does_not():
    plan = plans.better()
    (found,) = [each for each in tables(render_card(plan)) if each.header[0] == "Column"][:1]
    assert found.header == ("Column", "Kind", "Missing")
    features = plan.evidence.train.content.features
    assert found.column("Column") == tuple(feature.name for feature in features)
    assert found.rows[0][2].endswith(" %")
    assert "In the table and not read: " in visible(render_card(plan))


def test_a_waiver_is_said_with_its_reason():
    plan = plans.with_waiver()
    (waived,) = [gate for gate in plan.judgement.verdict.gates if gate.waiver]
    card = visible(render_card(plan))
    assert f"{waived.name} is waived: {waived.waiver}" in card
    assert "No waiver counted" not in card
    assert "No waiver counted" in render_card(plans.better())


@pytest.mark.parametrize("missing", STAGES)
def test_a_stage_without_evidence_is_said(missing):
    plan = plans.better()
    evidence = plan.evidence.model_copy(update={missing: None})
    card = render_card(plan.model_copy(update={"evidence": evidence}))
    assert "no evidence" in visible(card)
    assert wrong(card) == []


def test_a_plan_without_any_evidence_has_a_card():
    card = render_card(plans.better().model_copy(update={"evidence": EvidenceSet()}))
    assert len(headings(card)) == 10
    assert sha256(b"evidence") in visible(card)


def test_a_constraint_of_fairness_is_on_the_card_of_a_model_with_many_parameters():
    said = "equalized_odds by sex, up to 0.02"
    plan = plans.better()
    train = plan.evidence.train
    params = {f"p{n}": n for n in range(100)}
    content = train.content.model_copy(update={"mitigation": said, "params": params})
    evidence = plan.evidence.model_copy(
        update={"train": train.model_copy(update={"content": content})}
    )
    card = render_card(plan.model_copy(update={"evidence": evidence}))
    assert f"| fairness constraint | `{said}` |" in card
    assert "fairness constraint" not in render_card(plan)


def test_a_card_of_a_very_wide_model_is_bounded():
    plan = plans.better()
    train = plan.evidence.train
    wide = [train.content.features[0].model_copy(update={"name": f"c{n}"}) for n in range(5000)]
    params = {f"p{n}": "x" * 10_000 for n in range(5000)}
    content = train.content.model_copy(update={"features": tuple(wide), "params": params})
    evidence = plan.evidence.model_copy(
        update={"train": train.model_copy(update={"content": content})}
    )
    card = render_card(plan.model_copy(update={"evidence": evidence}))
    assert len(card) < 60_000
    assert "4,940 more columns in the evidence" in card


def test_a_model_that_was_trained_elsewhere_is_called_what_it_is():
    given = {"estimator": "onnx models/net.onnx", "file": "ONNX opset 17, by pytorch 2.9 <b>"}
    train = plans.train(max_iter=200).model_copy(update={**given, "params": {}})
    plan = plans.better(train=train)
    card = render_card(plan)
    assert wrong(card) == []
    assert f"({code(given['file'])}), trained by a stage of the project's own;" in card
    assert f"({code(given['file'])}) on 5 columns" in card
    said = changes(plan)
    assert "file not set → ONNX opset 17, by pytorch 2.9 <b>" in said
