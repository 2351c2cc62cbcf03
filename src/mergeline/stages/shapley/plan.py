"""Which explainer fits a model, and how many rows it affords by a rule that no clock decides.

The rule's seconds were measured on two busy cores of a small server with 5 to 200 columns
and 600 to 80,000 leaves, and rounded up. It may use half of the budget, so that a slower
machine explains the same rows; one that is slower still is stopped at the budget.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Any, Literal

from mergeline.model.encoded import sources
from mergeline.model.score import Scorer
from mergeline.model.trees import Trees, read_trees
from mergeline.model.work import seconds_a_row
from mergeline.stages.shapley.values import linear_values, permutation_values, tree_values

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

# An importance over fewer rows would be noise.
_FEWEST_ROWS = 20
_SHARE_OF_BUDGET = 0.5

# TreeSHAP visits every leaf for every row, there every pair of the columns on its path, and
# for each column every output more than one.
_PER_NODE = 1e-6
_OUTPUT_IN_COLUMNS = 1.5
_PER_LEAF_AND_PAIR = 8e-9
_PER_CATEGORY_SPLIT = 2e-8
# Another DataFrame for every row, then the pipeline for each of its masked copies.
_PER_ROW = 0.02
_PER_COPY = 1e-5
_PER_CELL = 2e-7

_LINEAR_BACKGROUND = 1000
_PERMUTATION_BACKGROUND = 25
# How far explained and given scores may differ: rounding, and no more.
_TOLERANCE = 1e-6
_SINGLE_TOLERANCE = 2e-5
_LEAST = 1e-300


@dataclass(frozen=True)
class Method:
    """One way to explain a model.

    Attributes:
        explainer: Its name.
        output: What the values add up to.
        background: How many background rows it takes.
        start: Seconds before the first row, by the rule.
        row: Seconds a row, by the rule.
        explain: From rows and background rows, both cast, to values by the user's column,
            shape (n, features, outputs).
        tolerance: How far their sums may be from the scores.
    """

    explainer: Literal["tree", "linear", "permutation"]
    output: Literal["log_odds", "probability", "value"]
    background: int
    start: float
    row: float
    explain: "Callable[[pd.DataFrame, pd.DataFrame], Floats]"
    tolerance: float = _TOLERANCE

    def affords(self, budget: float) -> int:
        """Return how many rows it may explain within a budget of seconds."""
        return max(0, int((budget * _SHARE_OF_BUDGET - self.start) / self.row))

    def seconds(self, rows: int) -> float:
        """Return how long some rows take, by the rule."""
        return self.start + rows * self.row

    def adds_up(self, values: "Floats", score: "Floats") -> bool:
        """Tell whether the values and a constant an output give the scores, as SHAP's must.

        Args:
            values: Shape (n, features, outputs).
            score: What the model says, shape (n,), or (n, classes) of several.
        """
        import numpy as np
        from scipy.special import expit, logit, softmax

        total, said = values.sum(axis=1), score.reshape(len(score), -1)
        if self.output != "log_odds":
            given = total + np.median(said - total, axis=0)
        elif total.shape[1] == 1:
            given = expit(total + np.median(logit(said) - total, axis=0))
        else:
            # Of several classes only the differences of their log-odds are known.
            odds = np.log(np.maximum(said, _LEAST)) - total
            given = softmax(total + np.median(odds - odds[:, :1], axis=0), axis=1)
        scale = np.abs(said).max() if self.output == "value" else 1.0
        return bool(np.abs(given - said).max() <= self.tolerance * scale)


def methods(scorer: Scorer, seed: int) -> tuple[Method, ...]:
    """Return the ways to explain a model, the best first; the last fits every model.

    Args:
        scorer: The loaded model.
        seed: Of the permutations.
    """
    from mergeline.model.boosted import Boosted

    found = []
    encoded = _encoded(scorer)
    if encoded is not None:
        prepare, estimator, columns = encoded
        if isinstance(estimator, Boosted):
            found.append(_boosted(estimator, scorer, prepare, columns))
        trees = read_trees(estimator, _positive(scorer))
        weights = None if trees is not None else _weights(estimator, scorer)
        if trees is not None:
            found.append(_tree(trees, prepare, columns, len(scorer.features)))
        elif weights is not None:
            found.append(_linear(weights, scorer, prepare, columns))
    return (*found, _permutation(scorer, seed))


def affordable(ways: Sequence[Method], wanted: int, budget: float) -> tuple[int, str]:
    """Return the place of the first method that affords enough rows, or why none does.

    Args:
        ways: In order of preference.
        wanted: Rows to explain at most.
        budget: Seconds.

    Returns:
        The place and an empty text; or -1 and the reason.
    """
    fewest = min(wanted, _FEWEST_ROWS)
    for place, way in enumerate(ways):
        if way.affords(budget) >= fewest:
            return place, ""
    costs = " and ".join(f"{way.seconds(fewest):.0f} s by {way.explainer}" for way in ways)
    reason = (
        f"Explaining {fewest} rows would take about {costs}; half of explain.budget_seconds "
        f"({budget:g}) is to be enough."
    )
    return -1, reason


# --- the model's own structure ---------------------------------------------------


def _encoded(scorer: Scorer) -> tuple[Any, Any, list[int]] | None:
    """Return preprocessing, estimator, and the user's column of each encoded one."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    pipeline = scorer.pipeline
    if not isinstance(pipeline, Pipeline) or [*pipeline.named_steps] != ["prepare", "estimator"]:
        return None
    prepare, estimator = pipeline["prepare"], pipeline["estimator"]
    if not isinstance(prepare, ColumnTransformer):
        return None
    columns = sources(prepare, [feature.name for feature in scorer.features])
    return None if columns is None else (prepare, estimator, columns)


def _positive(scorer: Scorer) -> int | None:
    """Return the place of the positive class; None where there is none."""
    return None if scorer.positive is None else scorer.classes.index(scorer.positive)


def _gathered(values: "Floats", columns: Sequence[int], width: int) -> "Floats":
    """Sum the values of encoded columns to the user's columns that they come from."""
    import numpy as np

    gathered = np.zeros((len(values), width, values.shape[2]))
    np.add.at(gathered.swapaxes(0, 1), list(columns), values.swapaxes(0, 1))
    return gathered


def _tree(trees: Trees, prepare: Any, columns: Sequence[int], width: int) -> Method:
    on_path = min(len(columns), 1.2 * log2(max(2, trees.leaves / len(trees.trees))) + 1)
    splits = 0 if trees.splits is None else len(trees.splits.node)
    more = _OUTPUT_IN_COLUMNS * (trees.trees[0]["values"].shape[1] - 1)
    pairs = on_path * (on_path + more)
    return Method(
        explainer="tree",
        output=trees.output,
        background=0,
        start=trees.nodes * _PER_NODE,
        row=trees.leaves * pairs * _PER_LEAF_AND_PAIR + splits * _PER_CATEGORY_SPLIT + 1e-6,
        explain=lambda rows, _: _gathered(
            tree_values(trees, prepare.transform(rows)), columns, width
        ),
    )


def _boosted(estimator: Any, scorer: Scorer, prepare: Any, columns: Sequence[int]) -> Method:
    """Trees of a library that explains them itself, in single precision where it scores so."""
    trees, width = estimator.trees, len(scorer.features)
    sign = -1.0 if _positive(scorer) == 0 else 1.0
    on_path = min(len(columns), 1.2 * log2(max(2, trees.leaves / trees.trees)) + 1)
    return Method(
        explainer="tree",
        output="value" if scorer.task == "regression" else "log_odds",
        background=0,
        start=trees.leaves * _PER_NODE,
        row=trees.leaves * on_path**2 * _PER_LEAF_AND_PAIR + 1e-6,
        explain=lambda rows, _: _gathered(
            sign * estimator.contributions(prepare.transform(rows)), columns, width
        ),
        tolerance=_SINGLE_TOLERANCE if estimator.library == "xgboost" else _TOLERANCE,
    )


def _weights(estimator: Any, scorer: Scorer) -> "Floats | None":
    """Return one weight a column and output; None where there are none.

    That the score follows from the weighted sum, `adds_up` checks.
    """
    import numpy as np

    weights = getattr(estimator, "coef_", None)
    if not isinstance(weights, np.ndarray):
        return None
    weights = np.atleast_2d(weights)
    outputs = len(scorer.classes) if scorer.task == "multiclass" else 1
    if weights.shape != (outputs, getattr(estimator, "n_features_in_", -1)):
        return None
    return -weights if _positive(scorer) == 0 else weights


def _linear(weights: "Floats", scorer: Scorer, prepare: Any, columns: Sequence[int]) -> Method:
    width = len(scorer.features)
    cells = len(columns) * len(weights)
    return Method(
        explainer="linear",
        output="value" if scorer.task == "regression" else "log_odds",
        background=_LINEAR_BACKGROUND,
        start=_LINEAR_BACKGROUND * cells * _PER_CELL,
        row=cells * _PER_CELL,
        explain=lambda rows, background: _gathered(
            linear_values(weights, prepare.transform(rows), prepare.transform(background)),
            columns,
            width,
        ),
    )


def _permutation(scorer: Scorer, seed: int) -> Method:
    width = len(scorer.features)
    copies = (2 * width + 1) * _PERMUTATION_BACKGROUND
    return Method(
        explainer="permutation",
        output="value" if scorer.task == "regression" else "probability",
        background=_PERMUTATION_BACKGROUND,
        start=0.0,
        row=_PER_ROW + copies * (_PER_COPY + width * _PER_CELL + seconds_a_row(scorer.pipeline)),
        explain=lambda rows, background: permutation_values(_score(scorer), rows, background, seed),
        tolerance=_SINGLE_TOLERANCE if scorer.single else _TOLERANCE,
    )


def _score(scorer: Scorer) -> "Callable[[pd.DataFrame], Floats]":
    """Return a function from rows to the outputs, shape (n, outputs)."""
    if scorer.task == "regression":
        return lambda rows: scorer.pipeline.predict(rows).reshape(len(rows), 1)
    place = _positive(scorer)
    chosen = slice(None) if place is None else [place]
    return lambda rows: scorer.pipeline.predict_proba(rows)[:, chosen]
