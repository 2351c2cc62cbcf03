"""Which settings do not fit together, each with the key to change."""

import codecs
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, pairwise
from pathlib import PurePosixPath, PureWindowsPath
from typing import get_args

from mergeline.config.problem import Problem, Steps, did_you_mean, printable, shown
from mergeline.config.settings import MetricName, Settings
from mergeline.core.labels import label_text
from mergeline.core.policy import FairnessGate, MetricGate
from mergeline.core.task import GAPS, UNBOUNDED


def disagreements(settings: Settings) -> list[Problem]:
    """Return what does not fit together in settings whose values are right one by one."""
    rules = (_paths, _columns, _split, _class_weight, _repeats, _bins, _gates, _waivers)
    return [problem for rule in rules for problem in rule(settings)]


# --- data ------------------------------------------------------------------------


def _paths(settings: Settings) -> Iterator[Problem]:
    for key in ("source", "contract"):
        path = getattr(settings.data, key)
        if path is not None and not _inside_project(path):
            yield Problem(
                ("data", key),
                f"found {shown(path)}, expected a path relative to params.yaml "
                "that stays inside the project, with /",
            )
    try:
        codecs.lookup(settings.data.encoding)
    except (LookupError, ValueError):
        name = shown(settings.data.encoding)
        yield Problem(
            ("data", "encoding"), f"found {name}, expected an encoding such as utf-8 or latin-1"
        )


def _inside_project(path: str) -> bool:
    parts = PurePosixPath(path).parts
    outside = PureWindowsPath(path).anchor or "\\" in path or "\0" in path
    return bool(parts) and ".." not in parts and not outside


def _columns(settings: Settings) -> Iterator[Problem]:
    data = settings.data
    roles: dict[str, str] = {}
    for role in ("target", "id", "group", "time"):
        column = getattr(data, role)
        if column is not None and column in roles:
            text = f"found {shown(column)}, which is the {roles[column]} already"
            yield Problem(("data", role), text)
        roles.setdefault(column, role)
    for key in ("sensitive", "exclude"):
        columns = getattr(data, key)
        if data.target in columns:
            text = f"found {shown(data.target)}, which is the target; leave it out here"
            yield Problem(("data", key, columns.index(data.target)), text)
    for place, column in enumerate(data.sensitive):
        if " & " in column:
            # `sex & age` names an intersection: a column of that name would stand in for it.
            text = f'found {shown(column)}, expected a name without " & ", which joins columns'
            yield Problem(("data", "sensitive", place), f"{text}; rename the column")


def _split(settings: Settings) -> Iterator[Problem]:
    if settings.split.after is not None and settings.data.time is None:
        yield Problem(
            ("split", "after"), "a split by time needs data.time, the column that holds the time"
        )


def _class_weight(settings: Settings) -> Iterator[Problem]:
    weights = settings.model.class_weight
    if not isinstance(weights, dict):
        return
    path: Steps = ("model", "class_weight")
    for name, weight in weights.items():
        if weight <= 0:
            yield Problem((*path, name), f"found {weight:g}, expected a number above 0")
        if name != label_text(name):
            text = f"found {shown(name)}, write {label_text(name)}, as this class is called"
            yield Problem((*path, name), text)
    if settings.data.task != "binary":
        return
    positive = label_text(settings.data.positive)
    if len(weights) != 2 or positive not in map(label_text, weights):  # noqa: PLR2004 -- two classes
        found = ", ".join(weights) or "no class"
        yield Problem(
            path,
            f"found weights for {printable(found)}, expected one for each of the two classes; "
            f"the positive one is {shown(positive)}",
        )


# --- lists -----------------------------------------------------------------------


def _repeats(settings: Settings) -> Iterator[Problem]:
    lists: dict[Steps, Sequence[str]] = {
        ("data", "sensitive"): settings.data.sensitive,
        ("data", "exclude"): settings.data.exclude,
        ("evaluate", "metrics"): settings.evaluate.metrics or (),
        ("evaluate", "slices"): settings.evaluate.slices,
        ("fairness", "metrics"): settings.fairness.metrics or (),
    }
    for path, values in lists.items():
        for place, value in enumerate(values):
            if value in values[:place]:
                yield Problem((*path, place), f"{shown(value)} is given twice")


def _bins(settings: Settings) -> Iterator[Problem]:
    sensitive = settings.data.sensitive
    for column, edges in settings.fairness.bins.items():
        path: Steps = ("fairness", "bins", column)
        if column not in sensitive:
            meant = did_you_mean(column, sensitive)
            text = f"{shown(column)} is not in data.sensitive"
            yield Problem(path, f"{text}; did you mean {meant}?" if meant else text)
        for low, high in pairwise(edges):
            if low >= high:
                text = f"found {low:g} before {high:g}, expected edges that increase"
                yield Problem(path, text)


# --- gates and waivers -----------------------------------------------------------


def _gates(settings: Settings) -> Iterator[Problem]:
    for name, gate in settings.gates.items():
        path: Steps = ("gates", name)
        if isinstance(gate, MetricGate):
            yield from _measured(path, gate.metric, settings)
        if isinstance(gate, FairnessGate):
            yield from _by(path, gate.by, settings.data.sensitive)
        if isinstance(gate, MetricGate | FairnessGate):
            yield from _limits(path, gate)


def _measured(path: Steps, metric: str, settings: Settings) -> Iterator[Problem]:
    measured = settings.metric_names
    if metric in measured:
        return
    text = f"found {shown(metric)}, which is not measured"
    meant = did_you_mean(metric, measured)
    if metric in get_args(MetricName):
        text += "; add it to evaluate.metrics"
    elif meant:
        text += f"; did you mean {meant}?"
    else:
        text += f", expected one of {', '.join(measured)}"
    yield Problem((*path, "metric"), text)


def _by(path: Steps, by: str, sensitive: Sequence[str]) -> Iterator[Problem]:
    if by in _groupings(sensitive):
        return
    columns = [part.strip() for part in by.split("&")]
    ordered = " & ".join(column for column in sensitive if column in columns)
    meant = did_you_mean(by, sensitive)
    text = f"found {shown(by)}"
    if not sensitive:
        text += ", but data.sensitive names no column"
    elif set(columns) <= set(sensitive) and ordered in _groupings(sensitive):
        text += f"; write {shown(ordered)}, the columns in the order of data.sensitive"
    elif meant and len(columns) == 1:
        text += f", which is not in data.sensitive; did you mean {meant}?"
    else:
        text += f", expected one of {', '.join(map(shown, _groupings(sensitive)))}"
    yield Problem((*path, "by"), text)


def _groupings(sensitive: Sequence[str]) -> list[str]:
    """Return by what bias is measured: each column, each pair, and all where there are three."""
    three = [" & ".join(sensitive)] if len(sensitive) == 3 else []  # noqa: PLR2004
    return [*sensitive, *(" & ".join(pair) for pair in combinations(sensitive, 2)), *three]


def _limits(path: Steps, gate: MetricGate | FairnessGate) -> Iterator[Problem]:
    subject = gate.metric if isinstance(gate, MetricGate) else gate.fairness
    known = (*get_args(MetricName), *chain(*GAPS.values()))
    if subject in UNBOUNDED or subject.startswith("mean_") or subject not in known:
        return
    for key in ("at_least", "at_most", "no_worse_than_baseline_by"):
        limit = getattr(gate, key)
        if limit is not None and not 0 <= limit <= 1:
            yield Problem((*path, key), f"found {limit:g}, but {subject} lies between 0 and 1")


def _waivers(settings: Settings) -> Iterator[Problem]:
    for place, waiver in enumerate(settings.waivers):
        if waiver.gate in settings.gates:
            continue
        text = f"found {shown(waiver.gate)}, which is not a gate"
        meant = did_you_mean(waiver.gate, settings.gates)
        if meant:
            text += f"; did you mean {meant}?"
        else:
            text += f"; the gates are: {', '.join(settings.gates) or 'none'}"
        yield Problem(("waivers", place, "gate"), text)
