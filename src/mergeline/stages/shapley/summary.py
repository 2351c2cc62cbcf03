"""From SHAP values to what a reviewer reads: importances, by group too, and large errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.core.digest import sha256
from mergeline.core.evidence import (
    ClassImportance,
    ExplainedRow,
    Feature,
    GroupImportance,
    Importance,
)
from mergeline.core.labels import category_text, plain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

_MOST_BY_GROUP = 5
_MOST_CONTRIBUTIONS = 5
_ROW_DIGITS = 12
# Values that differ by less are equal: what is left of a sum that is 0 has no direction.
_DECIMALS = 10


@dataclass(frozen=True)
class Explained:
    """Rows with their SHAP values.

    Attributes:
        features: The columns that the model reads.
        frame: The rows, cast as the model reads them, shape (n, features).
        values: Shape (n, features, outputs).
    """

    features: Sequence[Feature]
    frame: "pd.DataFrame"
    values: "Floats"

    def take(self, rows: Any) -> "Explained":
        """Return some of the rows: a slice, places, or a mask."""
        return Explained(self.features, self.frame.iloc[rows], self.values[rows])

    def output(self, place: int) -> "Explained":
        """Return the values of one of the outputs."""
        return Explained(self.features, self.frame, self.values[:, :, [place]])


def rounded(value: float) -> float:
    """Return six digits: what a sample of rows can tell, and what machines agree on."""
    return float(f"{value:.6g}")


def importances(explained: Explained) -> tuple[Importance, ...]:
    """Return the mean absolute SHAP value of every column, the largest first.

    Of several outputs it is the mean over them, which has no direction.
    """
    import numpy as np

    sizes = np.abs(explained.values).mean(axis=(0, 2))
    total = sizes.sum()
    found = [
        Importance(
            column=feature.name,
            mean_abs=rounded(sizes[place]),
            share=rounded(sizes[place] / total) if total > 0 else 0.0,
            direction=_direction(explained, place),
        )
        for place, feature in enumerate(explained.features)
    ]
    return tuple(sorted(found, key=lambda item: (-item.mean_abs, item.column)))


def _direction(explained: Explained, place: int) -> float | None:
    """Return the rank correlation of value and SHAP value (Spearman, 1904), for numbers."""
    import numpy as np
    from scipy.stats import spearmanr

    if explained.features[place].kind == "category" or explained.values.shape[2] > 1:
        return None
    given = explained.frame.iloc[:, place].to_numpy()
    known = np.isfinite(given)
    value, effect = given[known], explained.values[known, place, 0].round(_DECIMALS)
    if len(np.unique(value)) < 2 or len(np.unique(effect)) < 2:  # noqa: PLR2004
        return None
    return rounded(spearmanr(value, effect).statistic)


def by_class(explained: Explained, classes: Sequence[str]) -> tuple[ClassImportance, ...]:
    """Return the importances for the output of each of several classes."""
    return tuple(
        ClassImportance(name=name, features=importances(explained.output(place)))
        for place, name in enumerate(classes)
    )


def by_group(
    explained: Explained, groups: "Sequence[tuple[str, np.ndarray[Any, Any]]]", min_group: int
) -> tuple[GroupImportance, ...]:
    """Return the largest importances within each group of enough explained rows.

    Args:
        explained: The rows.
        groups: By column the group of each row, shape (n,).
        min_group: Smaller groups are left out.
    """
    import numpy as np

    found = []
    for column, labels in groups:
        for name, count in zip(*np.unique(labels, return_counts=True), strict=True):
            if count >= min_group:
                top = importances(explained.take(labels == name))[:_MOST_BY_GROUP]
                found.append(GroupImportance(by=column, group=str(name), n=int(count), top=top))
    return tuple(found)


def explained_rows(
    explained: Explained,
    keys: Sequence[str],
    score: "Floats",
    actual: Sequence[str],
) -> tuple[ExplainedRow, ...]:
    """Return rows with what moved their scores most.

    Args:
        explained: The rows, with the values of one output each.
        keys: What each stands for.
        score: Their scores, shape (n,).
        actual: What is true of them.
    """
    return tuple(
        ExplainedRow(
            row=sha256(keys[place].encode())[:_ROW_DIGITS],
            score=float(score[place]),
            actual=actual[place],
            contributions=_contributions(explained, place),
            values=_texts(explained.frame.iloc[place]),
        )
        for place in range(len(explained.values))
    )


def _contributions(explained: Explained, place: int) -> tuple[tuple[str, float], ...]:
    named = [
        (feature.name, rounded(value))
        for feature, value in zip(explained.features, explained.values[place, :, 0], strict=True)
    ]
    return tuple(sorted(named, key=lambda item: (-abs(item[1]), item[0]))[:_MOST_CONTRIBUTIONS])


def _texts(row: "pd.Series[Any]") -> dict[str, str]:
    values = {str(name): plain(value) for name, value in row.items()}
    return {
        name: "(missing)" if value is None or value != value else category_text(value)  # noqa: PLR0124
        for name, value in values.items()
    }
