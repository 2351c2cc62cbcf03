"""check_model: deepchecks' model evaluation, from predictions. No model leaves this environment."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.adapters.deepchecks import Request, run_suites
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.errors import ContractError
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import write_table
from mergeline.stages.base import Clock, Result, read_prepared, sampled
from mergeline.stages.check_data import categories, labelled

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

_SUITES = ("model_evaluation",)
_SCORE = "_mergeline_score_"
_SEED = 0

# The cost of importance is one scoring a feature: rows times features stay below this.
_IMPORTANCE_CELLS = 200_000
_IMPORTANCE_ROWS = (100, 2_000)

_NO_MODEL = "deepchecks is given predictions, not the model"
_NOTHING_USED = "the model's scores depend on none of its columns"


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Check the model's predictions on a fixed sample of each table.

    Raises:
        ContractError: A table or the predictions are missing, or do not belong together.
        ModelError: The model cannot be loaded or gives no numbers.
        ToolError: deepchecks is missing or failed.
    """
    data, sample = settings.data, settings.checks.sample
    with clock.part("read"):
        train = sampled(read_prepared(root, layout.TRAIN_TABLE), sample)
        test = sampled(_scored_test(root), sample)
        scorer = load_scorer(root / layout.MODEL, trusted=settings.model.trusted_types)
    with clock.part("score"):
        train = _scored(train, scorer.score(train))
    with clock.part("importance"):
        shares = importance(scorer, test)
    roles = [feature.name for feature in scorer.features]
    scores = tuple(str(name) for name in test.columns if str(name).startswith(_SCORE))
    with tempfile.TemporaryDirectory(prefix="mergeline-") as name:
        folder = Path(name)
        for side, frame in (("train", train), ("test", test)):
            table = labelled(frame, scorer.features, data)[[*roles, data.target, *scores]]
            write_table(table, folder / f"{side}.parquet")
        with clock.part("deepchecks"):
            answer = run_suites(
                Request(
                    suites=_SUITES,
                    train=str(folder / "train.parquet"),
                    test=str(folder / "test.parquet"),
                    label=data.target,
                    features=tuple(roles),
                    categories=categories(scorer.features),
                    index=None,
                    datetime=None,
                    sample=sample,
                    task=data.task,
                    scores=scores,
                    threshold=settings.threshold,
                    classes=scorer.classes if data.task == "multiclass" else (),
                    importance=shares,
                    leave_out=_left_out(shares),
                )
            )
    clock.seconds.update(answer.seconds)
    return Result(answer.content)


def _scored_test(root: Path) -> "pd.DataFrame":
    """Return the held-out rows with the scores that the stage evaluate gave them."""
    test = read_prepared(root, layout.TEST_TABLE)
    table = read_prepared(root, layout.PREDICTIONS)
    if list(table["key"]) != list(test[layout.KEY]):
        raise ContractError(
            f"{layout.PREDICTIONS} has {len(table)} rows that are not those of "
            f"{layout.TEST_TABLE} ({len(test)} rows) in their order",
            hint="make both again: mergeline check",
        )
    return _scored(test, table[[name for name in table if name.startswith("score")]].to_numpy())


def _scored(frame: "pd.DataFrame", scores: "Floats") -> "pd.DataFrame":
    """Add scores, shape (n,) or (n, classes), as columns of their own."""
    columns = scores.reshape(len(frame), -1).T
    return frame.assign(**{f"{_SCORE}{place}": column for place, column in enumerate(columns)})


def importance(scorer: Scorer, frame: "pd.DataFrame") -> dict[str, float]:
    """Return each feature's share in the model's scores.

    The mean absolute change of the score when the feature's values are shuffled among
    the rows (permutation importance, Breiman 2001, of the score rather than of a loss),
    divided by the sum over the features.

    Args:
        scorer: The model.
        frame: Rows to shuffle; some of them when there are many.

    Returns:
        Shares adding up to 1, or nothing when no feature changes any score.
    """
    import numpy as np

    least, most = _IMPORTANCE_ROWS
    rows = sampled(frame, max(least, min(most, _IMPORTANCE_CELLS // len(scorer.features))))
    order = np.random.default_rng(_SEED).permutation(len(rows))
    before = scorer.score(rows)
    moves = {
        feature.name: float(
            np.abs(_shuffled_score(scorer, rows, feature.name, order) - before).mean()
        )
        for feature in scorer.features
    }
    total = sum(moves.values())
    return {name: move / total for name, move in moves.items()} if total > 0 else {}


def _shuffled_score(
    scorer: Scorer, rows: "pd.DataFrame", name: str, order: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    shuffled = rows.copy(deep=False)
    shuffled[name] = rows[name].iloc[order].set_axis(rows.index)
    return scorer.score(shuffled)


def _left_out(shares: dict[str, float]) -> dict[str, str]:
    reasons = {
        "BoostingOverfit": _NO_MODEL,
        "ModelInferenceTime": f"{_NO_MODEL}; the stage evaluate measures latency",
    }
    return reasons if shares else reasons | {"UnusedFeatures": _NOTHING_USED}
