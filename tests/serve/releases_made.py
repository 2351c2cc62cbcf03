"""Release folders for tests: small models, made by the real stages, in about a second each."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import sklearn.ensemble  # noqa: F401 -- so that its threads are there to be limited
from threadpoolctl import threadpool_limits

from mergeline.core import layout
from mergeline.core.digest import promotion_key, sha256
from mergeline.core.evidence import Feature
from mergeline.core.task import Task
from mergeline.ledger.entries import Release
from mergeline.model.canonical import directory_digest
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description, save_model
from mergeline.model.predictions import Predictions
from mergeline.model.probes import make_probes
from mergeline.model.score import load_scorer
from projects import make_frame, make_project, run_stages
from report import plans

FOREST = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 5}}
LINE = {"estimator": "sklearn.linear_model.LogisticRegression"}
BOOSTING = {
    "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
    "params": {"max_iter": 20},
}


@dataclass(frozen=True)
class Made:
    """A release folder, and the project that it came from."""

    folder: Path
    project: Path
    release: Release

    @property
    def table(self) -> pd.DataFrame:
        """The held-out rows, as evaluation read them."""
        return pd.read_parquet(self.project / layout.TEST_TABLE)

    @property
    def scores(self) -> Any:
        """What evaluation scored them, in the same order."""
        return pd.read_parquet(self.project / layout.PREDICTIONS)["score"].to_numpy()

    @property
    def columns(self) -> list[str]:
        """The columns that the model reads, in its order."""
        return list(json.loads((self.folder / "probes.json").read_bytes())["columns"])


def make_release(
    folder: Path,
    *,
    version: str = "1",
    entry: int | None = 1,
    pull_request: int | None = 1,
    model: dict[str, Any] | None = None,
    threshold: float = 0.5,
    frame: pd.DataFrame | None = None,
    environment: str = "production",
    **sections: Any,
) -> Made:
    """Train, evaluate, and lay out a release folder.

    Args:
        folder: Holds `release` and `project` afterwards.
        version: In the registry.
        entry: The ledger entry that declares it.
        model: The section of the settings; logistic regression unless given.
        threshold: Of `evaluate`.
        frame: The table; 300 customers unless given.
        sections: Further sections of the settings.
    """
    evaluate = {"threshold": threshold, "bootstrap": 100, **sections.pop("evaluate", {})}
    project = make_project(
        folder / "project",
        frame=make_frame(300) if frame is None else frame,
        model=model or LINE,
        evaluate=evaluate,
        **sections,
    )
    with threadpool_limits(1):  # several threads on busy cores wait for each other
        run_stages(project, "prepare", "train", "evaluate")
    made = folder / "release"
    shutil.copytree(project / layout.MODEL, made / "model")
    shutil.copy(project / layout.PROBES, made / "probes.json")
    (made / "evidence").mkdir()
    for stage in ("prepare", "train", "evaluate"):
        shutil.copy(project / layout.evidence(stage), made / "evidence")
    release = _release(made, version, pull_request)
    said = {"entry": entry, "environment": environment, "release": release.as_json()}
    (made / "release.json").write_text(json.dumps(said))
    return Made(made, project, release)


def make_by_hand(folder: Path, task: Task, *, classes: tuple[str, ...] = ()) -> Made:
    """Lay out a release folder of a task, with no stage: model, probes and what evaluate says.

    Args:
        folder: Holds `release` afterwards, and the held-out rows and predictions.
        task: Several classes or a number.
        classes: Of several.
    """
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import Pipeline

    frame = whole_frame()
    features = tuple(Feature(name=name, kind="number") for name in ("age", "visits"))
    prepare = ColumnTransformer([("numbers", "passthrough", ["age", "visits"])])
    several = task == "multiclass"
    target = (frame["age"] % len(classes)).astype("int64") if several else 271.3 * frame["age"]
    estimator = LogisticRegression() if several else LinearRegression()
    rows = cast_features(frame, features)
    pipeline = Pipeline([("prepare", prepare), ("estimator", estimator)]).fit(rows, target)
    made = folder / "release"
    save_model(pipeline, made / "model", Description(task, "left", None, classes, features))
    scorer = load_scorer(made / "model")
    (made / "probes.json").write_text(make_probes(frame, scorer, seed=0).model_dump_json())
    (made / "evidence").mkdir()
    plan = plans.three_classes() if several else plans.regression()
    said = plan.evidence.evaluate.model_dump_json()
    (made / "evidence/evaluate.json").write_text(said)
    release = _release(made, "1", 1)
    told = {"entry": 1, "environment": "production", "release": release.as_json()}
    (made / "release.json").write_text(json.dumps(told))
    (folder / layout.TEST_TABLE).parent.mkdir(parents=True)
    frame.to_parquet(folder / layout.TEST_TABLE)
    found = Predictions(task, np.asarray(target), scorer.score(frame), None, classes)
    (folder / layout.PREDICTIONS).parent.mkdir(parents=True, exist_ok=True)
    found.table([f"{at}" for at in range(len(frame))]).to_parquet(folder / layout.PREDICTIONS)
    return Made(made, folder, release)


def brittle() -> Any:
    """Return a whole pipeline that knows nothing to do with a missing number.

    It trains and evaluates well on a table without any; a request that holds one ends in an
    error of the model. Use it as `model=BRITTLE` with
    `frame=whole_frame()`.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    prepare = ColumnTransformer([("numbers", "passthrough", ["age", "visits"])])
    return Pipeline([("prepare", prepare), ("estimator", LogisticRegression())])


BRITTLE = {"estimator": None, "factory": "serve.releases_made:brittle"}


def whole_frame(rows: int = 300) -> pd.DataFrame:
    """Return customers of whom everything is known."""
    return make_frame(2 * rows).dropna().head(rows).reset_index(drop=True)


def change_scores(folder: Path, by: float = 1e-6) -> None:
    """Make the probe rows of a release folder say that the model scores otherwise."""
    path = folder / "probes.json"
    probes = json.loads(path.read_bytes())
    probes["scores"] = [[*row[:-1], row[-1] + by] for row in probes["scores"]]
    path.write_text(json.dumps(probes))


def _release(folder: Path, version: str, pull_request: int | None) -> Release:
    model = directory_digest(folder / "model")
    inputs = sha256(f"inputs of {version}".encode())
    return Release(
        project="toy",
        version=version,
        key=promotion_key("toy", inputs, model),
        inputs=inputs,
        model=model,
        evidence=sha256((folder / "evidence/evaluate.json").read_bytes()),
        commit=sha256(f"commit of {version}".encode())[:40],
        tree=sha256(f"tree of {version}".encode())[:40],
        pull_request=pull_request,
    )
