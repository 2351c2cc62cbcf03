"""Which settings do not fit together, each with the key to change."""

import codecs
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath, PureWindowsPath

from mergeline.config.gate_rules import gate_problems, waiver_problems
from mergeline.config.problem import Problem, Steps, did_you_mean, shown
from mergeline.config.settings import Settings
from mergeline.config.task_rules import (
    class_weight_problems,
    cost_problems,
    mitigation_problems,
    task_problems,
)


def disagreements(settings: Settings) -> list[Problem]:
    """Return what does not fit together in settings whose values are right one by one."""
    data = (_paths, _columns, _numbers, _split)
    model = (task_problems, cost_problems, class_weight_problems, mitigation_problems, _onnx)
    rules = (*data, *model, _repeats, _bins, gate_problems, waiver_problems)
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


def _numbers(settings: Settings) -> Iterator[Problem]:
    data = settings.data
    if data.thousands == data.decimal:
        both = f"found {shown(data.thousands)}, which is data.decimal too"
        yield Problem(("data", "thousands"), f"{both}: 1{data.decimal}5 would be read as 15")


def _split(settings: Settings) -> Iterator[Problem]:
    if settings.split.after is not None and settings.data.time is None:
        yield Problem(
            ("split", "after"), "a split by time needs data.time, the column that holds the time"
        )


def _onnx(settings: Settings) -> Iterator[Problem]:
    """What only training uses: a stage of the project's own has trained already."""
    model = settings.model
    if model.onnx is None:
        return
    if not _inside_project(model.onnx):
        yield Problem(
            ("model", "onnx"),
            f"found {shown(model.onnx)}, expected a path relative to params.yaml "
            "that stays inside the project, with /",
        )
    given = {
        ("model", "params"): bool(model.params),
        ("model", "class_weight"): model.class_weight is not None,
        ("fairness", "mitigation"): settings.fairness.mitigation is not None,
    }
    for path, there in given.items():
        if there:
            text = "it is for training, and model.onnx is trained already: leave it out"
            yield Problem(path, f"{text}, or do it in the stage that makes {shown(model.onnx)}")


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
