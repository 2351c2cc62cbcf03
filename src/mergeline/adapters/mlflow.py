"""MLflow: one run for each candidate. MLflow is imported inside only; it takes seconds."""

import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mergeline.adapters.mlflow_values import IDENTITY, metrics_of, params_of, tags_of
from mergeline.core import layout
from mergeline.core.evidence import STAGES, PrepareContent
from mergeline.core.plan import Plan
from mergeline.errors import ToolError

# Without the probes: they are rows of the data.
_EVIDENCE = (
    *(layout.evidence(stage) for stage in STAGES),
    layout.METRICS,
    layout.CANDIDATE,
    layout.VERDICT,
)

# MLflow waits two minutes for an answer and asks eight times; a repeated "create" makes a
# second run. Telemetry, hints and progress are not ours to show.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

# MLflow takes 1000 metrics, 100 parameters and a megabyte a request. A parameter of 6000
# characters can be 72,000 bytes of JSON.
_METRICS_AT_ONCE = 1000
_PARAMS_AT_ONCE = 10
_LONGEST_DIGEST = 36
_LONGEST_DATASET = 500
_LONGEST_CAUSE = 300
_HIDDEN = "***"


def tracking_uri(settings_uri: str | None, environ: Mapping[str, str]) -> str | None:
    """Return where runs are logged; None for nowhere.

    Args:
        settings_uri: `tracking.uri` of the settings.
        environ: The process's environment; its `MLFLOW_TRACKING_URI` wins.
    """
    return environ.get("MLFLOW_TRACKING_URI", "").strip() or settings_uri or None


def track_plan(root: Path, plan: Plan, uri: str) -> str:
    """Log a plan as one MLflow run in the experiment named after the project.

    A candidate that was logged before, with the same key, evidence and base, keeps its run: what
    may have changed since (verdict, commit, comment) is logged again, and a run that was
    not finished is finished.

    Args:
        root: The project's root; its `reports/` hold the evidence and the comment.
        plan: What to log.
        uri: Of the tracking server or store; a relative SQLite path starts at the root.

    Returns:
        The id of the run.

    Raises:
        ToolError: The server or store cannot be reached or used.
    """
    with _reporting(uri):
        store = _open(root, uri)
        experiment = _experiment(store, plan.project)
        run = _find(store.client, experiment, plan) or _create(store.client, experiment, plan)
        if run.info.status != "FINISHED":
            _log_measurements(store.client, run, plan)
        _log_tags_and_files(store.client, run.info.run_id, root, plan)
        if run.info.status != "FINISHED":
            store.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)


# --- the store ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Store:
    """A client and, for a SQLite file, where the artifacts lie: beside it, as a URI."""

    client: Any
    artifacts: str | None
    embedded: bool


def _open(root: Path, uri: str) -> _Store:
    from mlflow.tracking import MlflowClient

    scheme, _, rest = uri.partition(":///")
    name = rest.partition("?")[0]
    if scheme != "sqlite" or name in ("", ":memory:"):
        return _Store(MlflowClient(tracking_uri=uri), None, embedded=False)
    path = root.resolve() / name
    if not path.exists():
        _make_sqlite(path)
    client = MlflowClient(tracking_uri=f"sqlite:///{path}")
    embedded = not Path(name).is_absolute()
    return _Store(client, (path.parent / "artifacts").as_uri(), embedded)


def _make_sqlite(path: Path) -> None:
    """Make a new store, whole or not at all: MLflow cannot use one that is half made."""
    from mlflow.tracking import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        MlflowClient(tracking_uri=f"sqlite:///{temporary}")
        if not path.exists():
            temporary.replace(path)
    finally:
        for left in path.parent.iterdir():
            if left.name.startswith(temporary.name):
                left.unlink()


def _experiment(store: _Store, name: str) -> str:
    """Return the id of the project's experiment, made where there is none."""
    found = store.client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        raise ToolError(
            f"the MLflow experiment {name!r} is deleted",
            hint=f"restore it: mlflow experiments restore --experiment-id {found.experiment_id}",
        )
    if found is not None and store.embedded and found.artifact_location != store.artifacts:
        # The project was moved or copied: new files must not go to the old place.
        store.client.rename_experiment(
            found.experiment_id, f"{name} ({found.experiment_id}, before the project was moved)"
        )
        found = None
    if found is None:
        return str(store.client.create_experiment(name, artifact_location=store.artifacts))
    return str(found.experiment_id)


# --- the run -----------------------------------------------------------------------


def _find(client: Any, experiment: str, plan: Plan) -> Any | None:
    tags = tags_of(plan)
    same = " and ".join(f"tags.`{name}` = '{tags[name]}'" for name in IDENTITY)
    oldest = ["attributes.start_time ASC"]
    runs = client.search_runs([experiment], same, max_results=1, order_by=oldest)
    return runs[0] if runs else None


def _create(client: Any, experiment: str, plan: Plan) -> Any:
    name = plan.candidate.commit[:12]
    return client.create_run(experiment, tags=tags_of(plan), run_name=name)


def _log_measurements(client: Any, run: Any, plan: Plan) -> None:
    """Log what the candidate's digests bind: it never changes, so this may be repeated."""
    from mlflow.entities import Metric, Param

    run_id, known = run.info.run_id, run.data.params
    params = [Param(key, value) for key, value in params_of(plan).items() if key not in known]
    for start in range(0, len(params), _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[start : start + _PARAMS_AT_ONCE], synchronous=True)
    # The run's own time: a metric logged twice with the same time is one.
    time = run.info.start_time
    metrics = [Metric(key, value, time, 0) for key, value in metrics_of(plan).items()]
    for start in range(0, len(metrics), _METRICS_AT_ONCE):
        some = metrics[start : start + _METRICS_AT_ONCE]
        client.log_batch(run_id, metrics=some, synchronous=True)
    if plan.evidence.prepare is not None:
        client.log_inputs(run_id, [_dataset(plan.evidence.prepare.content)])


def _dataset(data: PrepareContent) -> Any:
    """Return the data's name and digest; not the data."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    profile = {"num_rows": data.rows, "bytes": data.bytes, "sha256": data.sha256}
    dataset = Dataset(
        name=PurePosixPath(data.source).name[:_LONGEST_DATASET],
        digest=data.sha256[:_LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": data.source}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _log_tags_and_files(client: Any, run_id: str, root: Path, plan: Plan) -> None:
    from mlflow.entities import RunTag

    tags = [RunTag(key, value) for key, value in tags_of(plan).items()]
    client.log_batch(run_id, tags=tags, synchronous=True)
    for path in _EVIDENCE:
        if (root / path).is_file():
            client.log_artifact(run_id, str(root / path), "evidence")
    if (root / layout.COMMENT).is_file():
        client.log_artifact(run_id, str(root / layout.COMMENT))


# --- quiet, and errors without secrets -----------------------------------------------


@contextmanager
def _reporting(uri: str) -> Iterator[None]:
    """Keep MLflow quiet and impatient, and turn whatever it raises into one message."""
    added = {name: value for name, value in _ENVIRONMENT.items() if name not in os.environ}
    level = logging.root.manager.disable
    os.environ.update(added)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _failures() as error:
        # Not "from error": its text may hold the credentials of the URI.
        raise _unusable(uri, error) from None
    finally:
        logging.disable(level)
        for name in added:
            os.environ.pop(name, None)


def _failures() -> tuple[type[Exception], ...]:
    from mlflow.exceptions import MlflowException

    sql = sys.modules.get("sqlalchemy.exc")
    return (MlflowException, OSError, ImportError, *([sql.SQLAlchemyError] if sql else []))


def _unusable(uri: str, error: Exception) -> ToolError:
    # The network's own words stand last, after three layers of "failed".
    text = _without_secrets(uri, error).rpartition("(Caused by ")[2]
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    cause = " ".join(line.split())[:_LONGEST_CAUSE]
    return ToolError(
        f"MLflow at {public_uri(uri)} cannot be used: {cause}",
        hint="start it or check the address and its credentials (MLFLOW_TRACKING_URI, which wins, "
        "or tracking.uri in params.yaml); without an address nothing is tracked",
    )


def _without_secrets(uri: str, error: Exception) -> str:
    place = public_uri(uri)
    if place.endswith(_HIDDEN):
        return type(error).__name__
    text = str(error).replace(uri, place)
    user = re.split(r"[/?#]", uri.partition("://")[2])[0].rpartition("@")[0]
    text = text.replace(user, _HIDDEN) if user else text
    return re.sub(r"(?<=://)[^/\s]*@", "", re.sub(r"\?[^\s'\")]+", f"?{_HIDDEN}", text))


def public_uri(uri: str) -> str:
    """Return a URI without what may be secret in it: user, password and query."""
    scheme, found, rest = uri.partition("://")
    if scheme == "sqlite":
        return uri
    host, *others = re.split(r"[/?#]", rest if found else uri, maxsplit=1)
    if "@" in "".join(others) or ("@" in host and not found):
        # Perhaps a slash within a password: what is secret cannot be told.
        return f"{scheme}://{_HIDDEN}" if found else _HIDDEN
    return f"{scheme}{found}{re.split('[?#]', rest)[0].rpartition('@')[2]}"
