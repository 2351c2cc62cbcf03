"""Whether the target is what the task predicts, in the table and on both sides of the split."""

from typing import TYPE_CHECKING, Any

from mergeline.config.problem import shown
from mergeline.config.settings import Data
from mergeline.core.labels import label_text
from mergeline.errors import ContractError
from mergeline.model.table import counted, is_positive, label_texts, listed, outcomes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

_TWO = 2
MOST_CLASSES = 50
# A column of more different numbers than this is a quantity rather than a code.
_MOST_CODES = 20
_MOST_LISTED = 10


def require_target(frame: "pd.DataFrame", data: Data) -> None:
    """Refuse a target that the task cannot be about.

    Raises:
        ContractError: Rows have no outcome, or there are too few or too many classes, or no
            numbers.
    """
    target = frame[data.target]
    if target.isna().any():
        raise ContractError(
            f"data.target {data.target!r} is missing in {int(target.isna().sum())} of "
            f"{len(target)} rows of {data.source}",
            hint="remove these rows, or fill in the outcome",
        )
    if data.task == "regression":
        _require_numbers(frame, data)
    elif data.task == "binary":
        _require_two(target, data)
    else:
        _require_several(target, data)


def _require_numbers(frame: "pd.DataFrame", data: Data) -> None:
    values = outcomes(frame, data, ())
    if len(values) and values.min() == values.max():
        raise ContractError(
            f"data.target {data.target!r} has one value in all {len(values)} rows of "
            f"{data.source}: there is nothing to predict",
            hint="name the column of the outcome in data.target",
        )


def _require_two(target: "pd.Series[Any]", data: Data) -> None:
    classes = sorted(set(label_texts(target).tolist()))
    _require_one_spelling(classes, data)
    if len(classes) != _TWO:
        raise ContractError(
            f"{_found(classes, data)}; exactly two are expected",
            hint=_task_for(target, classes) or "give a target with two classes, both present",
        )
    if label_text(data.positive) not in classes:
        raise ContractError(
            f"data.positive is {data.positive!r}, but data.target {data.target!r} holds "
            f"{' and '.join(map(repr, classes))}",
            hint=f"set data.positive to one of: {', '.join(classes)}",
        )


def _require_several(target: "pd.Series[Any]", data: Data) -> None:
    classes = sorted(set(label_texts(target).tolist()))
    _require_one_spelling(classes, data)
    if len(classes) <= _TWO:
        raise ContractError(
            f"{_found(classes, data)}; three or more are expected where data.task is multiclass",
            hint="for two classes set data.task: binary, and data.positive, in params.yaml",
        )
    if len(classes) > MOST_CLASSES:
        raise ContractError(
            f"{_found(classes, data)}; {MOST_CLASSES} at most are expected",
            hint=_task_for(target, classes) or "join the rare classes into one",
        )


def _require_one_spelling(classes: list[str], data: Data) -> None:
    """Refuse `Yes` besides `yes`, which are two classes only by mistake."""
    folded: dict[str, str] = {}
    for name in classes:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise ContractError(
                f"data.target {data.target!r} holds both {shown(other)} and {shown(name)} in "
                f"{data.source}, which would be two classes",
                hint="write each class in one way",
            )


def _found(classes: list[str], data: Data) -> str:
    text = f"data.target {data.target!r} has {len(classes)} "
    text += f"{'class' if len(classes) == 1 else 'classes'} in {data.source}"
    few = len(classes) <= MOST_CLASSES
    return f"{text} ({listed([*map(shown, classes)], _MOST_LISTED)})" if few else text


def _task_for(target: "pd.Series[Any]", classes: list[str]) -> str:
    """Say which task a target of that many classes is for; empty where that is not plain."""
    from pandas.api import types

    numeric = types.is_numeric_dtype(target.dtype) and not types.is_bool_dtype(target.dtype)
    if numeric and len(classes) > _MOST_CODES:
        return "to predict a number set data.task: regression in params.yaml, without positive"
    if _TWO < len(classes) <= MOST_CLASSES:
        return (
            "to predict one of several set data.task: multiclass in params.yaml, without positive"
        )
    return ""


def require_both_sides(frame: "pd.DataFrame", test: "Mask", data: Data) -> None:
    """Refuse a split that leaves a side without what training or measuring needs.

    Two classes are needed on both sides. Of several a class may be absent from the held-out
    side, where what is measured of it has no value; the training side must have every class.

    Args:
        frame: The rows of both sides.
        test: Which are held out.
        data: Names the target and the task.

    Raises:
        ContractError: Names the side and what it lacks.
    """
    hint = "give more rows, or change split.test or split.after in params.yaml"
    sides = (("training", ~test), ("held-out", test))
    if data.task == "binary":
        _require_both_classes(frame, sides, data, hint)
        return
    for side, rows in sides:
        if not rows.any():
            raise ContractError(
                f"the {side} side of the split has 0 rows of {len(frame)}", hint=hint
            )
    if data.task == "multiclass":
        _require_all_trained(frame, test, data)


def _require_both_classes(
    frame: "pd.DataFrame", sides: "tuple[tuple[str, Mask], ...]", data: Data, hint: str
) -> None:
    positive = is_positive(frame[data.target], data.positive)
    for side, rows in sides:
        count, hits = int(rows.sum()), int(positive[rows].sum())
        if hits in (0, count):
            raise ContractError(
                f"the {side} side of the split has {count} rows, {hits} of them positive; "
                "rows of both classes are needed on both sides",
                hint=hint,
            )


def _require_all_trained(frame: "pd.DataFrame", test: "Mask", data: Data) -> None:
    import numpy as np

    texts = label_texts(frame[data.target])
    unknown = ~np.isin(texts, texts[~test])
    if unknown.any():
        raise ContractError(
            f"all rows of some classes of data.target {data.target!r} are held out, and none is "
            f"left to train on: {counted(texts[unknown])}",
            hint="give more rows of these classes, join them with others, or change split.test "
            "or split.after in params.yaml",
        )
