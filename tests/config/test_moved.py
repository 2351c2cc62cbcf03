import pytest

from mergeline.config.load import parse_settings
from mergeline.config.moved import moved_banners
from mergeline.config.settings import Settings


def settings(text: str) -> Settings:
    return parse_settings(text, origin="p")


def moved(old: str, new: str, *, contract_changed: bool = False) -> str:
    banners = moved_banners(settings(old), settings(new), contract_changed=contract_changed)
    assert all(banner.kind == "gates-moved" for banner in banners)
    return " ".join(banner.text for banner in banners)


def test_nothing_moved_is_no_banner(example: str) -> None:
    assert moved(example, example) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("data/applications", "data/other", 'data.source from "data/applications.parquet" to '),
        ("{test: 0.2}", "{test: 0.3}", "split.test from 0.2 to 0.3"),
        (
            "age_band, age]",
            "age]",
            'data.sensitive from ["age", "age_band", "sex"] to ["age", "sex"]',
        ),
        ("min_group: 50", "min_group: 500", "fairness.min_group from 50 to 500"),
        ("[18, 30,", "[18,", "fairness.bins from "),
        (", brier_score]", "]", "evaluate.metrics from "),
        ("threshold: 0.5", "threshold: 0.4", "evaluate.threshold from 0.5 to 0.4"),
        ("contract: data/contract.yaml", "contract: null", "data.contract from "),
        ("positive: 1", "positive: 0", "data.positive from 1 to 0"),
        ("id: application_id", "id: null", 'data.id from "application_id" to nothing'),
    ],
)
def test_what_moves_a_gate_is_named(example: str, old: str, new: str, said: str) -> None:
    assert old in example
    text = moved(example, example.replace(old, new))
    assert said in text
    assert text.count(" from ") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_iter: 200", "max_iter: 300"),
        ("at_least: 0.75", "at_least: 0.7"),
        ("noun: defaulter", "noun: debtor"),
        ("[sex, age_band, age]", "[age, age_band, sex]"),
        ("split: {test: 0.2}", "split: {}"),
        ("primary: roc_auc", "primary: brier_score"),
    ],
)
def test_what_moves_no_gate_is_not(example: str, old: str, new: str) -> None:
    assert old in example
    assert moved(example, example.replace(old, new)) == ""


SLICED = "project: p\ndata: {source: a.csv, target: y, positive: 1}\nmodel: {estimator: a.B}\n"


def test_slices_that_gates_are_on_are_named_and_their_order_is_not() -> None:
    old = SLICED + "evaluate: {slices: [region, purpose]}\n"
    assert moved(old, SLICED + "evaluate: {slices: [purpose, region]}\n") == ""
    fewer = moved(old, SLICED + "evaluate: {slices: [region]}\n")
    assert 'evaluate.slices from ["purpose", "region"] to ["region"]' in fewer


def test_how_numbers_are_read_is_named() -> None:
    new = SLICED.replace("a.csv,", "a.csv, decimal: ',', thousands: '.',")
    text = moved(SLICED, new)
    assert 'data.decimal from "." to ","' in text
    assert 'data.thousands from nothing to "."' in text


def test_a_contract_of_other_bytes_is_named(example: str) -> None:
    text = moved(example, example, contract_changed=True)
    assert 'the contract in "data/contract.yaml"' in text


def test_several_are_one_banner(example: str) -> None:
    new = example.replace("threshold: 0.5", "threshold: 0.4").replace(
        "min_group: 50", "min_group: 9"
    )
    assert len(moved_banners(settings(example), settings(new))) == 1
    assert "; " in moved(example, new)


def test_another_task_moves_what_gates_measure(example: str) -> None:
    small = "project: p\ndata: {source: a.csv, target: y, task: %s}\nmodel: {estimator: a.B}\n"
    text = moved(small % "regression", small % "multiclass")
    assert 'data.task from "regression" to "multiclass"' in text
