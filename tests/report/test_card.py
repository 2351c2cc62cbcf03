"""The model card: everything that was measured, and nothing that acts."""

import re
import subprocess
import sys

import pytest
import yaml

from mergeline.core.digest import sha256
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import CardWords
from mergeline.report.against import changes
from mergeline.report.card import card_text, render_card
from mergeline.report.comment import render_comment
from mergeline.report.markdown import code, inert, marker

from . import plans
from .nasty import NASTY
from .reading import parse, problems, shape, tables, visible

WORDS = CardWords(
    summary="Says who may not pay back.",
    owners=("Credit risk", "Ada"),
    license="Apache-2.0",
    intended_use=("To order applications for a person to look at.",),
    users=("Credit officers.",),
    out_of_scope=("Refusing anybody without a person.",),
    limitations=("People under 18.",),
    ethical_considerations=("A wrong refusal costs a family a home.",),
    recommendations=("Look at the gap by sex each month.",),
)


def wrong(card):
    """What in the text of a card would act."""
    # The marker of a comment is what `problems` expects; a card has none.
    return problems(f"{marker('p')}\n\n{text_of(card)}")


def text_of(card):
    return split(card)[1]


def split(card):
    """Take a card apart as Hugging Face's tools do: at the second line of dashes."""
    found = re.match(r"\A---\n(.*?)\n---\n(.*)\Z", card, re.DOTALL)
    return found[1], found[2]


def front(card):
    return yaml.safe_load(split(card)[0])


def headings(card):
    tokens = parse(text_of(card))
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


def test_golden_of_one_whose_owners_said_all(golden):
    golden("card/said.md", render_card(plans.better().model_copy(update={"card": WORDS})))


@pytest.mark.parametrize("name", plans.ALL)
def test_nothing_in_a_card_acts(name):
    assert wrong(render_card(plans.ALL[name]())) == []


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    for name in ("better", "waived", "lowered-gate"):
        plan = plans.ALL[name]().model_copy(update={"card": WORDS})
        card = render_card(plans.poisoned(plan, nasty))
        assert wrong(card) == [], name
        assert shape(text_of(card)) == shape(text_of(render_card(plans.poisoned(plan, "x")))), name


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


SECTIONS = (
    *("Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data"),
    *("Quantitative analyses", "Explanations", "Checks", "Gates and waivers"),
    *("Ethical considerations", "Caveats and recommendations", "Lineage"),
)


def test_all_sections_are_there_in_their_order():
    assert headings(render_card(plans.better())) == [
        "# Model card: `credit-default`",
        *(f"## {name}" for name in SECTIONS),
    ]


# --- what owners say -------------------------------------------------------------


def test_what_nobody_said_is_said_to_be_missing():
    card = visible(text_of(render_card(plans.better())))
    for key in CardWords.model_fields:
        assert f"The settings do not say (card.{key})." in card


def test_what_owners_said_stands_in_its_place():
    card = visible(text_of(render_card(plans.better().model_copy(update={"card": WORDS}))))
    assert "The settings do not say" not in card
    for said in WORDS.as_json().values():
        for each in [said] if isinstance(said, str) else said:
            assert each in card


def test_many_long_words_are_bounded():
    long = ("word " * 5000,) * 200
    words = WORDS.model_copy(update={"limitations": long, "owners": long})
    card = render_card(plans.better().model_copy(update={"card": words}))
    assert len(card) < 80_000
    assert "and 180 more in the settings" in card


# --- the front matter ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pipeline"),
    [
        ("better", "tabular-classification"),
        ("three-classes", "tabular-classification"),
        ("regression", "tabular-regression"),
    ],
)
def test_the_front_matter_has_the_very_numbers(name, pipeline):
    plan = plans.ALL[name]()
    found = front(render_card(plan))
    assert found["pipeline_tag"] == pipeline
    assert found["library_name"] == "sklearn"
    assert "mergeline" in found["tags"]
    (model,) = found["model-index"]
    assert model["name"] == plan.project
    (result,) = model["results"]
    assert result["task"]["type"] == pipeline
    assert result["dataset"]["revision"] == plan.evidence.prepare.content.sha256
    there = {item["name"]: item for item in result["metrics"]}
    measured = plan.evidence.evaluate.content.metrics
    assert found["metrics"] == list(measured)
    for metric, estimate in measured.items():
        assert there[metric]["value"] == estimate.value
        if estimate.low is not None:
            ends = there[metric]["args"]["confidence_interval"]
            assert ends == [estimate.low, estimate.high]


def test_what_could_not_be_measured_is_no_result():
    plan = plans.better()
    content = plan.evidence.evaluate.content
    lost = {"roc_auc": content.metrics["roc_auc"].model_copy(update={"value": None})}
    evaluate = plan.evidence.evaluate.model_copy(
        update={"content": content.model_copy(update={"metrics": content.metrics | lost})}
    )
    evidence = plan.evidence.model_copy(update={"evaluate": evaluate})
    (model,) = front(render_card(plan.model_copy(update={"evidence": evidence})))["model-index"]
    assert "roc_auc" not in [item["name"] for item in model["results"][0]["metrics"]]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("Our own", {"license": "other", "license_name": "Our own"}),
        ("no", {"license": "other", "license_name": "no"}),
        ("", {}),
    ],
)
def test_a_license_is_one_that_hugging_face_knows_or_other(said, found):
    plan = plans.better().model_copy(update={"card": CardWords(license=said)})
    there = front(render_card(plan))
    assert {key: there[key] for key in there if key.startswith("license")} == found


YAML_BREAKING = (
    *("x\n---\n# Approved", "---", "...", "yes", "12:30:45", "1e3", "null", "? x", "%YAML 1.1"),
    *('"', "\\", '\\"\n- x: y', "*a", "&a b", "!!python/object:os.system", "{a: b}", "# x", "a: b"),
)


@pytest.mark.parametrize("nasty", NASTY + YAML_BREAKING)
def test_no_string_breaks_out_of_the_front_matter(nasty):
    plan = plans.better().model_copy(update={"card": WORDS})
    poisoned = plans.poisoned(plan, nasty)
    found, usual = front(render_card(poisoned)), front(render_card(plan))
    assert found["license"] == "other"
    assert found["license_name"] == inert(f"{nasty}Apache-2.0".strip(), 120)
    (model,), (before,) = found["model-index"], usual["model-index"]
    assert model["name"] == inert(f"{nasty}{plan.project}", 120)
    assert len(found) == len(usual) + 1
    assert [item["value"] for item in model["results"][0]["metrics"]] == [
        item["value"] for item in before["results"][0]["metrics"]
    ]
    assert text_of(render_card(poisoned)).startswith("\n# Model card: ")
    shown = split(render_card(poisoned))[0].replace(plan.evidence.prepare.content.sha256, "")
    acting = [each for each in problems(f"{marker('p')}\n\n{shown}") if "revision" not in each]
    assert [each for each in acting if "image" in each or "link" in each or "html" in each] == []


# --- the rest --------------------------------------------------------------------


def test_charts_for_github_are_left_out():
    assert "```mermaid" in render_comment(plans.better())
    card = card_text(plans.better())
    assert "mermaid" not in card
    assert "Bars: " not in card
    assert "At the threshold: " in card
    assert "Model size: " in card


def test_groups_of_several_columns_stand_apart():
    plan = plans.better()
    gaps = plan.evidence.fairness
    (by,) = gaps.content.by
    both = by.model_copy(update={"by": "sex & purpose", "columns": ("sex", "purpose")})
    content = gaps.content.model_copy(update={"by": (by, both)})
    evidence = plan.evidence.model_copy(
        update={"fairness": gaps.model_copy(update={"content": content})}
    )
    alone, _, together = card_text(plan.model_copy(update={"evidence": evidence})).partition(
        "### Fairness by groups that intersect"
    )
    assert "By `sex`" in alone
    assert "sex & purpose" not in visible(alone).partition("Fairness by group")[2]
    assert "sex & purpose" in visible(together)
    assert "Not measured: that takes two sensitive columns" in card_text(plan)


def test_the_digests_are_whole():
    plan = plans.better()
    card = visible(text_of(render_card(plan)))
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
    (found,) = [each for each in tables(text_of(render_card(plan))) if each.header[0] == "Column"][
        :1
    ]
    assert found.header == ("Column", "Kind", "Missing")
    features = plan.evidence.train.content.features
    assert found.column("Column") == tuple(feature.name for feature in features)
    assert found.rows[0][2].endswith(" %")
    assert "In the table and not read: " in visible(text_of(render_card(plan)))


def test_a_waiver_is_said_with_its_reason():
    plan = plans.with_waiver()
    (waived,) = [gate for gate in plan.judgement.verdict.gates if gate.waiver]
    card = visible(text_of(render_card(plan)))
    assert f"{waived.name} is waived: {waived.waiver}" in card
    assert "No waiver counted" not in card
    assert "No waiver counted" in render_card(plans.better())


@pytest.mark.parametrize("missing", STAGES)
def test_a_stage_without_evidence_is_said(missing):
    plan = plans.better()
    evidence = plan.evidence.model_copy(update={missing: None})
    card = render_card(plan.model_copy(update={"evidence": evidence}))
    assert "no evidence" in visible(text_of(card))
    assert wrong(card) == []


def test_a_plan_without_any_evidence_has_a_card():
    card = render_card(plans.better().model_copy(update={"evidence": EvidenceSet()}))
    assert len(headings(card)) == 1 + len(SECTIONS)
    assert sha256(b"evidence") in visible(text_of(card))


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


def test_a_card_of_very_many_rates_is_bounded():
    plan = plans.better()
    gaps = plan.evidence.fairness
    content = gaps.content.model_copy(update={"metrics": tuple(f"m{n}" for n in range(5000))})
    evidence = plan.evidence.model_copy(
        update={"fairness": gaps.model_copy(update={"content": content})}
    )
    card = render_card(plan.model_copy(update={"evidence": evidence}))
    assert "`m15` and 4,984 more, and the gaps" in card
    assert "`m16`" not in card


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
