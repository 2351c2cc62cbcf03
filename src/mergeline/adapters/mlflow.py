"""MLflow: one run for each candidate. MLflow is imported inside only; it takes seconds."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mergeline.adapters.mlflow_data import datasets_of
from mergeline.adapters.mlflow_store import experiment_of, open_store, reporting
from mergeline.adapters.mlflow_values import (
    GATE,
    IDENTITY,
    gate_tags,
    metrics_of,
    params_of,
    tags_of,
)
from mergeline.core import layout
from mergeline.core.evidence import STAGES
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
_TAGS_AT_ONCE = 100

_HINT = (
    "start it or check the address and its credentials (MLFLOW_TRACKING_URI, which wins, "
    "or tracking.uri in params.yaml); without an address nothing is tracked"
)


@dataclass(frozen=True)
class Rendered:
    """What people see of a plan, made by whoever has the words.

    Attributes:
        note: Markdown, which MLflow shows at the top of the run's page.
        files: Bytes by their path among the artifacts, e.g. `charts/roc.svg`.
    """

    note: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


def tracking_uri(settings_uri: str | None, environ: Mapping[str, str]) -> str | None:
    """Return where runs are logged; None for nowhere.

    Args:
        settings_uri: `tracking.uri` of the settings.
        environ: The process's environment; its `MLFLOW_TRACKING_URI` wins.
    """
    return environ.get("MLFLOW_TRACKING_URI", "").strip() or settings_uri or None


def track_plan(root: Path, plan: Plan, uri: str, rendered: Rendered | None = None) -> str:
    """Log a plan as one MLflow run in the experiment named after the project.

    A candidate that was logged before, with the same key, evidence and base, keeps its run: what
    may have changed since (verdict, commit, comment) is logged again, and a run that was
    not finished is finished.

    Args:
        root: The project's root; its `reports/` hold the evidence and the comment.
        plan: What to log.
        uri: Of the tracking server or store; a relative SQLite path starts at the root.
        rendered: What people see of it.

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
        _log_tags(store.client, run, plan, rendered or Rendered())
        _log_files(store.client, run.info.run_id, root, rendered or Rendered())
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
        client.log_inputs(run_id, datasets_of(plan.evidence))


def _log_tags(client: Any, run: Any, plan: Plan, rendered: Rendered) -> None:
    """Log what a later verdict on the same candidate may say otherwise."""
    from mlflow.entities import RunTag

    gates = gate_tags(plan)
    note = {"mlflow.note.content": rendered.note} if rendered.note else {}
    tags = [RunTag(key, value) for key, value in {**tags_of(plan), **note, **gates}.items()]
    for start in range(0, len(tags), _TAGS_AT_ONCE):
        some = tags[start : start + _TAGS_AT_ONCE]
        client.log_batch(run.info.run_id, tags=some, synchronous=True)
    for name in run.data.tags:
        if name.startswith(GATE) and name not in gates:
            client.delete_tag(run.info.run_id, name)


def _log_files(client: Any, run_id: str, root: Path, rendered: Rendered) -> None:
    for path in _EVIDENCE:
        if (root / path).is_file():
            client.log_artifact(run_id, str(root / path), "evidence")
    if (root / layout.COMMENT).is_file():
        client.log_artifact(run_id, str(root / layout.COMMENT))
    if not rendered.files:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, data in rendered.files.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        client.log_artifacts(run_id, folder)
