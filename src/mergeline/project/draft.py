"""The texts that a project starts with: `params.yaml` and the contract, from what was guessed."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.config.load import parse_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.labels import category_text, plain
from mergeline.model.table import column_kind
from mergeline.project.classes import Positive
from mergeline.project.guess import Roles, words

if TYPE_CHECKING:
    import pandas as pd

CONTRACT = "data/contract.yaml"

# What YAML 1.1, which the contract is read as, takes for something else than text.
_NO_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
# A category with more values than this may well meet another one tomorrow.
_FEW_VALUES = 20


def scalar(value: str | float | bool) -> str:
    """Return a value as YAML of any version reads it back, on one line."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    text = json.dumps(value, ensure_ascii=False)
    # YAML allows no control characters, and would fold what some take for the end of a line.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _listed(values: Iterable[str | float | bool]) -> str:
    return f"[{', '.join(map(scalar, values))}]"


# --- params.yaml ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """What `params.yaml` is made from.

    Attributes:
        project: The name in the registry.
        source: The table's path; `encoding` and `separator` where they are unusual.
        missing: Texts that mean "no value".
        threshold: From which score on a row is predicted positive.
        min_group: Smaller groups are not judged.
        gated: The sensitive columns whose gap has a gate.
        since: The commit from which the line counts; None where there is none yet.
    """

    project: str
    source: str
    encoding: str
    separator: str | None
    missing: tuple[str, ...]
    target: str
    positive: Positive
    roles: Roles
    threshold: float
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
        "  estimator: sklearn.ensemble.HistGradientBoostingClassifier",
        "  params: {max_iter: 100}",
        "",
        *_measured(draft),
        "",
        *_gates(draft.gated),
        "",
        *_promotion(draft.since),
        "",
        "report: {rows: false}",
    ]
    return "\n".join(blocks) + "\n"


def parsed(text: str) -> Settings:
    """Return the settings that a drafted text says."""
    return parse_settings(text, origin=layout.SETTINGS)


def _data(draft: Draft) -> Iterator[str]:
    roles, positive = draft.roles, draft.positive
    yield "data:"
    yield f"  source: {scalar(draft.source)}"
    if draft.encoding != "utf-8-sig":
        yield f"  encoding: {draft.encoding}  # guessed: it is not UTF-8"
    if draft.separator is not None:
        yield f"  separator: {scalar(draft.separator)}"
    if draft.missing:
        yield f"  missing: {_listed(draft.missing)}  # guessed: these cells mean no value"
    yield f"  target: {scalar(draft.target)}"
    yield f"  positive: {scalar(positive.value)}  # guessed: {_comment(positive.why)}"
    yield "  # noun: what a positive row is called in sentences, e.g. defaulter"
    if roles.id is not None:
        yield f"  id: {scalar(roles.id)}  # guessed: unique, and named like one"
    if roles.group is not None:
        yield f"  group: {scalar(roles.group)}  # guessed: a person's rows stay on one side"
    if roles.time is not None:
        yield f"  # time: {scalar(roles.time)}  # for a split by time: the latest rows are held out"
    if roles.sensitive:
        yield f"  sensitive: {_listed(roles.sensitive)}  # guessed from the names"
        yield "  # The model reads these, unless they are in `exclude` too."
    if roles.exclude:
        yield "  exclude:"
        yield from (f"    - {scalar(n)}  # guessed: {why}" for n, why in roles.exclude.items())
    yield f"  contract: {CONTRACT}"


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _measured(draft: Draft) -> Iterator[str]:
    yield "evaluate:"
    yield "  primary: roc_auc"
    yield "  metrics: [roc_auc, average_precision, brier_score]"
    why = "" if draft.threshold == 0.5 else "  # guessed: the share of positive rows"  # noqa: PLR2004 -- the default
    yield f"  threshold: {scalar(draft.threshold)}{why}"
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
            yield f"    {scalar(name)}: {_listed(whole)}"
    yield ""
    yield "explain: {rows: 2000, budget_seconds: 60}"
    yield ""
    yield "checks: {sample: 10000}"


def _gates(gated: Iterable[str]) -> Iterator[str]:
    yield "# These hold whatever the data is: 0.5 is what a coin gets."
    yield "# Raise that floor once there is a first number to go by."
    yield "gates:"
    yield "  auc-floor: {metric: roc_auc, at_least: 0.5}"
    yield "  auc-baseline: {metric: roc_auc, no_worse_than_baseline_by: 0.01}"
    yield "  data-checks: {check: data, new_only: true}"
    yield "  model-checks: {check: model, new_only: true}"
    for gate, column in _gate_names(gated).items():
        limit = "no_worse_than_baseline_by: 0.05, level: warn"
        yield f"  {gate}:"
        yield f"    {{fairness: equalized_odds_difference, by: {scalar(column)}, {limit}}}"


def _gate_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the sensitive columns by the names of their gates, all different."""
    names: dict[str, str] = {}
    for column in columns:
        name = "-".join(["no-new-gap", *(w for w in words(column) if w.isascii())])
        number = len(names) + 1
        names[name if name not in names else f"{name}-{number}"] = column
    return names


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
    yield f"dtype: {scalar(str(column.dtype))}"
    if column.isna().any():
        yield "nullable: true"
    if column.name == settings.data.id:
        yield "unique: true"
        return
    values = column.dropna().unique().tolist()
    texts = column_kind(column) == "category" and len(values) <= _FEW_VALUES
    if (texts or column.name == settings.data.target) and column.dtype != object:
        yield f"isin: {_listed(_sorted(values))}"


def _sorted(values: Iterable[Any]) -> list[Any]:
    return sorted((plain(value) for value in values), key=category_text)
