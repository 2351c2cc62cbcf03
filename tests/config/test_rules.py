import pytest

from mergeline.config.load import parse_settings
from mergeline.config.rules import disagreements
from mergeline.errors import ConfigError


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, origin="p")
    lines = caught.value.message.splitlines()
    return lines[1:] if len(lines) > 1 else lines


def test_the_example_agrees_with_itself(example: str) -> None:
    assert disagreements(parse_settings(example, origin="p")) == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a.csv", "a/../../b.csv", "C:/a.csv", "a\\b.csv", "", ".", "C:a"]
)
def test_paths_stay_inside_the_project(small: str, path: str) -> None:
    lines = problems(small.replace("data/a.csv", f"'{path}'\n  contract: '{path}'"))
    assert [line.split(": ")[1] for line in lines] == ["data.source", "data.contract"]
    assert all("expected a path relative to params.yaml" in line for line in lines)


@pytest.mark.parametrize("path", ["a.csv", "./a.csv", "data/x y.csv", "..a/b..csv"])
def test_other_paths_are_fine(small: str, path: str) -> None:
    assert parse_settings(small.replace("data/a.csv", path), origin="p")


def test_an_encoding_must_exist(small: str) -> None:
    assert problems(small.replace("y\n", "y\n  encoding: utf-99\n", 1)) == [
        'p:5: data.encoding: found "utf-99", expected an encoding such as utf-8 or latin-1'
    ]


def test_a_sign_in_numbers_means_one_thing(small: str) -> None:
    for both in ("thousands: ','\n  decimal: ','", "thousands: '.'"):
        (line,) = problems(small.replace("y\n", f"y\n  {both}\n", 1))
        assert "data.thousands: found" in line
        assert "which is data.decimal too" in line
    good = small.replace("y\n", "y\n  thousands: '.'\n  decimal: ','\n", 1)
    assert parse_settings(good, origin="p").data.thousands == "."


@pytest.mark.parametrize("role", ["id", "group", "time"])
def test_a_column_has_one_role(small: str, role: str) -> None:
    assert problems(small.replace("y\n", f"y\n  {role}: y\n", 1)) == [
        f'p:5: data.{role}: found "y", which is the target already'
    ]


def test_the_target_is_neither_sensitive_nor_excluded(small: str) -> None:
    assert problems(small.replace("[sex, age]", "[sex, y]\n  exclude: [y]")) == [
        'p:6: data.sensitive[1]: found "y", which is the target; leave it out here',
        'p:7: data.exclude[0]: found "y", which is the target; leave it out here',
    ]


def test_a_sensitive_column_may_be_kept_from_the_model(small: str) -> None:
    assert parse_settings(small.replace("age]\n", "age]\n  exclude: [sex, age]\n"), origin="p")


def test_a_split_by_time_needs_a_time(small: str) -> None:
    text = small + "split: {after: 2026-01-01}\n"
    assert problems(text) == [
        "p:8: split.after: a split by time needs data.time, the column that holds the time"
    ]
    assert parse_settings(text.replace("y\n", "y\n  time: t\n", 1), origin="p")


def test_lists_hold_a_value_once(small: str) -> None:
    text = small.replace("[sex, age]", "[sex, sex]\n  exclude: [a, b, a]") + (
        "evaluate: {metrics: [f1, f1], slices: [x, x]}\n"
        "fairness: {metrics: [selection_rate, selection_rate]}\n"
    )
    assert [line.split(": ", 1)[1] for line in problems(text)] == [
        'data.sensitive[1]: "sex" is given twice',
        'data.exclude[2]: "a" is given twice',
        'evaluate.metrics[1]: "f1" is given twice',
        'evaluate.slices[1]: "x" is given twice',
        'fairness.metrics[1]: "selection_rate" is given twice',
    ]


def test_bins_increase(small: str) -> None:
    assert problems(small + "fairness: {bins: {age: [1, 3, 3], sex: [1, 2]}}\n") == [
        "p:8: fairness.bins.age: found 3 before 3, expected edges that increase"
    ]


def test_bins_are_of_sensitive_columns(small: str) -> None:
    assert problems(small + "fairness: {bins: {aeg: [1, 3], zzz: [1, 2]}}\n") == [
        'p:8: fairness.bins.aeg: "aeg" is not in data.sensitive; did you mean age?',
        'p:8: fairness.bins.zzz: "zzz" is not in data.sensitive',
    ]


def test_a_sensitive_column_is_not_named_as_an_intersection(small: str) -> None:
    text = small.replace("[sex, age]", "[sex, age, sex & age]")
    assert problems(text) == [
        'p:6: data.sensitive[2]: found "sex & age", expected a name without " & ", which joins '
        "columns; rename the column"
    ]
    assert parse_settings(small.replace("[sex, age]", "[R&D]"), origin="p")


# --- class_weight ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("positive", "weights"),
    [("1", "{0: 1, 1: 5}"), ("'yes'", "{'no': 1, 'yes': 2}"), ("true", "{true: 2, false: 1}")],
)
def test_weights_name_both_classes(small: str, positive: str, weights: str) -> None:
    text = small.replace("positive: 1", f"positive: {positive}")
    assert parse_settings(text.replace("B}", f"B, class_weight: {weights}}}"), origin="p")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("{0: 1, 2: 5}", 'found weights for 0, 2, expected one for each of the two classes; the '
         'positive one is "1"'),
        ("{1: 5}", "found weights for 1, expected one for each of the two classes"),
        ("{}", "found weights for no class, expected one for each"),
        ("{0: 1, 1: 5, 2: 3}", "found weights for 0, 1, 2, expected one for each"),
        ("{0: 0, 1: 5}", "found 0, expected a number above 0"),
        ("{0: -1, 1: 5}", "found -1, expected a number above 0"),
        ("{0.0: 1, 1: 5}", 'found "0.0", write 0, as this class is called'),
    ],
)  # fmt: skip
def test_other_weights_are_refused(small: str, weights: str, said: str) -> None:
    (line,) = problems(small.replace("B}", f"B, class_weight: {weights}}}"))
    assert line.startswith("p:7: model.class_weight")
    assert said in line


# --- gates and waivers -----------------------------------------------------------


def gate(small: str, body: str) -> list[str]:
    return [line.split(": ", 1)[1] for line in problems(f"{small}gates: {{g: {{{body}}}}}\n")]


def test_a_metric_gate_is_on_a_metric_that_is_measured(small: str) -> None:
    assert gate(small, "metric: f1, at_least: 0.5") == [
        'gates.g.metric: found "f1", which is not measured; add it to evaluate.metrics'
    ]
    assert gate(small, "metric: roc_acu, at_least: 75") == [
        'gates.g.metric: found "roc_acu", which is not measured; did you mean roc_auc?'
    ]
    assert gate(small, "metric: zzz, at_least: 0.5") == [
        'gates.g.metric: found "zzz", which is not measured, '
        "expected one of roc_auc, average_precision, brier_score"
    ]


@pytest.mark.parametrize("by", ["age & sex", "sex&age", "age&sex", " sex & age"])
def test_an_intersection_has_one_spelling(small: str, by: str) -> None:
    body = f"fairness: equalized_odds_difference, by: '{by}', at_most: 0.1"
    (line,) = gate(small, body)
    assert line.endswith('; write "sex & age", the columns in the order of data.sensitive')


def test_a_fairness_gate_is_by_a_sensitive_column(small: str) -> None:
    body = "fairness: equalized_odds_difference, by: sxe, at_most: 0.1"
    assert gate(small, body) == [
        'gates.g.by: found "sxe", which is not in data.sensitive; did you mean sex?'
    ]
    assert gate(small, body.replace("sxe", "colour")) == [
        'gates.g.by: found "colour", expected one of "sex", "age", "sex & age"'
    ]
    assert gate(small.replace("[sex, age]", "[]"), body) == [
        'gates.g.by: found "sxe", but data.sensitive names no column'
    ]


def test_intersections_are_pairs_and_all_three(small: str) -> None:
    three = small.replace("[sex, age]", "[a, b, c]")
    body = "fairness: equalized_odds_difference, at_most: 0.1, by: "
    for by in ("a", "a & c", "a & b & c"):
        assert parse_settings(f"{three}gates: {{g: {{{body}{by}}}}}\n", origin="p")
    four = small.replace("[sex, age]", "[a, b, c, d]")
    (line,) = gate(four, body + "a & b & c")
    assert "expected one of" in line


@pytest.mark.parametrize("body", ["at_least: 75", "at_most: -0.1", "no_worse_than_baseline_by: 2"])
def test_a_limit_lies_where_its_metric_does(small: str, body: str) -> None:
    (line,) = gate(small, f"metric: roc_auc, {body}")
    assert line.endswith("but roc_auc lies between 0 and 1")


def test_log_loss_has_no_upper_end(small: str) -> None:
    text = small + "evaluate: {primary: log_loss}\ngates: {g: {metric: log_loss, at_most: 1.5}}\n"
    assert parse_settings(text, origin="p")


def test_a_waiver_names_a_gate(small: str) -> None:
    waiver = "waivers: [{gate: auc-flor, reason: r, owner: o, expires: 2027-01-01}]\n"
    gates = "gates: {auc-floor: {metric: roc_auc, at_least: 0.7}, other: {check: data}}\n"
    assert problems(small + waiver + gates) == [
        'p:8: waivers[0].gate: found "auc-flor", which is not a gate; did you mean auc-floor?'
    ]
    assert problems(small + waiver) == [
        'p:8: waivers[0].gate: found "auc-flor", which is not a gate; the gates are: none'
    ]
    assert problems(small + waiver.replace("auc-flor", "zzz") + gates) == [
        'p:8: waivers[0].gate: found "zzz", which is not a gate; the gates are: auc-floor, other'
    ]


def test_disagreements_are_named_all_at_once(small: str) -> None:
    text = small.replace("data/a.csv", "/a.csv") + (
        "split: {after: 2026-01-01}\ngates: {g: {metric: f1, at_least: 7}}\n"
    )
    assert [line.split(": ")[1] for line in problems(text)] == [
        "data.source",
        "split.after",
        "gates.g.at_least",
        "gates.g.metric",
    ]


# --- the task --------------------------------------------------------------------


def of_task(small: str, task: str, more: str) -> str:
    return small.replace("  positive: 1\n", f"  task: {task}\n") + more


@pytest.mark.parametrize(
    ("task", "more", "said"),
    [
        (
            "multiclass",
            "evaluate: {primary: roc_auc}",
            'evaluate.primary: found "roc_auc", which is not for data.task multiclass; '
            "did you mean roc_auc_ovr?",
        ),
        (
            "multiclass",
            "evaluate: {metrics: [accuracy, f1]}",
            'evaluate.metrics[1]: found "f1", which is not for data.task multiclass; '
            "did you mean f1_macro?",
        ),
        (
            "regression",
            "evaluate: {metrics: [accuracy]}",
            'evaluate.metrics[0]: found "accuracy", which is not for data.task regression; '
            "expected one of mean_absolute_error, root_mean_squared_error, "
            "median_absolute_error, r2, mean_error",
        ),
        (
            "multiclass",
            "evaluate: {threshold: 0.5}",
            "evaluate.threshold: a threshold is for two classes, and data.task is multiclass: "
            "leave it out",
        ),
        (
            "multiclass",
            "evaluate: {costs: {false_negative: 5}}",
            "evaluate.costs: costs are of being decided right or wrong by a threshold, and "
            "data.task is multiclass: leave them out",
        ),
        (
            "regression",
            "fairness: {metrics: [selection_rate]}",
            'fairness.metrics[0]: found "selection_rate", which is not for data.task regression; '
            "expected one of mean_prediction, mean_actual, mean_error, mean_absolute_error",
        ),
        (
            "regression",
            "gates: {g: {metric: roc_auc, at_least: 0.5}}",
            'gates.g.metric: found "roc_auc", which is not for data.task regression; '
            "expected one of mean_absolute_error, root_mean_squared_error, "
            "median_absolute_error, r2, mean_error",
        ),
        (
            "multiclass",
            "gates: {g: {metric: precision_macro, at_least: 0.5}}",
            'gates.g.metric: found "precision_macro", which is not measured; '
            "add it to evaluate.metrics",
        ),
        (
            "regression",
            "gates: {g: {metric: mean_eror, at_most: 5}}",
            'gates.g.metric: found "mean_eror", which is not measured; did you mean mean_error?',
        ),
        (
            "regression",
            "gates: {g: {fairness: equalized_odds_difference, by: sex, at_most: 0.1}}",
            'gates.g.fairness: found "equalized_odds_difference", which is not for data.task '
            "regression; expected one of mean_prediction_difference, mean_error_difference, "
            "mean_absolute_error_difference",
        ),
        (
            "multiclass",
            "gates: {g: {metric: accuracy, at_least: 50}}",
            "gates.g.at_least: found 50, but accuracy lies between 0 and 1",
        ),
        (
            "multiclass",
            "evaluate: {metrics: [brier_score]}\ngates: {g: {metric: brier_score, at_most: 3}}",
            "gates.g.at_most: found 3, but brier_score lies between 0 and 2",
        ),
    ],
)
def test_what_does_not_fit_the_task_is_named(small: str, task: str, more: str, said: str) -> None:
    (line,) = problems(of_task(small, task, more))
    assert line.split(": ", 1)[1] == said


def test_a_noun_is_for_two_classes(small: str) -> None:
    text = of_task(small, "multiclass", "").replace("  target: y\n", "  target: y\n  noun: x\n")
    assert problems(text) == [
        "p:5: data.noun: it is what a positive row is called, and data.task is multiclass: "
        "leave it out"
    ]


@pytest.mark.parametrize("weights", ["balanced", "{a: 1.0}"])
def test_a_number_has_no_class_weights(small: str, weights: str) -> None:
    text = of_task(small, "regression", "").replace(".B}", f".B, class_weight: {weights}}}")
    assert problems(text) == [
        "p:7: model.class_weight: it weighs classes, and data.task is regression: leave it out"
    ]


def test_several_classes_may_each_have_a_weight(small: str) -> None:
    text = of_task(small, "multiclass", "").replace(".B}", ".B, class_weight: {a: 1, b: 2, c: 3}}")
    assert parse_settings(text, origin="p").model.class_weight == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("multiclass", "gates: {g: {metric: log_loss, at_most: 3}}"),
        ("multiclass", "gates: {g: {fairness: accuracy_difference, by: sex, at_most: 0.1}}"),
        ("regression", "gates: {g: {metric: mean_error, at_least: -500}}"),
        ("regression", "gates: {g: {fairness: mean_error_difference, by: sex, at_most: 900}}"),
        ("regression", "evaluate: {primary: r2}"),
    ],
)
def test_what_fits_the_task_is_fine(small: str, task: str, more: str) -> None:
    assert parse_settings(of_task(small, task, more), origin="p")


@pytest.mark.parametrize(
    ("task", "constraint", "said"),
    [
        ("multiclass", "equalized_odds", "no mitigation is known for data.task multiclass"),
        ("regression", "equalized_odds", "data.task regression; expected one of bounded_group"),
        ("binary", "bounded_group_loss", "is not for data.task binary; expected one of demogra"),
    ],
)
def test_a_mitigation_fits_the_task(small: str, task: str, constraint: str, said: str) -> None:
    more = f"fairness: {{mitigation: {{constraint: {constraint}, by: sex}}}}"
    (line,) = problems(small + more if task == "binary" else of_task(small, task, more))
    assert said in line


def test_a_mitigation_is_for_the_threshold_that_decides(small: str) -> None:
    held = "constraint: demographic_parity, by: sex"
    more = f"fairness: {{mitigation: {{{held}}}}}\nevaluate: {{threshold: 0.2}}\n"
    (line,) = problems(small + more)
    assert "fairness.mitigation.threshold: found 0.5, and evaluate.threshold is 0.2" in line
    assert line.endswith("write 0.2")
    assert parse_settings(small + more.replace("by: sex", "by: sex, threshold: 0.2"), origin="p")


def test_a_mitigation_is_by_a_sensitive_column(small: str) -> None:
    more = "fairness: {mitigation: {constraint: demographic_parity, by: sexx}}"
    assert problems(small + more) == [
        'p:8: fairness.mitigation.by: "sexx" is not in data.sensitive; did you mean sex?'
    ]


# --- a model that was trained elsewhere --------------------------------------------


def of_file(small: str, more: str = "", path: str = "models/net.onnx") -> str:
    assert "{estimator: a.B}" in small
    return small.replace("{estimator: a.B}", f'{{onnx: "{path}"{more}}}')


def test_a_file_is_a_model(small: str) -> None:
    assert parse_settings(of_file(small), origin="p").model.origin == "onnx models/net.onnx"


@pytest.mark.parametrize("path", ["../net.onnx", "/net.onnx", "a/../../net.onnx", "C:/net.onnx"])
def test_a_file_lies_in_the_project(small: str, path: str) -> None:
    (line,) = problems(of_file(small, path=path))
    assert "model.onnx: found" in line
    assert "stays inside the project" in line


@pytest.mark.parametrize(
    ("more", "outside", "key"),
    [
        (", params: {C: 1}", "", "model.params"),
        (", class_weight: balanced", "", "model.class_weight"),
        (
            "",
            "fairness: {mitigation: {constraint: demographic_parity, by: sex}}",
            "fairness.mitigation",
        ),
    ],
)
def test_what_only_training_uses_is_refused_with_a_file(
    small: str, more: str, outside: str, key: str
) -> None:
    (line,) = problems(of_file(small, more) + outside)
    assert f"{key}: it is for training, and model.onnx is trained already" in line


def test_a_model_is_made_in_one_way(small: str) -> None:
    (line,) = problems(of_file(small, ", factory: own.models:make"))
    assert "give exactly one of estimator, factory and onnx" in line


# --- gates on slices and on the data ---------------------------------------------


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (
            "{slice: prpose, metric: roc_auc, at_least: 0.7}",
            'slice: found "prpose", which is not in evaluate.slices; did you mean purpose?',
        ),
        (
            "{slice: region, metric: roc_auc, at_least: 0.7}",
            'slice: found "region", which is not in evaluate.slices; add it there',
        ),
        (
            "{slice: purpose, metric: f1, at_least: 0.7}",
            'metric: found "f1", which is not measured; add it to evaluate.metrics',
        ),
        (
            "{slice: purpose, metric: roc_auc, at_least: 7}",
            "at_least: found 7, but roc_auc lies between 0 and 1",
        ),
        ("{data: missing, at_most: 10}", "at_most: found 10, but missing lies between 0 and 1"),
        (
            "{data: leak, no_worse_than_baseline_by: 2}",
            "no_worse_than_baseline_by: found 2, but leak lies between 0 and 1",
        ),
        (
            "{data: leak, column: y, at_most: 0.5}",
            'column: found "y", which is the target; name another column',
        ),
    ],
)
def test_gates_on_slices_and_data_fit_the_settings(small: str, gate: str, said: str) -> None:
    text = f"{small}evaluate: {{slices: [purpose]}}\ngates: {{g: {gate}}}\n"
    assert problems(text) == [f"p:9: gates.g.{said}"]


@pytest.mark.parametrize(
    "gate",
    [
        "{slice: purpose, metric: roc_auc, at_least: 0.7, value: car}",
        "{data: rows, no_worse_than_baseline_by: 500}",
        "{data: missing, column: y, at_most: 0}",
        "{data: drift, at_most: 1}",
        "{latency: 1, at_most: 2000}",
        "{size: model, at_most: 5000000}",
    ],
)
def test_other_gates_on_slices_and_data_are_fine(small: str, gate: str) -> None:
    text = f"{small}evaluate: {{slices: [purpose]}}\ngates: {{g: {gate}}}\n"
    assert parse_settings(text, origin="p")
