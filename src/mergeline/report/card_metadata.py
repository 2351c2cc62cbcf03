"""The front matter of a model card: what Hugging Face's tools read, as YAML."""

from collections.abc import Iterator
from io import StringIO
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from mergeline.core.base import Estimate
from mergeline.core.evidence import EvaluateContent
from mergeline.core.plan import Plan
from mergeline.core.task import Task
from mergeline.report.markdown import inert

_NAME, _LINE = 120, 100_000
_MOST = 60  # metrics, and gaps
_PIPELINE: dict[Task, str] = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
}
_TASK: dict[Task, str] = {
    "binary": "Classification of rows, two classes",
    "multiclass": "Classification of rows, several classes",
    "regression": "Regression on rows",
}
# The licences of SPDX that Hugging Face knows by the same name in small letters.
_LICENSES = frozenset(
    (
        *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "epl-2.0", "isc", "zlib"),
        *("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "unlicense"),
    )
)
_LIBRARIES = ("lightgbm", "xgboost", "onnx")


def front_matter(plan: Plan) -> str:
    """Return the block between two lines of dashes that a card on Hugging Face starts with.

    A string of somebody else's stands in quotes on one line: read back, it is one string. Where a
    viewer takes the block for Markdown, as MLflow's does, nothing in it acts either.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _LINE
    text = StringIO()
    yaml.dump(_quoted(_metadata(plan)), text)
    return f"---\n{text.getvalue()}---\n"


def _metadata(plan: Plan) -> dict[str, Any]:
    evaluate = plan.evidence.evaluate
    task = _task(plan)
    found: dict[str, Any] = _license(plan.card.license)
    found |= {"library_name": _library(plan), "tags": ["tabular", task, "mergeline"]}
    found |= {"pipeline_tag": _PIPELINE[task]}
    if plan.evidence.prepare is not None:
        found["datasets"] = [_dataset(plan)]
    if evaluate is not None:
        found["metrics"] = list(evaluate.content.metrics)[:_MOST]
        results = [_result(plan, evaluate.content, task)]
        found["model-index"] = [{"name": plan.project, "results": results}]
    return found


def _task(plan: Plan) -> Task:
    return plan.evidence.evaluate.content.task if plan.evidence.evaluate else "binary"


def _license(said: str) -> dict[str, str]:
    if not said:
        return {}
    known = said.strip().lower()
    return {"license": known} if known in _LICENSES else {"license": "other", "license_name": said}


def _library(plan: Plan) -> str:
    made_by = plan.evidence.train.content.estimator if plan.evidence.train else ""
    first = made_by.split(".")[0].split(" ")[0]
    return first if first in _LIBRARIES else "sklearn"


def _dataset(plan: Plan) -> str:
    prepare = plan.evidence.prepare
    return PurePosixPath(prepare.content.source).name if prepare is not None else plan.project


def _result(plan: Plan, content: EvaluateContent, task: Task) -> dict[str, Any]:
    prepare = plan.evidence.prepare
    dataset: dict[str, Any] = {"name": _dataset(plan), "type": "tabular", "split": "test"}
    if prepare is not None:
        dataset["revision"] = prepare.content.sha256
    metrics = [
        _metric(name, name, estimate) for name, estimate in list(content.metrics.items())[:_MOST]
    ]
    return {
        "task": {"type": _PIPELINE[task], "name": _TASK[task]},
        "dataset": dataset,
        "metrics": [each for each in (*metrics, *_gaps(plan)) if each],
    }


def _gaps(plan: Plan) -> Iterator[dict[str, Any]]:
    fairness = plan.evidence.fairness
    found = fairness.content.by if fairness is not None else ()
    gaps = [(by.by, name, gap) for by in found for name, gap in by.gaps.items()]
    for by, name, gap in gaps[:_MOST]:
        yield _metric(name, f"{name} by {by}", gap.difference)


def _metric(kind: str, name: str, estimate: Estimate) -> dict[str, Any]:
    """Return a metric with its interval; nothing for one that could not be measured."""
    if estimate.value is None:
        return {}
    args: dict[str, Any] = {"rows": estimate.n}
    if estimate.low is not None and estimate.high is not None:
        args |= {"confidence_interval": [estimate.low, estimate.high], "confidence_level": 0.95}
    return {"type": kind, "name": name, "value": estimate.value, "args": args}


def _quoted(value: Any) -> Any:
    """Return the same with every string that is no key of ours as one in quotes."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    if not isinstance(value, str):
        return value
    return DoubleQuotedScalarString(value if value in _LICENSES else inert(value, _NAME))
