import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mergeline.config.load import doubtful_sections, load_settings, parse_settings
from mergeline.config.settings import Settings
from mergeline.core.policy import FairnessGate, MetricGate
from mergeline.errors import ConfigError

JARGON = re.compile(r"[Ii]nput should|value_error|validation error|pydantic|union|Traceback|ruamel")


def problems(text: str) -> list[str]:
    """The lines of the message, without the count that goes before several."""
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, origin="params.yaml")
    lines = caught.value.message.splitlines()
    assert not JARGON.search(caught.value.message)
    assert caught.value.hint
    assert caught.value.exit_code == 3
    if len(lines) > 1:
        assert lines.pop(0) == f"params.yaml: {len(lines)} problems"
    return lines


# --- what is right ---------------------------------------------------------------


def test_the_example_of_the_design_loads(example: str) -> None:
    settings = parse_settings(example, origin="params.yaml")
    assert settings.project == "credit-default"
    assert settings.data.positive == 1
    assert settings.fairness.bins == {"age": (18, 30, 45, 60, 120)}
    assert settings.gates["auc-floor"] == MetricGate(metric="roc_auc", at_least=0.75)
    assert isinstance(settings.gates["no-new-gap"], FairnessGate)
    assert settings.gates["no-new-gap"].level == "warn"
    assert settings.policy.gates == settings.gates


def test_the_projects_own_settings_load() -> None:
    root = Path(__file__).parents[2]
    assert load_settings(root / "params.yaml").gates


def test_other_sections_are_left_alone(small: str) -> None:
    text = small + "prepare: {seed: .nan, day: 2026-01-01}\n1: {2: 3}\ntrain: !!set {a}\n"
    assert parse_settings(text, origin="x") == parse_settings(small, origin="x")


def test_days_and_keys_that_are_no_text_are_taken_as_written(small: str) -> None:
    text = small.replace("y\n", "y\n  time: seen\n", 1).replace(
        "B}", "B, class_weight: {0: 1, 1: 3}}"
    )
    settings = parse_settings(text + "split: {after: 2026-01-31}\n", origin="x")
    assert settings.split.after == date(2026, 1, 31)
    assert settings.model.class_weight == {"0": 1.0, "1": 3.0}


def test_anchors_and_merges_are_written_out(small: str) -> None:
    text = small + "gates:\n  a: &a {metric: roc_auc, at_least: 0.7}\n  b: {<<: *a, level: warn}\n"
    gates = parse_settings(text, origin="x").gates
    assert gates["b"] == MetricGate(metric="roc_auc", at_least=0.7, level="warn")


def test_the_primary_metric_is_measured_once_and_first(small: str) -> None:
    text = small + "evaluate: {primary: f1, metrics: [roc_auc, f1]}\n"
    assert parse_settings(text, origin="x").metric_names == ("f1", "roc_auc")
    text = (
        small
        + "evaluate: {primary: recall, metrics: []}\ngates: {g: {metric: recall, at_least: 0.1}}\n"
    )
    assert parse_settings(text, origin="x").metric_names == ("recall",)


# --- wrong keys ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "meant"),
    [("gate", "gates"), ("fairnes", "fairness"), ("evalute", "evaluate"), ("Waivers", "waivers")],
)
def test_a_section_that_is_nearly_ours_is_an_error(small: str, key: str, meant: str) -> None:
    (line,) = problems(f"{small}{key}: {{}}\n")
    assert line.startswith(f"params.yaml:8: {key}: did you mean the section {meant}?")


def test_a_near_miss_beside_our_own_section_is_the_projects(small: str) -> None:
    assert parse_settings(small + "gate: 1\ngates: {}\nmodels: 2\n", origin="x")


@pytest.mark.parametrize(("key", "meant"), [("crad", "card"), ("Cars", "card")])
def test_a_section_that_may_be_ours_is_doubted(
    small: str, key: str, meant: str, tmp_path: Path
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"{small}{key}: {{}}\n")
    assert load_settings(path)
    (said,) = doubtful_sections(path)
    assert said.endswith(
        f"params.yaml:8: {key}: taken for a section of the project's own and not "
        f"read; or did you mean {meant}?"
    )


def test_a_projects_own_sections_are_not_doubted(small: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    own = ("train", "prepare", "featurize", "evaluation", "dataset", "seed", "params", "crad", 7)
    path.write_text(f"{small}card: {{}}\n" + "".join(f"{key}: 1\n" for key in own))
    assert load_settings(path)
    assert doubtful_sections(path) == []


def test_a_misspelt_section_is_not_missing_as_well(small: str) -> None:
    (line,) = problems(small.replace("model:", "modle:"))
    assert line.startswith("params.yaml:7: modle: did you mean the section model?")


def test_a_misspelt_key_is_not_missing_as_well(small: str) -> None:
    assert problems(small.replace("target", "targte")) == [
        "params.yaml:4: data.targte: unknown key, did you mean target?"
    ]


def test_an_unknown_key_lists_the_known_ones(small: str) -> None:
    (line,) = problems(small + "deploy: {x: 1}\n")
    assert line == (
        "params.yaml:8: deploy.x: unknown key, "
        "the keys here are environment, confirm_seconds, watch_seconds"
    )


def test_a_gate_knows_the_keys_of_its_own_kind_only(small: str) -> None:
    (line,) = problems(small + "gates: {g: {metric: roc_auc, at_least: 0.5, by: sex}}\n")
    assert line.startswith("params.yaml:8: gates.g.by: unknown key, the keys here are at_least,")
    assert "new_only" not in line


def test_missing_keys_are_all_named(small: str) -> None:
    assert problems("project: p\ndata: {}\n") == [
        "params.yaml: model: is missing, expected keys and values",
        "params.yaml:2: data.source: is missing, expected text",
        "params.yaml:2: data.target: is missing, expected text",
    ]


# --- wrong values ----------------------------------------------------------------

WRONG = [
    ("project: 'a b'", "project", 'found "a b", expected text like credit-default that matches '),
    ("split: {test: 2}", "split.test", "found 2, expected a number above 0 and below 1"),
    ("split: {test: .nan}", "split.test", "found nan, expected a finite number"),
    ("split: {test: 1e999}", "split.test", "found inf, expected a finite number"),
    ("split: {after: soon}", "split.after", 'found "soon", expected a day as YYYY-MM-DD'),
    ("split: {after: 20260101}", "split.after", "found 20260101, expected a day as YYYY-MM-DD"),
    (
        "split: {after: 2026-01-01, test: 0.1}",
        "split",
        "give test (a fraction) or after (a day), not both",
    ),
    ("report: {rows: yes}", "report.rows", 'found "yes", expected true or false'),
    ("report: {transport: CML}", "report.transport", "; did you mean cml?"),
    (
        "evaluate: {bootstrap: 1.5}",
        "evaluate.bootstrap",
        "found 1.5, expected a whole number at least 100 and at most 20000",
    ),
    (
        "evaluate: {bootstrap: 99999999999999999999999999}",
        "evaluate.bootstrap",
        "found 99999999999999999999999999, expected a whole number at least 100",
    ),
    ("evaluate: {threshold: true}", "evaluate.threshold", "found true, expected a number"),
    ("evaluate: {metrics: roc_auc}", "evaluate.metrics", '; write ["roc_auc"]'),
    ("evaluate: {metrics: [roc]}", "evaluate.metrics[0]", 'found "roc", expected one of roc_auc,'),
    ("fairness: {bins: {age: [1]}}", "fairness.bins.age", "expected a list of at least 2 values"),
    ("explain: {budget_seconds: 0}", "explain.budget_seconds", "expected a number above 0"),
    ("gates:", "gates", "found nothing, expected keys and values; write {} or leave the key out"),
    ("waivers:", "waivers", "found nothing, expected a list; write [] or leave the key out"),
    ("gates: {g: 3}", "gates.g", "names what it judges: slice, metric, fairness,"),
    (
        "gates: {g: {slices: purpose, metric: roc_auc, at_least: 0.7}}",
        "gates.g.slices",
        "unknown key, did you mean slice?",
    ),
    ("gates: {g: {latency: 10, at_most: 1}}", "gates.g.latency", "expected one of 1, 1000"),
    ("gates: {g: {latency: 1, at_most: 0}}", "gates.g.at_most", "expected a number above 0"),
    (
        "gates: {g: {data: drft, at_most: 0.1}}",
        "gates.g.data",
        "expected one of rows, missing, drift, leak; did you mean drift?",
    ),
    ("gates: {g: {data: rows, column: x, at_least: 1}}", "gates.g", "leave out column"),
    ("gates: {g: {data: leak, at_least: 0.1}}", "gates.g", "limited from above: use at_most"),
    ("gates: {g: {metrc: f1}}", "gates.g", 'found "metrc", did you mean metric?'),
    (
        "gates: {auc-floor: {metric: roc_auc, at_least: '0.75'}}",
        "gates.auc-floor.at_least",
        'found "0.75", expected a number; write it without quotes',
    ),
    (
        "gates: {g: {metric: roc_auc, at_least: 0, at_most: 1}}",
        "gates.g",
        "give exactly one of at_least, at_most, no_worse_than_baseline_by; found at_least, at_most",
    ),
    ("gates: {g: {metric: roc_auc}}", "gates.g", "found none"),
    (
        "gates: {g: {fairness: equalized_odds_difference, by: sex, at_least: 0.1}}",
        "gates.g",
        "a gap is limited from above: use at_most",
    ),
    (
        "gates: {g: {fairness: equalised_odds_difference, by: sex, at_most: 0.1}}",
        "gates.g.fairness",
        "; did you mean equalized_odds_difference?",
    ),
    ("gates: {g: {check: data, new_only: no}}", "gates.g.new_only", "expected true or false"),
    ("gates: {'a.b c': {check: dat}}", 'gates."a.b c".check', "did you mean data?"),
    (
        "waivers: [{gate: g, reason: '', owner: o, expires: 2026-01-01}]",
        "waivers[0].reason",
        'found "", expected text that is not empty',
    ),
    ("promotion: {accept: [{commit: 1}]}", "promotion.accept[0].commit", "; write it in quotes"),
]


@pytest.mark.parametrize(("text", "key", "said"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(
    small: str, text: str, key: str, said: str
) -> None:
    whole = small.replace("project: p", text) if text.startswith("project") else small + text + "\n"
    line = 1 if text.startswith("project") else 8
    found = [problem for problem in problems(whole) if f": {key}: " in problem]
    assert len(found) == 1, problems(whole)
    assert found[0].startswith(f"params.yaml:{line}: {key}: ")
    assert said in found[0]


def test_a_value_that_fits_no_branch_is_named_once(small: str) -> None:
    assert problems(small.replace("positive: 1", "positive: [1]")) == [
        "params.yaml:5: data.positive: found [1], expected text or a number or true or false"
    ]
    assert problems(small.replace("B}", "B, class_weight: {0: 1, 1: x}}")) == [
        'params.yaml:7: model.class_weight.1: found "x", expected a number'
    ]
    assert problems(small.replace("B}", "B, class_weight: balancd}")) == [
        'params.yaml:7: model.class_weight: found "balancd", expected balanced or keys and values; '
        "did you mean balanced?"
    ]


def test_all_problems_are_named_in_the_order_of_the_lines(small: str) -> None:
    text = small.replace("positive: 1", "positive: 1\n  postive: 2") + (
        "gates:\n  a: {metric: roc_auc, at_lest: 1}\n  b: {check: nothing}\nexplain: {rows: 1}\n"
    )
    lines = problems(text)
    assert [line.split(": ")[:2] for line in lines] == [
        ["params.yaml:6", "data.postive"],
        ["params.yaml:10", "gates.a.at_lest"],
        ["params.yaml:11", "gates.b.check"],
        ["params.yaml:12", "explain.rows"],
    ]


def test_numbers_that_json_has_not_are_refused_inside_free_parameters(small: str) -> None:
    text = small.replace("B}", "B, params: {x: .nan, y: [1, {z: -.inf}]}}")
    assert problems(text) == [
        "params.yaml:7: model.params.x: found nan, expected a finite number",
        "params.yaml:7: model.params.y[1].z: found -inf, expected a finite number",
    ]


def test_long_and_hostile_values_are_shown_short_and_escaped(small: str) -> None:
    hostile = small.replace("positive: 1", 'positive: ["\\e[31m\\u202e' + "a" * 500 + '"]')
    (line,) = problems(hostile)
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert len(line) < 200
    (line,) = problems(small + 'deploy: {"\\e[2J": 1}\n')
    assert '"\\u001b[2J"' in line


@pytest.mark.parametrize("given", ['noun: "\\ud800"', 'noun: n, "\\ud800": 1'])
def test_half_a_character_is_refused(small: str, given: str) -> None:
    lines = problems(small.replace("positive: 1", "positive: 1\n  " + given.replace(", ", "\n  ")))
    assert any("half a character" in line for line in lines), lines


def test_two_keys_that_read_the_same_are_refused(small: str) -> None:
    (line,) = problems(small.replace("B}", "B, class_weight: {0: 1, 1: 1, '1': 3}}"))
    assert line == 'params.yaml:7: model.class_weight: the key "1" is given twice'


# --- no YAML ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "params.yaml: the file is empty"),
        ("# nothing\n", "params.yaml: the file is empty"),
        ("- 1\n", "params.yaml: found [1], expected sections"),
        ("word", 'params.yaml: found "word", expected sections'),
        ("a: [1\nb: 2", "params.yaml:2:2: this is not YAML: while parsing a flow sequence"),
        ("a: b: c", "params.yaml:1:5: this is not YAML: mapping values are not allowed here"),
        ("\ta: 1", "params.yaml:1:1: this is not YAML: "),
        ("a: 1\n---\nb: 2", "params.yaml:2:1: this is not YAML: expected a single document"),
        ("a: *x", "params.yaml:1:4: this is not YAML: found undefined alias"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 'params.yaml:4:3: the key "c" is given twice'),
        ("a: 1\nb: \x00", "params.yaml:2:4: found a control character"),
        ("a: 2026-13-45", 'params.yaml:1:4: found "2026-13-45", which is no number or date'),
        (f"a: {'9' * 5000}", 'params.yaml:1:4: found "9999'),
        ("a: !!python/object/apply:os.system ['x']", "params.yaml:1:4: "),
        (f"a: 0x{'f' * 5000}", 'params.yaml:1:4: found "0xffff'),
        ("a: !!bool x", 'params.yaml:1:4: found "x", which is no number'),
        (f"%YAML {'9' * 5000}.1\n---\na: 1", "params.yaml: it holds something that no settings"),
        ("{[a, {b: c}]: d}", "params.yaml: it holds something that no settings hold: unhashable"),
        (f"a: {'x' * 262_142}", "params.yaml: it has 262,145 characters, at most 262,144 are"),
        ("a: " + "[" * 3000, "params.yaml: its lists and mappings are nested too deep"),
    ],
)
def test_bad_yaml_is_named_with_line_and_column(text: str, said: str) -> None:
    (line,) = problems(text)
    assert line.startswith(said)


def test_a_value_that_holds_itself_is_refused(small: str) -> None:
    (line,) = problems(small.replace("positive: 1", "positive: &a [*a]"))
    assert line.startswith("params.yaml:2: data: refers to itself")


def test_an_alias_bomb_is_refused_at_once(small: str) -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    (line,) = problems(bomb + small.replace("positive: 1", "positive: *a11"))
    assert line == "params.yaml:14: data: holds more than 100000 values"


def test_a_merge_bomb_is_refused_at_once(small: str) -> None:
    bomb = "a0: &a0 {k: 1, l: 2}\n" + "".join(
        f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 30)
    )
    (line,) = problems(bomb + small)
    assert line == "params.yaml:5:5: << merges more than 100,000 keys"


# --- the file --------------------------------------------------------------------


def fails(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert caught.value.hint
    return caught.value


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    error = fails(tmp_path / "params.yaml")
    assert error.message == f"{tmp_path}/params.yaml: there is no such file"
    assert "mergeline init --data FILE" in error.hint


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    assert "cannot be read" in fails(tmp_path).message


def test_bytes_that_are_no_utf8_are_named(tmp_path: Path, small: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(small.encode() + b"note: caf\xe9\n")
    assert fails(path).message == f"{path}:8: byte 0xe9 is not UTF-8 text"


def test_a_byte_order_mark_is_no_problem(tmp_path: Path, small: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + small.encode())
    assert isinstance(load_settings(path), Settings)


def test_a_file_below_the_current_folder_is_named_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fails(tmp_path / "sub" / "params.yaml").message.startswith("sub/params.yaml: ")
    assert fails(Path("params.yaml")).message.startswith("params.yaml: ")


def test_reading_settings_needs_no_heavy_library() -> None:
    code = (
        "import sys, mergeline.config.load, mergeline.config.schema;"
        "print([m for m in ('pandas', 'numpy', 'sklearn', 'mlflow', 'dvc') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
