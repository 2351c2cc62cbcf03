"""SHAP values by tree, linear and permutation explainer (Lundberg and Lee, NeurIPS 2017).

Each function gives one value a row, column and output (one for two classes and for
regression, one a class for several), in the units of the output that it explains.
SHAP is imported without its plots: that halves its start-up.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mergeline.model.trees import CategorySplits, Trees

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]


def import_shap() -> Any:
    """Import SHAP as if matplotlib were not there, which it takes as leave to do without."""
    absent = sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]
    try:
        import shap
    finally:
        if absent is None:
            del sys.modules["matplotlib"]
    return shap


def tree_values(trees: Trees, rows: "Floats") -> "Floats":
    """Return path-dependent TreeSHAP values (Lundberg et al., Nature MI 2, 2020).

    SHAP's nodes compare numbers only. What a node that splits on categories does with a
    row depends on the row's categories alone, so rows with equal categories are explained
    together, and each such node gets a threshold that sends them where they belong. Nodes
    of one column are one player for SHAP, as they should be.

    Args:
        trees: Of the estimator.
        rows: The estimator's input, shape (n, columns).

    Returns:
        Shape (n, columns, outputs), in the estimator's order of columns.
    """
    import numpy as np

    shap = import_shap()
    explainer = shap.TreeExplainer(
        {"trees": trees.trees, "base_offset": 0.0, "tree_output": "raw_value"},
        feature_perturbation="tree_path_dependent",
    )
    seen = trees.read(rows)
    inner = np.zeros((*seen.shape, explainer.model.num_outputs))
    for row, where in _by_categories(trees, seen):
        _set_thresholds(explainer.model, trees.splits, row)
        found = explainer.shap_values(seen[where], check_additivity=False)
        inner[where] = found.reshape(inner[where].shape)
    values: Floats = np.zeros_like(inner)
    values[:, list(trees.columns)] = inner
    return values


def _by_categories(trees: Trees, seen: "Floats") -> "list[tuple[Floats, Any]]":
    """Return the first of the rows with equal categories, and the places of all of them."""
    import numpy as np

    if trees.splits is None:
        return [(seen[0], slice(None))]
    codes = np.nan_to_num(seen[:, np.unique(trees.splits.column)], nan=-1)
    _, first, group = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    places = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    return [(seen[start], place) for start, place in zip(first, places, strict=True)]


def _set_thresholds(model: Any, splits: CategorySplits | None, row: "Floats") -> None:
    """Send rows with this row's categories to the side of each split that they go to.

    A missing category goes where the node sends what is missing, whatever its threshold.
    """
    import numpy as np

    if splits is None:
        return
    code = np.nan_to_num(row[splits.column], nan=0).astype(int)
    left = splits.left[np.arange(len(code)), code]
    model.thresholds[splits.tree, splits.node] = np.where(left, np.inf, -np.inf)


def linear_values(coefficients: "Floats", rows: "Floats", background: "Floats") -> "Floats":
    """Return coefficient times distance from the background's mean, (n, columns, outputs).

    Args:
        coefficients: Of the columns, shape (outputs, columns).
        rows: The estimator's input, shape (n, columns).
        background: More of it, shape (b, columns).
    """
    import numpy as np

    shap = import_shap()
    masker = shap.maskers.Independent(background, max_samples=len(background))
    return np.stack(
        [shap.LinearExplainer((each, 0.0), masker).shap_values(rows) for each in coefficients],
        axis=-1,
    )


def permutation_values(
    score: "Callable[[pd.DataFrame], Floats]",
    rows: "pd.DataFrame",
    background: "pd.DataFrame",
    seed: int,
) -> "Floats":
    """Return values of any model's score over its columns, shape (n, columns, outputs).

    One permutation of the columns, there and back (Mitchell et al., JMLR 23, 2022). SHAP
    masks arrays of numbers only. So it gets the place of each value in a list of the
    column's values, and the score looks them up again, whatever they are.

    Args:
        score: From rows to what is explained, shape (n, outputs).
        rows: The rows to explain.
        background: Rows whose values stand for "not known".
        seed: Of the permutations.
    """
    import numpy as np
    import pandas as pd

    shap = import_shap()
    table = pd.concat([background, rows], ignore_index=True)
    coded = {name: pd.factorize(table[name], use_na_sentinel=False) for name in table.columns}
    places = np.column_stack([codes for codes, _ in coded.values()]).astype(np.float64)

    def look_up(chosen: "Floats") -> "Floats":
        # Given its type: pandas would make text of objects, and the model was fitted on objects.
        columns = {
            name: pd.Series(np.asarray(values)[at], dtype=table[name].dtype)
            for (name, (_, values)), at in zip(
                coded.items(), chosen.astype(np.int64).T, strict=True
            )
        }
        return score(pd.DataFrame(columns))

    masker = shap.maskers.Independent(places[: len(background)], max_samples=len(background))
    explainer = shap.PermutationExplainer(look_up, masker, seed=seed)
    evaluations = 2 * places.shape[1] + 1
    # Its __call__ would also measure main effects, asked or not, from the second row on.
    found = [
        explainer.explain_row(
            row,
            max_evals=evaluations,
            main_effects=False,
            error_bounds=False,
            batch_size=evaluations,
            outputs=None,
            silent=True,
        )["values"]
        for row in places[len(background) :]
    ]
    return np.array(found, dtype=np.float64)
