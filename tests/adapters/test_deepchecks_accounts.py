"""What became of each check: nothing that did not run may look like a pass."""

import pytest

from mergeline.adapters.deepchecks_accounts import (
    RawCondition,
    RawError,
    RawResult,
    RawSuite,
    account_for,
    clean,
)


def condition(category="PASS", details="fine", name="is good"):
    return RawCondition(name=name, category=category, details=details)


def result(check="MixedNulls", header="Mixed Nulls", **changes):
    fields = {
        "limit": None,
        "error": None,
        "conditions": (condition(),),
        "holds_nan": False,
        "unmeasured": (),
        "variants": None,
    }
    return RawResult(check=check, header=header, **(fields | changes))


def error(kind, text, place=""):
    return RawError(kind=kind, text=text, place=place)


def accounts(*results, expected=(), rows=None, left_out=None):
    suite = RawSuite(
        name="suite",
        expected=tuple(expected) or tuple(dict.fromkeys(item.check for item in results)),
        rows=rows or {"train": 100},
        results=results,
        seconds=1.0,
    )
    return account_for(suite, left_out or {})


def only(*results, **options):
    (check,) = accounts(*results, **options)
    return check


@pytest.mark.parametrize(
    ("categories", "outcome"),
    [
        ((), "passed"),
        (("PASS", "PASS"), "passed"),
        (("PASS", "WARN"), "warned"),
        (("FAIL", "WARN"), "failed"),
        (("FAIL", "ERROR"), "did_not_run"),
    ],
)
def test_outcome_is_the_worst_condition(categories, outcome):
    check = only(result(conditions=tuple(map(condition, categories))))
    assert check.outcome == outcome
    assert (check.name, check.title) == ("suite/mixed_nulls", "Mixed Nulls")


def test_condition_that_broke_gives_the_reason():
    check = only(result(conditions=(condition("ERROR", "Exception in condition: KeyError"),)))
    assert check.conditions[0].outcome == "did_not_run"
    assert check.reason == "Exception in condition: KeyError"


def test_nan_never_passes():
    check = only(result(holds_nan=True, conditions=(condition("PASS", "minimum AUC is nan"),)))
    assert check.outcome == "did_not_run"
    assert check.reason == "A result is not a number. minimum AUC is nan"


def test_a_failure_with_nan_stays_a_failure():
    assert only(result(holds_nan=True, conditions=(condition("FAIL"),))).outcome == "failed"


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("DatasetValidationError", "Dataset does not contain an index", "no data.id"),
        ("DatasetValidationError", "Dataset does not contain a datetime", "no data.time"),
        ("DatasetValidationError", "Dataset does not contain an index or a datetime", "neither"),
        ("ModelValidationError", "Check is irrelevant for classification tasks", "regression"),
        ("NotEnoughSamplesError", "There are not enough samples to run", "too few rows"),
        ("DeepchecksNotSupportedError", "Check requires data to have at least two features in "
         "order to run.", "one column"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_applicable(kind, text, reason):
    check = only(result(error=error(kind, text), conditions=()))
    assert check.outcome == "not_applicable"
    assert reason in check.reason


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("DatasetValidationError", "Dataset does not contain any data"),
        ("DeepchecksTimeoutError", "Aborting check"),
        ("DeepchecksProcessError", "Out of memory"),
        ("SomethingNewError", "Dataset does not contain an index"),
    ],
)
def test_every_other_error_is_a_check_that_did_not_run(kind, text):
    check = only(result(error=error(kind, text), conditions=()))
    assert (check.outcome, check.reason) == ("did_not_run", text)


def test_crash_says_where_and_quotes_nothing():
    crash = error("ValueError", "could not convert 'Jane Doe' or \"Joe\"\nto float", "base.py:7")
    check = only(result(error=crash, conditions=()))
    assert check.reason == "ValueError in base.py:7: could not convert ... or ... to float"


def test_check_without_a_result_did_not_run():
    silent, present = accounts(result(), expected=("DataDuplicates", "MixedNulls"))
    assert (silent.name, silent.outcome) == ("suite/data_duplicates", "did_not_run")
    assert present.outcome == "passed"


def test_check_left_out_is_not_applicable_with_our_reason():
    check = only(expected=("ModelInferenceTime",), left_out={"ModelInferenceTime": "because"})
    assert (check.outcome, check.reason) == ("not_applicable", "because")
    assert check.title == "Model Inference Time"


def test_nothing_to_look_at_is_not_a_pass():
    empty = condition("PASS", "No relevant columns to check were found")
    assert only(result(conditions=(empty,))).outcome == "not_applicable"
    assert only(result(conditions=(empty, condition()))).outcome == "passed"


def test_both_sides_of_one_check_have_names_of_their_own():
    checks = accounts(
        result("RocReport", "ROC Report - Train Dataset"),
        result("RocReport", "ROC Report - Test Dataset", conditions=(condition("FAIL"),)),
        rows={"train": 10, "test": 5},
    )
    assert [(check.name, check.title, check.outcome) for check in checks] == [
        ("suite/roc_report/test", "ROC Report (test)", "failed"),
        ("suite/roc_report/train", "ROC Report (train)", "passed"),
    ]


def test_one_table_needs_no_side():
    check = only(result("RocReport", "ROC Report - Train Dataset"))
    assert (check.name, check.title) == ("suite/roc_report", "ROC Report")


@pytest.mark.parametrize(("limit", "note"), [(50, " (looked at 50 rows)"), (100, ""), (None, "")])
def test_a_sample_is_said(limit, note):
    assert only(result(limit=limit)).conditions[0].details == f"fine{note}"


def test_a_sample_is_measured_on_its_own_side():
    checks = accounts(
        result("RocReport", "ROC Report - Train Dataset", limit=50),
        result("RocReport", "ROC Report - Test Dataset", limit=50),
        rows={"train": 100, "test": 20},
    )
    assert [check.conditions[0].details for check in checks] == ["fine", "fine (looked at 50 rows)"]


def test_columns_that_could_not_be_measured_are_named():
    check = only(result(unmeasured=("late", "later")))
    assert check.conditions[0].details == "fine (too few values to measure: late, later)"


def test_variants_name_columns_and_no_values():
    details = "Found 1 out of 2 columns with variants: {'name': ['jane doe']}"
    check = only(result(variants={"name": 3, "city": 0}, conditions=(condition("WARN", details),)))
    assert check.outcome == "warned"
    assert check.conditions[0].details == (
        "2 text columns looked at; values differ only in case or signs in: name"
    )


def test_texts_are_one_short_line_in_which_values_keep_their_names():
    assert clean("of the class C/<c>\n is  low") == "of the class C/<c> is low"
    assert clean("drift < 0.2 and > 0.1") == "drift < 0.2 and > 0.1"
    long = only(result(unmeasured=("u" * 500,), conditions=(condition(details="x" * 500),)))
    assert len(long.conditions[0].details) == 300
    assert long.conditions[0].details.endswith("...)")
