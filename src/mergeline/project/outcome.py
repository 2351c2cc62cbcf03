"""What is predicted: the task that a target's values tell, and what chance alone gets."""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import did_you_mean, shown
from mergeline.core.task import Task
from mergeline.errors import ContractError, UsageError
from mergeline.model.table import label_texts, listed
from mergeline.project.classes import Positive, guess_positive, guess_threshold

if TYPE_CHECKING:
    import pandas as pd

_TWO = 2
# More texts than this are names or ids rather than classes.
_MOST_TEXTS = 20
# More whole numbers than this are counts or amounts rather than grades.
_MOST_WHOLE = 10
_MOST_LISTED = 5


@dataclass(frozen=True)
class Outcome:
    """What is predicted, as far as the table tells.

    Attributes:
        why: Why this task.
        positive: The class taken for the positive one; binary only.
        threshold: From which score on a row is predicted positive; binary only.
        classes: How many; 0 for regression.
        median: Of the target; regression only.
        spread: How far its values are from the median on average, in its own units: the mean
            absolute error of always predicting the median, which no constant has less of.
    """

    task: Task
    why: str
    positive: Positive | None = None
    threshold: float | None = None
    classes: int = 0
    median: float = 0.0
    spread: float = 0.0


def find_outcome(frame: "pd.DataFrame", target: str, path: str, task: Task | None) -> Outcome:
    """Return what is predicted, and how.

    Args:
        frame: The table.
        target: The column to predict.
        path: Of the table, for messages.
        task: Given, or guessed from the target's values.

    Raises:
        UsageError: There is no such column.
        ContractError: It has missing values, one value only, or does not fit the task.
    """
    column = _column(frame, target, path)
    texts = sorted(set(label_texts(column).tolist()))
    if len(texts) < _TWO:
        raise ContractError(
            f"the target {shown(target)} has one class only in {path}: {shown(texts[0])}"
            if texts
            else f"the target {shown(target)} has no rows in {path}",
            hint="give a table in which the outcome differs",
        )
    if task is None:
        task, why = _guessed(column, texts)
    else:
        why = f"--task {task}"
        _require_fit(column, texts, task)
    match task:
        case "binary":
            positive = guess_positive(column)
            threshold = guess_threshold(column, positive.value)
            return Outcome(task, why, positive, threshold, classes=_TWO)
        case "multiclass":
            return Outcome(task, why, classes=len(texts))
        case "regression":
            values = column.astype("float64")
            middle = float(values.median())
            spread = float((values - middle).abs().mean())
            return Outcome(task, why, median=middle, spread=spread)


def _column(frame: "pd.DataFrame", target: str, path: str) -> "pd.Series[Any]":
    names = [str(name) for name in frame.columns]
    if target not in names:
        meant = did_you_mean(target, names)
        raise UsageError(
            f"--target {shown(target)} is not a column of {path}"
            + (f"; did you mean {shown(meant)}?" if meant else ""),
            hint=f"the columns are: {listed([shown(name) for name in names])}",
        )
    column = frame[target]
    missing = int(column.isna().sum())
    if missing:
        raise ContractError(
            f"the target {shown(target)} is missing in {missing} of {len(column)} rows of {path}",
            hint="remove these rows, or fill in the outcome",
        )
    return column


# --- the task --------------------------------------------------------------------------


def _guessed(column: "pd.Series[Any]", texts: list[str]) -> tuple[Task, str]:
    """Return the task that the values tell, and why."""
    count = len(texts)
    if count == _TWO:
        return "binary", f"two values: {_some(texts)}"
    if not _is_number(column):
        if count > _MOST_TEXTS:
            raise _too_many(column, texts)
        return "multiclass", f"{count} texts: {_some(texts)}"
    if count <= _MOST_WHOLE and all(text.lstrip("-").isdecimal() for text in texts):
        return "multiclass", f"{count} whole numbers; a number to come near to is a regression"
    return "regression", f"{count:,} different numbers"


def _require_fit(column: "pd.Series[Any]", texts: list[str], task: Task) -> None:
    """Refuse a task that the target's values do not allow."""
    held = f"the target {shown(str(column.name))} has {len(texts):,} values ({_some(texts)})"
    if task == "binary" and len(texts) != _TWO:
        raise ContractError(
            f"{held}, and --task binary is for two",
            hint="give --task multiclass, or make a column of two classes of it",
        )
    if task == "regression" and not _is_number(column):
        raise ContractError(
            f"{held}, which are no numbers, and --task regression predicts one",
            hint="give --task multiclass, or a column of numbers",
        )


def _too_many(column: "pd.Series[Any]", texts: list[str]) -> ContractError:
    import pandas as pd

    name = shown(str(column.name))
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").notna()
    if numbers.sum() > len(texts) / 2:
        others = [text for text, number in zip(texts, numbers, strict=True) if not number]
        return ContractError(
            f"the target {name} holds numbers, and texts that are none: {_some(others)}",
            hint="remove these rows, or fill in the number",
        )
    return ContractError(
        f"the target {name} has {len(texts):,} different texts ({_some(texts)}): more than "
        f"{_MOST_TEXTS} look like names rather than classes",
        hint="check --target; if these are the classes to predict, add --task multiclass",
    )


def _is_number(column: "pd.Series[Any]") -> bool:
    from pandas.api import types

    return types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)


def _some(texts: list[str]) -> str:
    return listed([shown(text) for text in texts], _MOST_LISTED)


# --- what chance gets ------------------------------------------------------------------


def rounded_up(value: float, digits: int) -> float:
    """Return a positive number rounded up to so many digits: 8,421.7 to two is 8,500."""
    step = 10.0 ** (floor(log10(value)) - digits + 1)
    found = ceil(value / step - 1e-9) * step
    return float(f"{found:.{digits}g}")
