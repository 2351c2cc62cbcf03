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
from mergeline.ledger.entries import Release
from mergeline.model.canonical import directory_digest
from projects import make_frame, make_project, run_stages

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
    probes["scores"] = [[score + by] for (score,) in probes["scores"]]
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
