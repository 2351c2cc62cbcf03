"""The texts that a project starts with: `params.yaml` and the contract, from what was guessed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.config.load import parse_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.labels import category_text, plain
from mergeline.core.task import MEASURED, PRIMARY, Task
from mergeline.model.table import column_kind
from mergeline.project.first_gates import gate_lines
from mergeline.project.guess import Roles
from mergeline.project.number_signs import Signs
from mergeline.project.outcome import Outcome
from mergeline.project.yaml_text import listed, scalar

if TYPE_CHECKING:
    import pandas as pd

CONTRACT = "data/contract.yaml"

_BOOSTING = "sklearn.ensemble.HistGradientBoosting"
ESTIMATORS: Mapping[Task, str] = {
    "binary": f"{_BOOSTING}Classifier",
    "multiclass": f"{_BOOSTING}Classifier",
    "regression": f"{_BOOSTING}Regressor",
}

# A category with more values than this may well meet another one tomorrow.
_FEW_VALUES = 20


# --- params.yaml ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """What `params.yaml` is made from.

    Attributes:
        project: The name in the registry.
        source: The table's path; `encoding` and `separator` where they are unusual.
        signs: How numbers are written.
        missing: Texts that mean "no value".
        outcome: What is predicted, and why that is thought.
        min_group: Smaller groups are not judged.
        gated: The sensitive columns whose gap has a gate.
        since: The commit from which the line counts; None where there is none yet.
    """

    project: str
    source: str
    encoding: str
    separator: str | None
    signs: Signs
    missing: tuple[str, ...]
    target: str
    outcome: Outcome
    roles: Roles
    min_group: int
    gated: tuple[str, ...]
    since: str | None


def settings_text(draft: Draft) -> str:
    """Return the text of `params.yaml`: whole sections, with what was guessed as comments."""
    blocks = [
        "# What this project says to Mergeline. What was guessed from the table says so.",
        f"project: {scalar(draft.project)}",
        "",
        *_data(draft),
        "",
        "split: {test: 0.2}",
        "",
        "model:",
        f"  estimator: {ESTIMATORS[draft.outcome.task]}",
        "  params: {max_iter: 100}",
        "",
        *_measured(draft),
        "",
        *gate_lines(draft.outcome, draft.gated),
        "",
        *_promotion(draft.since),
        "",
        "report: {rows: false}",
        "",
        *_CARD,
    ]
    return "\n".join(blocks) + "\n"


def parsed(text: str) -> Settings:
    """Return the settings that a drafted text says."""
    return parse_settings(text, origin=layout.SETTINGS)


def _data(draft: Draft) -> Iterator[str]:
    roles, outcome = draft.roles, draft.outcome
    yield "data:"
    yield from _reading(draft)
    yield f"  task: {outcome.task}  # guessed: {_comment(outcome.why)}"
    yield f"  target: {scalar(draft.target)}"
    if outcome.positive is not None:
        why = _comment(outcome.positive.why)
        yield f"  positive: {scalar(outcome.positive.value)}  # guessed: {why}"
        yield "  # noun: what a positive row is called in sentences, e.g. defaulter"
    if roles.id is not None:
        yield f"  id: {scalar(roles.id)}  # guessed: unique, and named like one"
    if roles.group is not None:
        yield f"  group: {scalar(roles.group)}  # guessed: a person's rows stay on one side"
    if roles.time is not None:
        yield f"  # time: {scalar(roles.time)}  # for a split by time: the latest rows are held out"
    if roles.sensitive:
        yield f"  sensitive: {listed(roles.sensitive)}  # guessed from the names"
        yield "  # The model reads these, unless they are in `exclude` too."
    if roles.exclude:
        yield "  exclude:"
        yield from (f"    - {scalar(n)}  # guessed: {why}" for n, why in roles.exclude.items())
    yield f"  contract: {CONTRACT}"


def _reading(draft: Draft) -> Iterator[str]:
    """Yield where the table is and how it is written."""
    yield f"  source: {scalar(draft.source)}"
    if draft.encoding != "utf-8-sig":
        yield f"  encoding: {draft.encoding}  # guessed: it is not UTF-8"
    if draft.separator is not None:
        yield f"  separator: {scalar(draft.separator)}"
    if draft.signs.decimal != ".":
        yield f"  decimal: {scalar(draft.signs.decimal)}{_as_in(draft.signs)}"
    if draft.signs.thousands is not None:
        yield f"  thousands: {scalar(draft.signs.thousands)}{_as_in(draft.signs)}"
    if draft.missing:
        yield f"  missing: {listed(draft.missing)}  # guessed: these cells mean no value"


def _as_in(signs: Signs) -> str:
    return f"  # guessed: numbers are written as in {_comment(signs.example)}"


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _measured(draft: Draft) -> Iterator[str]:
    yield "evaluate:"
    task, threshold = draft.outcome.task, draft.outcome.threshold
    yield f"  primary: {PRIMARY[task]}"
    yield f"  metrics: {listed(MEASURED[task])}"
    if threshold is not None:
        why = "" if threshold == 0.5 else "  # guessed: the share of positive rows"  # noqa: PLR2004 -- the default
        yield f"  threshold: {scalar(threshold)}{why}"
    yield ""
    yield "fairness:"
    yield f"  min_group: {draft.min_group}"
    edges = {
        name: draft.roles.bins[name] for name in draft.roles.sensitive if name in draft.roles.bins
    }
    if edges:
        yield "  bins:"
        for name, values in edges.items():
            whole = (int(edge) if edge.is_integer() else edge for edge in values)
            yield f"    {scalar(name)}: {listed(whole)}"
    yield ""
    yield "explain: {rows: 2000, budget_seconds: 60}"
    yield ""
    yield "checks: {sample: 10000}"


_CARD = (
    "# For the model card: what nobody can measure. No stage reads it.",
    "# card:",
    "#   summary: what the model is for, in a sentence",
    "#   owners: [who answers for it]",
    "#   license: as SPDX names it",
    "#   intended_use: [what it is made for]",
    "#   users: [for whom]",
    "#   out_of_scope: [what it must not be used for]",
    "#   limitations: [where it is known to be wrong]",
    "#   ethical_considerations: [whom an error harms, and what was done about it]",
    "#   recommendations: [what whoever uses it should heed]",
)
_ALONE = "  # 0 for somebody who works alone; every comment says so then"


def _promotion(since: str | None) -> Iterator[str]:
    if since is None:
        yield f"promotion: {{approvals: 1}}{_ALONE}"
        return
    yield "promotion:"
    yield f"  approvals: 1{_ALONE}"
    yield f'  since: "{since}"  # every commit of main after it comes from a pull request'


# --- the contract ------------------------------------------------------------------------------


def contract_text(frame: "pd.DataFrame", settings: Settings) -> str:
    """Return a pandera schema that the table meets: types, missing values, few categories.

    Ranges are not invented: what was seen so far is not what may come.

    Args:
        frame: The table, read by these settings.
        settings: Name the id and the target.
    """
    lines = [
        "# What the table promises: a pandera schema, checked before anything is trained.",
        "# Written from the table as it is; ranges (in_range, greater_than) are yours to add.",
        "schema_type: dataframe",
        "api: pandas",
        "columns:",
    ]
    for name in frame.columns:
        lines.append(f"  {scalar(str(name))}:")
        lines += [f"    {rule}" for rule in _rules(frame[name], settings)]
    return "\n".join(lines) + "\n"


def _rules(column: "pd.Series[Any]", settings: Settings) -> Iterator[str]:
    if column.notna().any():  # of a column without values nobody knows the type
        yield f"dtype: {scalar(str(column.dtype))}"
    if column.isna().any():
        yield "nullable: true"
    if column.name == settings.data.id:
        yield "unique: true"
        return
    values = column.dropna().unique().tolist()
    texts = column_kind(column) == "category" and len(values) <= _FEW_VALUES
    classes = column.name == settings.data.target and settings.data.task != "regression"
    if (texts or classes) and column.dtype != object:
        yield f"isin: {listed(_sorted(values))}"


def _sorted(values: Iterable[Any]) -> list[Any]:
    return sorted((plain(value) for value in values), key=category_text)
