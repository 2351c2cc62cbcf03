"""Which gates on slices and on the data do not fit the settings."""

from collections.abc import Iterator

from mergeline.config.problem import Problem, Steps, did_you_mean, shown
from mergeline.config.settings import Settings
from mergeline.core.policy import DataGate, SliceGate


def slice_problems(path: Steps, gate: SliceGate, settings: Settings) -> Iterator[Problem]:
    """Name a column that is not sliced by; what there is of it only the data tells."""
    slices = settings.evaluate.slices
    if gate.slice in slices:
        return
    meant = did_you_mean(gate.slice, slices)
    text = f"found {shown(gate.slice)}, which is not in evaluate.slices"
    text += f"; did you mean {meant}?" if meant else "; add it there"
    yield Problem((*path, "slice"), text)


def data_problems(path: Steps, gate: DataGate, settings: Settings) -> Iterator[Problem]:
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
