"""Predictions of the held-out rows: what is true, and what the model says; as a table too.

The table's columns are `key` and, by task:

- binary: `positive` (bool), `score` (probability of the positive class), `predicted` (bool);
- multiclass: `actual` and `predicted` (text), `score_0`, `score_1`, ... (probabilities, in
  the model's order of classes);
- regression: `actual` and `score` (numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.core.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Predictions:
    """Rows with their outcome and what a model says of them.

    Attributes:
        task: What is predicted.
        actual: Shape (n,): whether a row is positive (bool), the number of its class (int64)
            or its value (float64).
        score: Probability of the positive class or predicted value, shape (n,); for several
            classes their probabilities, shape (n, classes).
        threshold: From which score on a row is predicted positive; binary only.
        classes: In the order of the probabilities; multiclass only.
    """

    task: Task
    actual: "Array"
    score: "Floats"
    threshold: float | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.actual)

    @property
    def predicted(self) -> "Array":
        """What is predicted, in the terms of `actual`, shape (n,).

        The first of several equally probable classes.
        """
        if self.threshold is not None:
            found: Array = self.score >= self.threshold
            return found
        return self.score.argmax(axis=1) if self.task == "multiclass" else self.score

    def take(self, rows: "Array | slice") -> "Predictions":
        """Return some of the rows, by places or by a mask."""
        return Predictions(
            self.task, self.actual[rows], self.score[rows], self.threshold, self.classes
        )

    def table(self, keys: Sequence[str]) -> "pd.DataFrame":
        """Return the rows as a table."""
        import numpy as np
        import pandas as pd

        if self.task == "binary":
            columns = {"positive": self.actual, "score": self.score, "predicted": self.predicted}
        elif self.task == "regression":
            columns = {"actual": self.actual, "score": self.score}
        else:
            names = np.array(self.classes, dtype=object)
            scores = {f"score_{place}": column for place, column in enumerate(self.score.T)}
            columns = {"actual": names[self.actual], "predicted": names[self.predicted], **scores}
        return pd.DataFrame({"key": list(keys), **columns})


def from_table(
    table: "pd.DataFrame", task: Task, threshold: float | None, classes: Sequence[str]
) -> Predictions:
    """Read what `Predictions.table` made.

    Args:
        table: As the module's head says.
        task: What is predicted.
        threshold: Of a binary task; None otherwise.
        classes: Of a multiclass task, in the model's order; empty otherwise.
    """
    import pandas as pd

    if task != "multiclass":
        actual = table["positive" if task == "binary" else "actual"].to_numpy()
        return Predictions(task, actual, table["score"].to_numpy(), threshold)
    names = [f"score_{place}" for place in range(len(classes))]
    actual = pd.Index(classes).get_indexer(table["actual"])
    return Predictions(task, actual, table[names].to_numpy(), None, tuple(classes))
