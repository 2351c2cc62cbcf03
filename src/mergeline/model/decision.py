"""From scores to what is said of a row: the class that is predicted, or the number."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from mergeline.core.task import Task
from mergeline.errors import ModelError
from mergeline.model.score import Scorer

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class DecisionRule:
    """What a release makes of its model's scores.

    Attributes:
        task: What the model predicts.
        classes: In the order of its probabilities; none for regression.
        positive: The positive class; binary only.
        threshold: From which score on a row is predicted positive; binary only.
    """

    task: Task
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: float | None = None

    @classmethod
    def of(cls, scorer: Scorer, threshold: float | None) -> Self:
        """Return the rule of a model.

        Args:
            scorer: Its task and classes.
            threshold: That its evidence was measured with.

        Raises:
            ModelError: Two classes without a threshold, or a threshold without two classes.
        """
        if (scorer.task == "binary") != (threshold is not None):
            raise ModelError(
                f"the model's task is {scorer.task}, and the threshold of its evidence is "
                f"{threshold}; only two classes have one",
                hint="model and evidence are of two builds: fetch or build the release again",
            )
        return cls(scorer.task, scorer.classes, scorer.positive, threshold)

    @property
    def negative(self) -> str:
        """The class that is not the positive one; binary only."""
        return next(name for name in self.classes if name != self.positive)

    def decided(self, scores: "Floats") -> "Array":
        """Return which rows are positive, or the place of each row's class; shape (n,).

        The first of several equally probable classes. Not for regression.

        Args:
            scores: As `Scorer.score` gives them.
        """
        if self.threshold is not None:
            positive: Array = scores >= self.threshold
            return positive
        places: Array = scores.argmax(axis=1)
        return places

    def columns(self, scores: "Floats") -> "dict[str, Array]":
        """Return what is said of the rows, a column each, shape (n,).

        That is, by task: `probability`, `label` and `positive`; `label`, its `probability`
        and `probability of X` for each class; `value`.

        Args:
            scores: As `Scorer.score` gives them.
        """
        if self.task == "regression":
            return {"value": scores}
        decided = self.decided(scores)
        label = self._texts[decided.astype("int64")]
        if self.task == "binary":
            return {"probability": scores, "label": label, "positive": decided}
        by_class = {f"probability of {name}": scores[:, at] for at, name in enumerate(self.classes)}
        return {"label": label, "probability": scores.max(axis=1), **by_class}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of `columns`."""
        import numpy as np

        shape = (1, len(self.classes)) if self.task == "multiclass" else (1,)
        return tuple(self.columns(np.zeros(shape)))

    @cached_property
    def _texts(self) -> "Array":
        """The classes by what `decided` says."""
        import numpy as np

        ordered = [self.negative, self.positive] if self.task == "binary" else self.classes
        return np.array(ordered, dtype=object)
