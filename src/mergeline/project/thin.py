"""What a table holds too little of to be read or measured: said before anything is written."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import shown
from mergeline.model.table import label_texts, listed
from mergeline.project.outcome import Outcome

if TYPE_CHECKING:
    import pandas as pd

_MOST_LISTED = 5


def without_values(frame: "pd.DataFrame") -> Iterator[str]:
    """Say which columns hold no value at all."""
    empty = [shown(str(name)) for name in frame.columns if frame[name].isna().all()]
    if empty:
        yield f"no row has a value in {listed(empty, _MOST_LISTED)}: the model reads nothing there"


def unheld_classes(
    target: "pd.Series[Any]", held_out: "pd.Series[Any]", outcome: Outcome
) -> Iterator[str]:
    """Say which of several classes have no row to be measured on.

    Args:
        target: All outcomes, shape (n,).
        held_out: Those of the held-out rows, shape (m,).
        outcome: What is predicted.
    """
    if outcome.task != "multiclass":
        return
    texts = Counter(label_texts(target).tolist())
    counts = {name: texts[name] for name in sorted(texts.keys() - {*label_texts(held_out)})}
    if counts:
        named = listed(
            [f"{shown(name)} (of {n} in all)" for name, n in counts.items()], _MOST_LISTED
        )
        yield (
            f"no row is held out of {named}: balanced_accuracy and f1_macro need rows of every "
            "class; add rows, join classes, or let evaluate and gates name accuracy"
        )
