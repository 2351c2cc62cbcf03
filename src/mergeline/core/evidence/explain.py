"""explain: which columns move the predictions."""

from typing import Literal

from pydantic import FiniteFloat

from mergeline.core.base import Stated
from mergeline.core.evidence.envelope import Count
from mergeline.core.task import Task


class Importance(Stated):
    """How much one of the user's columns moves the score (mean |SHAP|).

    Attributes:
        mean_abs: In the units of `ExplainContent.output`.
        share: Of the sum over all columns, 0 to 1.
        direction: Spearman correlation of value and SHAP value for numbers, -1 to 1;
            None for categories.
    """

    column: str
    mean_abs: FiniteFloat
    share: FiniteFloat
    direction: FiniteFloat | None


class ClassImportance(Stated):
    """Importances for the score of one class, largest first; multiclass only."""

    name: str
    features: tuple[Importance, ...]


class GroupImportance(Stated):
    """Importances within one group of a sensitive column, largest first."""

    by: str
    group: str
    n: Count
    top: tuple[Importance, ...]


class ExplainedRow(Stated):
    """One held-out row with a large error.

    Attributes:
        row: A hash that points at the row for those who have the data.
        contributions: Column and SHAP value, largest first.
        score: Probability of the positive class, or of the actual one of several; the
            prediction of a regression.
        actual: What is true of it: the class, or the number.
        values: The row's values.
    """

    row: str
    score: FiniteFloat
    actual: str
    contributions: tuple[tuple[str, FiniteFloat], ...]
    values: dict[str, str] = {}


# From here on a column is told as a proxy of a sensitive one.
PROXY_FLOOR = 0.3


class Proxy(Stated):
    """A column that the model reads and that tells a sensitive one.

    Attributes:
        column: Which the model reads.
        of: The sensitive column.
        group: Of several groups the one that it tells best; None of two.
        score: How well it alone tells the group of held-out rows, as in `Leak.score`: 0 as by
            chance, 1 without error; at least `PROXY_FLOOR`, and more than chance explains.
    """

    column: str
    of: str
    group: str | None = None
    score: FiniteFloat


class ExplainContent(Stated):
    """Which columns move the predictions.

    Attributes:
        outcome: `not_explained` is ERRORED for a gate on it.
        reason: Why not explained, else empty.
        explainer: `tree`, `linear` or `permutation`.
        output: What the SHAP values add up to: `log_odds` (of each class, where there are
            several), `probability`, or the predicted `value`.
        classes: Importances for the score of each class; multiclass only. `features` are then
            means over the classes.
        rows: Rows explained, drawn by hash.
        of: Held-out rows there are.
        background: Rows of the background sample.
        proxies: Of the first 50 columns that the model reads, those that tell a sensitive one.
        largest_errors: Single rows, so none unless `report.rows` is true: the SHAP values of a
            linear model alone give a row's values away.
    """

    outcome: Literal["explained", "not_explained"]
    reason: str
    explainer: str
    task: Task = "binary"
    output: Literal["log_odds", "probability", "value"]
    rows: Count
    of: Count
    background: Count
    features: tuple[Importance, ...]
    classes: tuple[ClassImportance, ...] = ()
    by_group: tuple[GroupImportance, ...]
    largest_errors: tuple[ExplainedRow, ...]
    proxies: tuple[Proxy, ...] = ()
