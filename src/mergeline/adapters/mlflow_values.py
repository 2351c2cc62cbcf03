"""A plan in MLflow's terms: parameters, metrics and tags under names that every store takes."""

import json
import re
from collections.abc import Iterator
from typing import Any

from mergeline.core.base import Estimate
from mergeline.core.digest import sha256
from mergeline.core.evidence import EvaluateContent
from mergeline.core.plan import Plan

# MLflow's own limits (mlflow.utils.validation).
_LONGEST_NAME = 250
_LONGEST_VALUE = 6000
# Fewer than MLflow allows: a slash would make a folder, a colon fails on Windows.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\- ]+|^\.|^ | $")

# How the tags of gates begin, and how many there are at most.
GATE = "mergeline.gate."
_GATES = 200

# What makes two plans the same run.
IDENTITY = ("mergeline.key", "mergeline.evidence", "mergeline.base")


def params_of(plan: Plan) -> dict[str, str]:
    """Return what the candidate was made with; nested values get dotted names.

    Values that are not text are JSON, as they stand in the settings.
    """
    prepare, train, evaluate = plan.evidence.prepare, plan.evidence.train, plan.evidence.evaluate
    found: dict[str, Any] = {}
    if prepare is not None:
        split = prepare.content.split.as_json()
        found["split"] = {name: split[name] for name in ("method", "by", "key", "test", "after")}
    if train is not None:
        made = train.content
        found |= {"task": made.task, "estimator": made.estimator, "params": made.params}
        found |= {"class_weight": made.class_weight, "seed": made.seed}
        found |= {"mitigation": made.mitigation} if made.mitigation else {}
    if evaluate is not None and evaluate.content.threshold is not None:
        found["threshold"] = evaluate.content.threshold
    return {
        safe_name(name): value[:_LONGEST_VALUE]
        for top, item in found.items()
        for name, value in _flat(top, item)
    }


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(f"{name}.{key}", item)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield name, text


def metrics_of(plan: Plan) -> dict[str, float]:
    """Return metrics, gaps between groups and changes, with the ends of their intervals.

    All are of held-out rows. A metric of one class of several is `class_<name>_<metric>`, a
    quantile of a regression's errors `error_p<percent>`, a gap `gap_<by>_<name>`, the change of a
    metric against the baseline on common rows `change_<metric>`; the ends of an interval are
    `<metric>_low` and `<metric>_high`. What could not be measured is left out.
    """
    evaluate, fairness = plan.evidence.evaluate, plan.evidence.fairness
    found = _measured(evaluate.content) if evaluate is not None else {}
    for item in fairness.content.by if fairness is not None else ():
        by = item.by.replace(" & ", "_and_")
        found |= {f"gap_{by}_{name}": gap.difference for name, gap in item.gaps.items()}
    pairs = plan.comparison.metrics if plan.comparison is not None else {}
    found |= {f"change_{name}": pair.delta for name, pair in pairs.items()}
    return {
        safe_name(name): value
        for metric, estimate in found.items()
        for name, value in _numbers(metric, estimate)
    }


def _measured(content: EvaluateContent) -> dict[str, Estimate]:
    found = dict(content.metrics)
    for each in content.classes:
        found |= {f"class_{each.name}_{name}": value for name, value in each.metrics.items()}
    if content.residuals is not None:
        for percent, value in content.residuals.quantiles.items():
            found[f"error_p{percent}"] = Estimate(value=value, n=content.n)
    return found


def _numbers(name: str, estimate: Estimate) -> Iterator[tuple[str, float]]:
    ends = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return ((key, value) for key, value in ends.items() if value is not None)


def tags_of(plan: Plan) -> dict[str, str]:
    """Return the commits, the digest chain and the verdict."""
    candidate = plan.candidate
    return {
        "mergeline.commit": candidate.commit,
        "mergeline.tree": candidate.tree,
        "mergeline.base": candidate.base or "none",
        "mergeline.inputs": candidate.inputs,
        "mergeline.model": candidate.model,
        "mergeline.evidence": candidate.evidence,
        "mergeline.key": candidate.key,
        "mergeline.verdict": plan.judgement.outcome.name,
        "mergeline.dirty": "true" if candidate.dirty else "false",
        "mlflow.source.git.commit": candidate.commit,
        "mlflow.source.name": "mergeline check",
    }


def gate_tags(plan: Plan) -> dict[str, str]:
    """Return the outcome of each gate by the rules in force."""
    gates = plan.judgement.verdict.gates[:_GATES]
    return {safe_name(f"{GATE}{gate.name}"): gate.outcome.name for gate in gates}


def safe_name(name: str) -> str:
    """Return a name that MLflow takes.

    A name that must be changed ends in a part of its own digest, so that two never become one.
    """
    clean = _UNSAFE.sub("_", name)
    if clean and clean == name and len(name) <= _LONGEST_NAME:
        return name
    mark = "-" + sha256(name.encode("utf-8", "surrogatepass"))[:8]
    return clean[: _LONGEST_NAME - len(mark)] + mark
