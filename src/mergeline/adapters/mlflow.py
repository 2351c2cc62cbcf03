"""MLflow: one run for each candidate. MLflow is imported inside only; it takes seconds."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mergeline.adapters.mlflow_store import experiment_of, open_store, reporting
from mergeline.adapters.mlflow_values import IDENTITY, metrics_of, params_of, tags_of
from mergeline.core import layout
from mergeline.core.evidence import STAGES, PrepareContent
from mergeline.core.plan import Plan
from mergeline.errors import ToolError

# What was found out; the model and its probes are the registry's.
_EVIDENCE = (
    *(layout.evidence(stage) for stage in STAGES),
    layout.METRICS,
    layout.CANDIDATE,
    layout.VERDICT,
)

# MLflow takes 1000 metrics, 100 parameters and a megabyte a request. A parameter of 6000
# characters can be 72,000 bytes of JSON.
_METRICS_AT_ONCE = 1000
_PARAMS_AT_ONCE = 10
_LONGEST_DIGEST = 36
_LONGEST_DATASET = 500

_HINT = (
    "start it or check the address and its credentials (MLFLOW_TRACKING_URI, which wins, "
    "or tracking.uri in params.yaml); without an address nothing is tracked"
)


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
    with reporting(uri, ToolError, _HINT):
        store = open_store(root, uri, "artifacts")
        experiment = experiment_of(store, plan.project)
        run = _find(store.client, experiment, plan) or _create(store.client, experiment, plan)
        if run.info.status != "FINISHED":
            _log_measurements(store.client, run, plan)
        _log_tags_and_files(store.client, run.info.run_id, root, plan)
        if run.info.status != "FINISHED":
            store.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)


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
