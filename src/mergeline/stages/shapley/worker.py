"""The process that explains: `python -m mergeline.stages.shapley.worker FOLDER`.

It reads `request.json` from the folder, writes `ready.json` when the model is loaded and
the plan is made, and at the end `content.json`, or `error.json` when the project's files
are not what they should be. It may be stopped at any time.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.base import Frozen
from mergeline.core.evidence import ExplainContent
from mergeline.errors import MergelineError
from mergeline.files import write_whole
from mergeline.model.cast import cast_features
from mergeline.model.predictions import Predictions, from_table
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import require_columns
from mergeline.stages.base import read_prepared
from mergeline.stages.shapley.plan import Method, affordable, methods
from mergeline.stages.shapley.proxies import find_proxies
from mergeline.stages.shapley.summary import (
    Explained,
    by_class,
    by_group,
    explained_rows,
    importances,
)
from mergeline.stages.shapley.values import import_shap
from mergeline.stats.groups import group_labels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

REQUEST, READY = "request.json", "ready.json"
CONTENT, ERROR = "content.json", "error.json"

_LARGEST_ERRORS = 5


class Request(Frozen):
    """What to explain.

    Attributes:
        root: The project's root.
        settings: Of the project.
    """

    root: str
    settings: Settings


class Failure(Frozen):
    """An error of Mergeline's own, by the name of its class."""

    kind: str
    message: str
    hint: str


@dataclass(frozen=True)
class _Project:
    """What the earlier stages left, the held-out rows in order of their keys."""

    settings: Settings
    scorer: Scorer
    train: "pd.DataFrame"
    test: "pd.DataFrame"
    predictions: Predictions


def main(folder: Path) -> None:
    """Explain what the request names, and write the answer into the folder."""
    request = Request.model_validate_json((folder / REQUEST).read_bytes())
    try:
        project = _load(Path(request.root), request.settings)
        ways = methods(project.scorer, request.settings.model.seed)
        budget = request.settings.explain.budget_seconds
        place, reason = affordable(ways, _wanted(project), budget)
        import_shap()
        planned = _content(project, ways[place], "not_explained", reason)
        write_whole(folder / READY, planned.model_dump_json().encode())
        content = planned if reason else _explain(project, ways[place:])
        write_whole(folder / CONTENT, content.model_dump_json().encode())
    except MergelineError as error:
        failure = Failure(kind=type(error).__name__, message=error.message, hint=error.hint)
        write_whole(folder / ERROR, failure.model_dump_json().encode())


def _load(root: Path, settings: Settings) -> _Project:
    import numpy as np

    scorer = load_scorer(root / layout.MODEL, trusted=settings.model.trusted_types)
    test = read_prepared(root, layout.TEST_TABLE)
    sensitive = dict.fromkeys(settings.data.sensitive, "data.sensitive")
    require_columns(test, sensitive, layout.TEST_TABLE)
    table = read_prepared(root, layout.PREDICTIONS)
    predictions = from_table(
        table, scorer.task, settings.threshold, scorer.classes if scorer.positive is None else ()
    )
    # Keys are hashes: their order has nothing to do with that of the table.
    order = np.argsort(test[layout.KEY].to_numpy(str), kind="stable")
    return _Project(
        settings=settings,
        scorer=scorer,
        train=read_prepared(root, layout.TRAIN_TABLE).sort_values(layout.KEY, kind="stable"),
        test=test.iloc[order],
        predictions=predictions.take(order),
    )


def _wanted(project: _Project) -> int:
    return min(project.settings.explain.rows, len(project.test))


def _rows(project: _Project, way: Method) -> int:
    return min(_wanted(project), way.affords(project.settings.explain.budget_seconds))


def _content(
    project: _Project, way: Method, outcome: Any, reason: str = "", **found: Any
) -> ExplainContent:
    nothing: dict[str, Any] = {"features": (), "by_group": (), "largest_errors": ()}
    return ExplainContent(
        outcome=outcome,
        reason=reason,
        task=project.scorer.task,
        explainer=way.explainer,
        output=way.output,
        rows=_rows(project, way),
        of=len(project.test),
        background=min(way.background, len(project.train)),
        **(nothing | found),
    )


def _explain(project: _Project, ways: tuple[Method, ...]) -> ExplainContent:
    """Explain by the first method that is affordable and whose values add up to the scores."""
    reasons = []
    errors = _largest_errors(project) if project.settings.report.rows else []
    for way in ways:
        _, dear = affordable((way,), _wanted(project), project.settings.explain.budget_seconds)
        if dear:
            reasons.append(dear)
            continue
        # Rows first that the importances are made of, then those with the largest errors.
        places = [*range(_rows(project, way)), *errors]
        frame = cast_features(project.test.iloc[places], project.scorer.features)
        background = project.train.head(way.background)
        values = way.explain(frame, cast_features(background, project.scorer.features))
        if way.adds_up(values, project.predictions.score[places]):
            explained = Explained(project.scorer.features, frame, values)
            return _summary(project, way, explained, errors)
        reasons.append(f"SHAP's values by {way.explainer} do not add up to the model's scores.")
    return _content(project, way, "not_explained", " ".join(reasons))


def _said(predictions: Predictions) -> "Floats":
    """Return of each row the score that its error is told by, shape (n,).

    That is the probability of the actual one of several classes.
    """
    import numpy as np

    if predictions.task != "multiclass":
        return predictions.score
    actual: Floats = predictions.score[np.arange(len(predictions)), predictions.actual]
    return actual


def _largest_errors(project: _Project) -> list[int]:
    """Return the places of the held-out rows whose score is furthest from the outcome."""
    import numpy as np

    said, actual = _said(project.predictions), project.predictions.actual
    error = np.abs(said - (1 if project.scorer.task == "multiclass" else actual))
    return [int(place) for place in np.argsort(-error, kind="stable")[:_LARGEST_ERRORS]]


def _summary(
    project: _Project, way: Method, explained: Explained, errors: list[int]
) -> ExplainContent:
    import numpy as np

    count = _rows(project, way)
    sample, wrong = explained.take(slice(count)), explained.take(slice(count, None))
    settings, scorer = project.settings, project.scorer
    predictions = project.predictions.take(np.array(errors, dtype=np.int64))
    several = scorer.task == "multiclass"
    if several:  # what moved the probability of the actual class
        values = wrong.values[np.arange(len(errors)), :, predictions.actual]
        wrong = Explained(wrong.features, wrong.frame, values[:, :, None])
    groups = [
        (name, group_labels(project.test[name], settings.fairness.bins.get(name))[:count])
        for name in settings.data.sensitive
    ]
    features = importances(sample)
    names, bins = [item.column for item in features], settings.fairness.bins
    return _content(
        project,
        way,
        "explained",
        features=features,
        proxies=find_proxies(project.train, project.test, names, settings.data.sensitive, bins),
        classes=by_class(sample, scorer.classes) if several else (),
        by_group=by_group(sample, groups, settings.fairness.min_group),
        largest_errors=explained_rows(
            wrong,
            project.test[layout.KEY].iloc[errors].tolist(),
            _said(predictions),
            _outcomes(predictions),
        ),
    )


def _outcomes(predictions: Predictions) -> list[str]:
    """Return what is true of each row."""
    if predictions.task == "regression":
        return [f"{value:g}" for value in predictions.actual]
    names = predictions.classes if predictions.task == "multiclass" else ("no", "yes")
    return [names[int(value)] for value in predictions.actual]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
