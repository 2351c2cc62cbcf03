"""What is predicted: guessed from the values of the target, or given."""

import pandas as pd
import pytest

from mergeline.core.task import Task
from mergeline.errors import ContractError, UsageError
from mergeline.project.outcome import Outcome, find_outcome, rounded_up


def found(values: list[object], task: Task | None = None) -> Outcome:
    return find_outcome(pd.DataFrame({"y": values}), "y", "t.csv", task)


@pytest.mark.parametrize(
    ("values", "task", "why"),
    [
        ([0, 1, 1], "binary", 'two values: "0", "1"'),
        (["a", "b", "a"], "binary", 'two values: "a", "b"'),
        ([True, False, True], "binary", 'two values: "false", "true"'),
        ([1.5, 2.5, 1.5], "binary", 'two values: "1.5", "2.5"'),
        (["a", "b", "c"], "multiclass", '3 texts: "a", "b", "c"'),
        ([f"class {number}" for number in range(20)], "multiclass", "20 texts"),
        ([1, 2, 3, 1], "multiclass", "3 whole numbers"),
        ([1.0, 2.0, -3.0], "multiclass", "3 whole numbers"),
        (list(range(10)), "multiclass", "10 whole numbers"),
        (list(range(11)), "regression", "11 different numbers"),
        ([1.5, 2.5, 3.25], "regression", "3 different numbers"),
        ([number / 7 for number in range(2_000)], "regression", "2,000 different numbers"),
    ],
)
def test_the_task_is_guessed_and_says_why(values: list[object], task: Task, why: str) -> None:
    outcome = found(values)
    assert outcome.task == task
    assert outcome.why.startswith(why)
    assert (outcome.positive is not None) == (outcome.threshold is not None) == (task == "binary")


def test_a_task_may_be_given() -> None:
    grades: list[object] = [1, 2, 3, 4, 4, 6]
    assert found(grades).task == "multiclass"
    outcome = found(grades, "regression")
    assert (outcome.task, outcome.why) == ("regression", "--task regression")
    assert (outcome.median, outcome.spread) == (3.5, pytest.approx(8 / 6))
    names: list[object] = [f"n{number}" for number in range(30)]
    assert found(names, "multiclass").classes == 30


@pytest.mark.parametrize(
    ("values", "task", "said"),
    [
        ([0, 1, None], None, "is missing in 1 of 3 rows"),
        (["a", "a", "a"], None, 'one class only in t.csv: "a"'),
        ([7.5, 7.5], "regression", 'one class only in t.csv: "7.5"'),
        ([], None, "has no rows"),
        (["a", "b", "c"], "binary", "--task binary is for two"),
        (["a", "b", "c"], "regression", "which are no numbers"),
        ([f"n{number}" for number in range(21)], None, "21 different texts"),
        ([*map(str, range(30)), "N/A"], None, 'texts that are none: "N/A"'),
        (["\x1b[31m", "b", "c"], "binary", "u001b"),
    ],
)
def test_a_target_that_cannot_be_learned(
    values: list[object], task: Task | None, said: str
) -> None:
    with pytest.raises(ContractError) as caught:
        found(values, task)
    assert said in caught.value.message
    assert caught.value.message.isprintable()


def test_a_target_that_is_no_column() -> None:
    with pytest.raises(UsageError, match='did you mean "income"'):
        find_outcome(pd.DataFrame({"income": [0, 1]}), "incom", "t.csv", None)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (8_421.7, 3, 8_430.0),
        (8_430.0, 3, 8_430.0),
        (1 / 3, 2, 0.34),
        (0.25, 2, 0.25),
        (999.9, 2, 1_000.0),
        (1.234e-6, 3, 1.24e-6),
        (8_421_700.0, 2, 8_500_000.0),
    ],
)
def test_limits_are_rounded_up(value: float, digits: int, expected: float) -> None:
    assert rounded_up(value, digits) == expected
    assert rounded_up(value, digits) >= value
