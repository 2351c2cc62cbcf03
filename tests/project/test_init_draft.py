"""`params.yaml` and the contract that are written for a table."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from ruamel.yaml import YAML

from mergeline.config.settings import Data, Model, Settings
from mergeline.core.plan import CardWords
from mergeline.core.policy import CheckGate, FairnessGate, MetricGate
from mergeline.errors import ContractError
from mergeline.project.classes import Positive
from mergeline.project.draft import Draft, contract_text, parsed, settings_text
from mergeline.project.guess import Roles
from mergeline.project.number_signs import Signs
from mergeline.project.outcome import Outcome
from mergeline.project.yaml_text import scalar
from mergeline.stages.contract import check_contract
from projects import make_frame

NASTY = ("no", "Yes", "null", "~", "1", "1e3", "12:30", "a: b", "# a", "- a", "'", '"', "", " a ")
NASTY += ("a\nb", "\x1b[31m", "\x85", "\u2028", "a & b", "{a}", "[a", "*a", "!a", "%a", "@a", "`")
NASTY += ("Ålesund", "人", "é" * 200, "${data.source}", "<<", "=", ".inf", "NaN", "y", "on")
# A flag of five letters that nobody sees, an astronaut who is joined.
NASTY += (
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e007f",
    "\U0001f469\u200d\U0001f680",
)


TWO = Outcome("binary", "two values", Positive("yes", 'the other class is "no"'), 0.5, classes=2)


def draft(**changes: Any) -> Draft:
    given: dict[str, Any] = {
        "project": "who-leaves",
        "source": "data/customers.csv",
        "encoding": "utf-8-sig",
        "separator": None,
        "signs": Signs(),
        "missing": (),
        "target": "left",
        "outcome": TWO,
        "roles": Roles(None, None, None, (), {}, {}, ()),
        "min_group": 50,
        "gated": (),
        "since": None,
    }
    return Draft(**{**given, **changes})


@pytest.mark.parametrize("value", [*NASTY, 1, 0.5, True, False])
def test_values_are_read_back_by_any_yaml(value: object) -> None:
    text = f"{scalar(value)}: [{scalar(value)}]\n"  # type: ignore[arg-type]
    for read in (yaml.safe_load, YAML(typ="safe", pure=True).load):
        found = read(text)
        assert found == {value: [value]}
        assert type(next(iter(found))) is type(value)


# --- params.yaml -----------------------------------------------------------------------


def test_a_draft_without_guesses() -> None:
    settings = parsed(settings_text(draft()))
    assert settings.project == "who-leaves"
    assert settings.data == Data(
        source="data/customers.csv", target="left", positive="yes", contract="data/contract.yaml"
    )
    assert list(settings.gates) == ["auc-floor", "auc-baseline", "data-checks", "model-checks"]
    assert settings.promotion.approvals == 1
    assert settings.promotion.since is None
    assert settings.report.rows is False


def test_the_words_of_the_card_wait_as_comments() -> None:
    text = settings_text(draft())
    before, mark, stub = text.partition("# card:\n")
    assert parsed(text).card == CardWords()
    said = parsed(before + (mark + stub).replace("# ", "", 1).replace("\n# ", "\n")).card
    assert all(said.as_json().values())


def test_how_numbers_are_written_is_in_the_settings() -> None:
    text = settings_text(draft(signs=Signs(",", ".", "1.234,5")))
    assert 'decimal: ","  # guessed: numbers are written as in 1.234,5' in text
    assert (parsed(text).data.decimal, parsed(text).data.thousands) == (",", ".")
    assert parsed(settings_text(draft(signs=Signs(thousands="'")))).data.thousands == "'"


def test_every_guess_is_in_the_settings() -> None:
    roles = Roles(
        id="id",
        group="customer",
        time="joined",
        sensitive=("sex", "age"),
        bins={"age": (18.0, 30.5, 120.0)},
        exclude={"joined": "a time"},
        notes=(),
    )
    since = "12345e" + "0" * 34  # which YAML could take for a number
    text = settings_text(
        draft(
            encoding="cp1252",
            separator=";",
            missing=("?",),
            roles=roles,
            outcome=replace(TWO, threshold=0.12),
            min_group=20,
            gated=("age", "sex"),
            since=since,
        )
    )
    settings = parsed(text)
    data = settings.data
    assert (data.id, data.group, data.time) == ("id", "customer", None)
    assert "# time: joined" in text
    assert (data.encoding, data.separator, data.missing) == ("cp1252", ";", ("?",))
    assert (data.sensitive, data.exclude) == (("sex", "age"), ("joined",))
    assert settings.fairness.bins == {"age": (18, 30.5, 120)}
    assert (settings.evaluate.threshold, settings.fairness.min_group) == (0.12, 20)
    assert settings.promotion.since == since
    assert text.count("# guessed") == 9


def test_no_gate_needs_to_know_the_data() -> None:
    """A floor above chance that nobody measured would be made up; fairness may only warn."""
    settings = parsed(settings_text(draft(roles=_sensitive("sex"), gated=("sex",))))
    for gate in settings.gates.values():
        match gate:
            case MetricGate():
                assert gate.no_worse_than_baseline_by is not None or gate.at_least == 0.5
            case FairnessGate():
                assert gate.no_worse_than_baseline_by is not None
                assert gate.level == "warn"
            case CheckGate():
                assert gate.new_only


def test_three_classes() -> None:
    outcome = Outcome("multiclass", "3 texts", classes=3)
    settings = parsed(
        settings_text(draft(outcome=outcome, roles=_sensitive("sex"), gated=("sex",)))
    )
    assert (settings.data.task, settings.data.positive) == ("multiclass", None)
    assert settings.primary == "balanced_accuracy"
    assert settings.model.estimator == "sklearn.ensemble.HistGradientBoostingClassifier"
    floor, baseline, *_, fair = settings.gates.values()
    assert floor == MetricGate(metric="balanced_accuracy", at_least=0.34)
    assert baseline == MetricGate(metric="balanced_accuracy", no_worse_than_baseline_by=0.01)
    assert isinstance(fair, FairnessGate)
    assert (fair.fairness, fair.level) == ("accuracy_difference", "warn")


@pytest.mark.parametrize(
    ("spread", "ceiling", "allowed", "wider"),
    [
        (8_421.7, 8_430, 170, 430),
        (1_000.0, 1_000, 20, 50),
        (0.000001234, 1.24e-06, 2.5e-08, 6.2e-08),
    ],
)
def test_a_number_has_a_ceiling_from_its_own_spread(
    spread: float, ceiling: float, allowed: float, wider: float
) -> None:
    outcome = Outcome("regression", "1,337 different numbers", median=9_382.033, spread=spread)
    text = settings_text(draft(outcome=outcome, roles=_sensitive("sex"), gated=("sex",)))
    settings = parsed(text)
    assert (settings.data.task, settings.data.positive) == ("regression", None)
    assert settings.primary == "mean_absolute_error"
    assert settings.model.estimator == "sklearn.ensemble.HistGradientBoostingRegressor"
    error, baseline, *_, fair = settings.gates.values()
    assert error == MetricGate(metric="mean_absolute_error", at_most=ceiling)
    assert isinstance(baseline, MetricGate)
    assert baseline.no_worse_than_baseline_by == allowed
    assert isinstance(fair, FairnessGate)
    assert (fair.fairness, fair.no_worse_than_baseline_by) == ("mean_error_difference", wider)
    assert "what always saying the median, 9,382, gets" in text
    assert "threshold" not in text
    assert yaml.safe_load(text)["gates"]["error-ceiling"]["at_most"] == ceiling


def _sensitive(*names: str) -> Roles:
    return Roles(None, None, None, names, {}, {}, ())


@pytest.mark.parametrize("name", [name for name in NASTY if " & " not in name])
def test_names_of_columns_are_only_names(name: str) -> None:
    roles = Roles(name, None, name, (), {}, {name: "a time"}, ())
    outcome = replace(TWO, positive=Positive(name, name))
    text = settings_text(draft(target=f"{name}!", roles=roles, outcome=outcome))
    data = parsed(text).data
    assert (data.target, data.id, data.exclude) == (f"{name}!", name, (name,))
    assert data.positive == name


def test_gates_of_columns_that_sound_alike_have_names_of_their_own() -> None:
    columns = ("Sex", "sex", "人", "sex!")
    settings = parsed(settings_text(draft(roles=_sensitive(*columns), gated=columns)))
    gates = [gate for gate in settings.gates.values() if isinstance(gate, FairnessGate)]
    assert [gate.by for gate in gates] == list(columns)


# --- the contract -----------------------------------------------------------------------


def settings_for(**data: Any) -> Settings:
    given = {"source": "t.csv", "target": "left", "positive": "yes", **data}
    return Settings(project="p", data=Data(**given), model=Model(estimator="a.B"))


def held(frame: pd.DataFrame, table: pd.DataFrame, folder: Path, **data: Any) -> None:
    """Write the contract of one table, and hold another one against it."""
    settings = settings_for(contract="contract.yaml", **data)
    (folder / "contract.yaml").write_text(contract_text(frame, settings), encoding="utf-8")
    check_contract(table, folder / "contract.yaml", settings.data)


def test_a_table_meets_its_own_contract(tmp_path: Path) -> None:
    frame = make_frame(200)
    frame["none"] = float("nan")
    frame["maybe"] = [True, None] * 100
    frame["zone"] = pd.date_range("2026-01-01", periods=200, tz="UTC")
    frame["small"] = pd.Series(range(200), dtype="int16")
    frame["share"] = pd.Series([0.5] * 200, dtype="float32")
    held(frame, frame, tmp_path, id="customer")


def test_types_that_a_later_table_may_have_keep_it(tmp_path: Path) -> None:
    frame = make_frame(200).assign(
        none=float("nan"), maybe=[True, None] * 100, count=[1, None] * 100
    )
    held(frame, frame.assign(none="now a text", maybe=True, count=1), tmp_path, id="customer")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": "gold"}, "plan: isin"),
        ({"left": "perhaps"}, "left: isin"),
        ({"age": None}, "age: not_nullable|age: dtype"),
        ({"customer": "C000000"}, "customer: field_uniqueness"),
        ({"age": "old"}, "age: dtype"),
    ],
)
def test_what_breaks_it(tmp_path: Path, change: dict[str, object], said: str) -> None:
    frame = make_frame(200)
    with pytest.raises(ContractError, match=said):
        held(frame, frame.assign(**change), tmp_path, id="customer")


def test_ranges_are_not_invented(tmp_path: Path) -> None:
    frame = make_frame(200)
    held(frame, frame.assign(age=frame["age"] * 10), tmp_path)
    rules = yaml.safe_load(contract_text(frame, settings_for()))["columns"]
    assert set().union(*rules.values()) == {"dtype", "nullable", "isin"}


@pytest.mark.parametrize("target", [[0, 1], [0.0, 1.0], [True, False], ["yes", "no"]])
def test_the_classes_of_the_target_are_promised(tmp_path: Path, target: list[object]) -> None:
    frame = pd.DataFrame({"a": range(40), "left": target * 20})
    held(frame, frame, tmp_path)
    assert yaml.safe_load(contract_text(frame, settings_for()))["columns"]["left"]["isin"] == (
        sorted(target)  # type: ignore[type-var]
    )


def test_the_values_of_a_number_are_not_promised(tmp_path: Path) -> None:
    frame = make_frame(60).assign(left=range(60))
    text = contract_text(frame, settings_for(task="regression", positive=None))
    assert "isin" not in text[text.index("  left:") :]
    data = {"task": "regression", "positive": None}
    held(frame, frame.assign(left=range(100, 160)), tmp_path, **data)


def test_names_and_values_are_only_text(tmp_path: Path) -> None:
    names = [name for name in NASTY if name]
    frame = pd.DataFrame({name: [*NASTY[:18]] for name in names}).assign(left=["yes", "no"] * 9)
    text = contract_text(frame, settings_for())
    rules = yaml.safe_load(text)["columns"]
    assert list(rules) == [*names, "left"]
    assert set(rules["no"]["isin"]) == set(NASTY[:18])
    assert os.linesep.join(text.splitlines()) == text.rstrip()
    held(frame, frame, tmp_path)
