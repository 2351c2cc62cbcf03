from io import StringIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from mergeline.config.schema import report_schema, settings_schema
from report import plans

SCHEMA = settings_schema()


def valid(text: str) -> bool:
    data: Any = YAML(typ="safe", pure=True).load(StringIO(text))
    return bool(Draft202012Validator(SCHEMA).is_valid(data))


def test_it_is_a_schema_of_the_draft_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_example_is_valid(example: str) -> None:
    assert valid(example)


def test_other_sections_are_allowed(small: str) -> None:
    assert valid(small + "prepare: {anything: [1]}\n")


@pytest.mark.parametrize(
    "text",
    [
        "gates: {g: {metric: roc_auc, at_least: '0.75'}}",
        "gates: {g: {metric: roc_auc, at_lest: 0.75}}",
        "gates: {g: {metric: roc_acu, at_least: 0.75}}",
        "gates: {g: {metric: roc_auc, at_least: 0.75, at_most: 0.9}}",
        "gates: {g: {metric: roc_auc}}",
        "gates: {g: {fairness: equal_odds, by: sex, at_most: 0.1}}",
        "gates: {g: {fairness: equalized_odds_difference, at_most: 0.1}}",
        "gates: {g: {fairness: equalized_odds_difference, by: sex, at_least: 0.1}}",
        "gates: {g: {check: everything}}",
        "gates: {g: {slice: purpose, metric: roc_acu, at_least: 0.7}}",
        "gates: {g: {slice: purpose, metric: roc_auc}}",
        "gates: {g: {slice: purpose, metric: roc_auc, at_least: 0.7, min_rows: 3}}",
        "gates: {g: {latency: 10, at_most: 20}}",
        "gates: {g: {latency: 1}}",
        "gates: {g: {size: model, at_most: 1.5}}",
        "gates: {g: {data: rows, at_least: 10, column: x}}",
        "gates: {g: {data: missing, at_least: 0.1}}",
        "gates: {g: {data: drift, no_worse_than_baseline_by: 0.1}}",
        "gates: {g: {data: leak}}",
        "split: {test: 2}",
        "split: {test: 0.2, after: '2026-01-01'}",
        "evaluate: {primary: auc}",
        "fairness: {min_group: 0}",
        "report: {rows: 'yes'}",
        "waivers: [{gate: g, reason: r}]",
    ],
)
def test_typical_mistakes_are_not_valid(small: str, text: str) -> None:
    assert valid(small)
    assert not valid(f"{small}{text}\n")


@pytest.mark.parametrize(
    "gate",
    [
        "{slice: purpose, metric: roc_auc, at_least: 0.7}",
        "{slice: purpose, metric: roc_auc, at_most: 0.7, value: car, min_rows: 10, level: warn}",
        "{latency: 1000, at_most: 20}",
        "{size: model, at_most: 5000000}",
        "{data: rows, at_least: 10}",
        "{data: rows, no_worse_than_baseline_by: 10}",
        "{data: missing, at_most: 0.1, column: x}",
        "{data: drift, at_most: 0.1, column: x}",
        "{data: leak, no_worse_than_baseline_by: 0.1}",
        "{check: data, name: mixed_nulls}",
    ],
)
def test_every_kind_of_gate_is_valid(small: str, gate: str) -> None:
    assert valid(f"{small}gates: {{g: {gate}}}\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("estimator: a.B", ""),
        ("estimator: a.B", "estimator: a.B, factory: a:b"),
        ("target: y", "targte: y"),
        ("project: p", "project: a b"),
        ("project: p\n", ""),
    ],
)
def test_typical_mistakes_in_what_must_be_there(small: str, old: str, new: str) -> None:
    assert not valid(small.replace(old, new))


def test_every_key_says_what_it_is() -> None:
    kinds = {"": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, kind in kinds.items()
        for key, value in kind.get("properties", {}).items()
        if "description" not in value and "$ref" not in value
    ]
    assert silent == []
    assert all("Attributes:" not in kind.get("description", "") for kind in kinds.values())


def test_descriptions_are_those_of_the_classes() -> None:
    data = SCHEMA["$defs"]["Data"]
    assert data["description"] == "Where the table is and what its columns mean."
    assert data["properties"]["target"]["description"] == "The column to predict."
    level = SCHEMA["$defs"]["MetricGate"]["properties"]["level"]
    assert level["description"] == "`warn` turns FAILED into WARNED."


# --- a report ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["first", "better", "three-classes", "regression", "errored-check"]
)
def test_every_report_is_what_its_schema_says(name: str) -> None:
    schema = report_schema()
    Draft202012Validator.check_schema(schema)
    plan = plans.ALL[name]().as_json()
    Draft202012Validator(schema).validate(plan)
    assert plan.keys() == schema["properties"].keys()
    assert not Draft202012Validator(schema).is_valid(plan | {"schema_version": 2})
    assert not Draft202012Validator(schema).is_valid(plan | {"forecast": None})


def test_a_report_s_schema_has_the_words_of_the_code() -> None:
    noun = report_schema()["properties"]["noun"]
    assert noun["description"] == "What a positive row is called, e.g. `defaulter`."
