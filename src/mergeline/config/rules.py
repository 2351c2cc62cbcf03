"""Which settings do not fit together, each with the key to change."""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, pairwise
from pathlib import PurePosixPath, PureWindowsPath

from mergeline.config.problem import Problem, Steps, did_you_mean, printable, shown
from mergeline.config.settings import Settings
from mergeline.config.table_gates import data_problems, slice_problems
from mergeline.core.labels import label_text
from mergeline.core.policy import DataGate, FairnessGate, MetricGate, SliceGate
from mergeline.core.task import GAPS, METRICS, RATES, UNBOUNDED, Task

# By what fairlearn's reductions can constrain training.
_CONSTRAINTS: Mapping[Task, Sequence[str]] = {
    "binary": ("demographic_parity", "equalized_odds", "true_positive_rate_parity"),
    "multiclass": (),
    "regression": ("bounded_group_loss",),
}


def disagreements(settings: Settings) -> list[Problem]:
    """Return what does not fit together in settings whose values are right one by one."""
    data = (_paths, _columns, _split)
    rules = (*data, _task, _class_weight, _mitigation, _onnx, _repeats, _bins, _gates, _waivers)
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


# --- the task --------------------------------------------------------------------


def _task(settings: Settings) -> Iterator[Problem]:
    """Name what does not fit `data.task`."""
    task, evaluate = settings.data.task, settings.evaluate
    metrics, rates = METRICS[task], RATES[task]
    if evaluate.primary is not None and evaluate.primary not in metrics:
        yield Problem(("evaluate", "primary"), _unfit(evaluate.primary, metrics, task))
    for place, name in enumerate(evaluate.metrics or ()):
        if name not in metrics:
            yield Problem(("evaluate", "metrics", place), _unfit(name, metrics, task))
    for place, rate in enumerate(settings.fairness.metrics or ()):
        if rate not in rates:
            yield Problem(("fairness", "metrics", place), _unfit(rate, rates, task))
    if task == "binary":
        return
    if "threshold" in evaluate.model_fields_set:
        text = f"a threshold is for two classes, and data.task is {task}: leave it out"
        yield Problem(("evaluate", "threshold"), text)
    if "noun" in settings.data.model_fields_set:
        text = f"it is what a positive row is called, and data.task is {task}: leave it out"
        yield Problem(("data", "noun"), text)


def _unfit(name: str, known: Sequence[str], task: Task) -> str:
    text = f"found {shown(name)}, which is not for data.task {task}"
    meant = _meant(name, known)
    return f"{text}; did you mean {meant}?" if meant else f"{text}; expected {_one_of(known)}"


def _meant(name: str, known: Sequence[str]) -> str | None:
    """Return what a name stands for: `f1` means `f1_macro` where there are several classes."""
    longer = [item for item in known if item.startswith(f"{name}_")]
    return longer[0] if longer else did_you_mean(name, known, cutoff=0.75)


def _one_of(known: Sequence[str]) -> str:
    return f"one of {', '.join(known)}"


def _class_weight(settings: Settings) -> Iterator[Problem]:
    weights = settings.model.class_weight
    path: Steps = ("model", "class_weight")
    if weights is not None and settings.data.task == "regression":
        yield Problem(path, "it weighs classes, and data.task is regression: leave it out")
    if not isinstance(weights, dict):
        return
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


def _mitigation(settings: Settings) -> Iterator[Problem]:
    mitigation, task = settings.fairness.mitigation, settings.data.task
    if mitigation is None:
        return
    path: Steps = ("fairness", "mitigation")
    known = _CONSTRAINTS[task]
    if not known:
        yield Problem(
            path,
            f"no mitigation is known for data.task {task}: leave it out, or predict one class "
            "against the others with data.task: binary",
        )
    elif mitigation.constraint not in known:
        text = f"found {shown(mitigation.constraint)}, which is not for data.task {task}"
        yield Problem((*path, "constraint"), f"{text}; expected {_one_of(known)}")
    if mitigation.by not in settings.data.sensitive:
        text = f"{shown(mitigation.by)} is not in data.sensitive"
        meant = did_you_mean(mitigation.by, settings.data.sensitive)
        yield Problem((*path, "by"), f"{text}; did you mean {meant}?" if meant else text)


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


# --- gates and waivers -----------------------------------------------------------


def _gates(settings: Settings) -> Iterator[Problem]:
    for name, gate in settings.gates.items():
        path: Steps = ("gates", name)
        if isinstance(gate, MetricGate | SliceGate):
            yield from _measured(path, gate.metric, settings)
        if isinstance(gate, SliceGate):
            yield from slice_problems(path, gate, settings)
        if isinstance(gate, DataGate):
            yield from data_problems(path, gate, settings)
        if isinstance(gate, FairnessGate):
            gaps = GAPS[settings.data.task]
            if gate.fairness not in gaps:
                text = _unfit(gate.fairness, gaps, settings.data.task)
                yield Problem((*path, "fairness"), text)
            yield from _by(path, gate.by, settings.data.sensitive)
        if isinstance(gate, MetricGate | SliceGate | FairnessGate):
            yield from _limits(path, gate, settings.data.task)


def _measured(path: Steps, metric: str, settings: Settings) -> Iterator[Problem]:
    measured = settings.metric_names
    if metric in measured:
        return
    known = METRICS[settings.data.task]
    meant = did_you_mean(metric, measured)
    text = f"found {shown(metric)}, which is not measured"
    if metric in known:
        text += "; add it to evaluate.metrics"
    elif metric in chain(*METRICS.values()):
        text = _unfit(metric, known, settings.data.task)
    elif meant:
        text += f"; did you mean {meant}?"
    else:
        text += f", expected {_one_of(measured)}"
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


def _limits(
    path: Steps, gate: MetricGate | SliceGate | FairnessGate, task: Task
) -> Iterator[Problem]:
    subject = gate.fairness if isinstance(gate, FairnessGate) else gate.metric
    known = (*METRICS[task], *GAPS[task])
    if subject in UNBOUNDED or subject.startswith("mean_") or subject not in known:
        return
    # Over several classes the squared differences of a row add up to 2 at most.
    most = 2 if (subject, task) == ("brier_score", "multiclass") else 1
    for key in ("at_least", "at_most", "no_worse_than_baseline_by"):
        limit = getattr(gate, key, None)
        if limit is not None and not 0 <= limit <= most:
            yield Problem((*path, key), f"found {limit:g}, but {subject} lies between 0 and {most}")


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
