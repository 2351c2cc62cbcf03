"""Which gates and waivers do not fit the settings."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from mergeline.config.problem import Problem, Steps, did_you_mean, shown
from mergeline.config.settings import Settings
from mergeline.config.task_rules import one_of, unfit
from mergeline.core.policy import DataGate, FairnessGate, MetricGate, SliceGate
from mergeline.core.task import GAPS, METRICS, UNBOUNDED, Task


def gate_problems(settings: Settings) -> Iterator[Problem]:
    """Name what gates are on and the project does not measure, and limits that are none."""
    for name, gate in settings.gates.items():
        path: Steps = ("gates", name)
        if isinstance(gate, MetricGate | SliceGate):
            yield from _measured(path, gate.metric, settings)
        if isinstance(gate, SliceGate):
            yield from _slice(path, gate, settings)
        if isinstance(gate, DataGate):
            yield from _data(path, gate, settings)
        if isinstance(gate, FairnessGate):
            gaps = GAPS[settings.data.task]
            if gate.fairness not in gaps:
                text = unfit(gate.fairness, gaps, settings.data.task)
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
        text = unfit(metric, known, settings.data.task)
    elif meant:
        text += f"; did you mean {meant}?"
    else:
        text += f", expected {one_of(measured)}"
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


def _slice(path: Steps, gate: SliceGate, settings: Settings) -> Iterator[Problem]:
    """Name a column that is not sliced by; what there is of it only the data tells."""
    slices = settings.evaluate.slices
    if gate.slice in slices:
        return
    meant = did_you_mean(gate.slice, slices)
    text = f"found {shown(gate.slice)}, which is not in evaluate.slices"
    text += f"; did you mean {meant}?" if meant else "; add it there"
    yield Problem((*path, "slice"), text)


def _data(path: Steps, gate: DataGate, settings: Settings) -> Iterator[Problem]:
    """Name limits of shares and distances that are none, and a column that cannot leak."""
    if gate.data == "leak" and gate.column == settings.data.target:
        text = f"found {shown(gate.column)}, which is the target; name another column"
        yield Problem((*path, "column"), text)
    if gate.data == "rows":
        return
    for key in ("at_most", "no_worse_than_baseline_by"):
        limit = getattr(gate, key)
        if limit is not None and not 0 <= limit <= 1:
            text = f"found {limit:g}, but {gate.data} lies between 0 and 1"
            yield Problem((*path, key), text)


def waiver_problems(settings: Settings) -> Iterator[Problem]:
    """Name waivers of gates that there are not."""
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
