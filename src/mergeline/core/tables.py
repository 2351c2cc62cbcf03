"""Gates on the table that a model is made from: rows, missing values, drift, leaks."""

from collections.abc import Mapping

from mergeline.core.base import Estimate
from mergeline.core.case import Case, errored, meant, missing_baseline, no_evidence, rule_of
from mergeline.core.evidence import EvidenceSet, PrepareContent
from mergeline.core.policy import DataGate
from mergeline.core.verdict import GateResult, Outcome

# What the rows of the whole table are called among numbers by column.
_TABLE = ""
# A difference of two shares is off by so much at most: 0.8 - 0.7 is more than 0.1.
_ROUNDING = 1e-12


def judge_data(name: str, gate: DataGate, case: Case) -> GateResult:
    """Judge one number of the table, or the worst of its columns.

    Rows and missing values are counted in the whole table, so they have no interval.
    """
    rule = rule_of(_subject(gate), gate)
    evidence = case.evidence
    if evidence.prepare is None:
        return errored(name, rule, no_evidence("prepare"))
    columns = [column.name for column in evidence.prepare.content.columns]
    if gate.column is not None and gate.column not in columns:
        close = meant(gate.column, columns)
        return errored(name, rule, f"The data has no column {gate.column}{close}")
    if gate.data == "leak" and evidence.train is None:
        return errored(name, rule, no_evidence("train"))
    if gate.data == "drift":
        return _judge_drift(name, rule, gate, case)
    if gate.data == "leak" and gate.column is not None and gate.column not in _read(evidence):
        reason = f"The model does not read {gate.column}."
        return GateResult(name=name, rule=rule, outcome=Outcome.PASSED, reason=reason)
    content = evidence.prepare.content
    values = _of_column(_values(gate, evidence), gate.column)
    if not values:
        reason = "How well a column alone tells the outcome was not measured: too few rows."
        return errored(name, rule, reason)
    if gate.no_worse_than_baseline_by is None:
        return _against_limit(name, rule, gate, values, content.rows)
    return _against_baseline(name, rule, gate, values, case)


def _subject(gate: DataGate) -> str:
    match gate.data:
        case "rows":
            return "rows of the data"
        case "missing":
            return f"share missing of {gate.column or 'any column'}"
        case "drift":
            return f"drift of {gate.column or 'any column'} from the baseline"
        case "leak":
            return f"outcome told by {gate.column or 'any column'} alone"


def _values(gate: DataGate, evidence: EvidenceSet) -> dict[str, float]:
    """Return what is judged, by column; of leaks the columns that the model reads."""
    if evidence.prepare is None:
        return {}
    content = evidence.prepare.content
    if gate.data == "rows":
        return {_TABLE: content.rows}
    if gate.data == "missing":
        return {column.name: _share(column.missing, content) for column in content.columns}
    read = _read(evidence)
    return {
        column.name: column.alone
        for column in content.columns
        if column.alone is not None and column.name in read
    }


def _share(count: int, content: PrepareContent) -> float:
    return count / content.rows if content.rows else 0.0


def _read(evidence: EvidenceSet) -> frozenset[str]:
    features = evidence.train.content.features if evidence.train else ()
    return frozenset(feature.name for feature in features)


def _of_column(values: Mapping[str, float], column: str | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if column in (None, name)}


def _worst(values: Mapping[str, float]) -> tuple[str, float]:
    """Return the column with the largest value, and the value; columns are in the table's order."""
    name = max(values, key=lambda column: values[column])
    return name, values[name]


def _which(gate: DataGate, column: str, value: float, count: int) -> str:
    """Name the worst column; where none has any of it there is none."""
    if gate.column is not None or column == _TABLE or value == 0:
        return ""
    return f"It is {column}." if count == 1 else f"The worst of {count} columns is {column}."


def _against_limit(
    name: str, rule: str, gate: DataGate, values: Mapping[str, float], rows: int
) -> GateResult:
    column, value = _worst(values)
    if gate.at_least is not None:
        passed, limit = value >= gate.at_least, gate.at_least
    else:
        limit = 0.0 if gate.at_most is None else gate.at_most
        passed = value <= limit
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=Estimate(value=value, n=rows),
        limit=limit,
        reason=_which(gate, column, value, len(values)),
    )


def _against_baseline(
    name: str, rule: str, gate: DataGate, values: Mapping[str, float], case: Case
) -> GateResult:
    """Judge how much worse it became; a column that the baseline does not read leaks nothing."""
    allowed = gate.no_worse_than_baseline_by or 0.0
    unknown = missing_baseline(case.baseline)
    before = _values(gate, case.baseline_evidence)
    if unknown is None and not before:
        unknown = (Outcome.WARNED, "Cannot tell: the baseline's evidence does not have it.")
    if unknown is not None:
        return GateResult(name=name, rule=rule, outcome=unknown[0], reason=unknown[1])
    # Of a new column there is no share to compare with; that it leaks is news all the same.
    known = {column: before.get(column, 0.0) for column in values}
    if gate.data == "missing":
        known = {column: before[column] for column in values if column in before}
    changes = {column: values[column] - known[column] for column in known}
    if gate.data == "rows":
        changes = {column: -change for column, change in changes.items()}
    if not changes:
        reason = "Nothing to compare: the baseline has no such column."
        return GateResult(name=name, rule=rule, outcome=Outcome.SKIPPED, reason=reason)
    column, worse = _worst(changes)
    sign = -1 if gate.data == "rows" else 1
    rows = case.evidence.prepare.content.rows if case.evidence.prepare else 0
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if worse <= allowed + _ROUNDING else Outcome.FAILED,
        measured=Estimate(value=sign * worse, n=rows),
        limit=sign * allowed,
        reason=_which(gate, column, worse, len(changes)),
    )


def _judge_drift(name: str, rule: str, gate: DataGate, case: Case) -> GateResult:
    """Judge distances from the baseline's columns; one that chance may explain only warns.

    What chance explains holds for all columns at once (see `core.verdict.Drift`), so the worst
    of many is no worse than it is.
    """
    unknown = missing_baseline(case.baseline)
    if unknown is not None:
        return GateResult(name=name, rule=rule, outcome=unknown[0], reason=unknown[1])
    drift = case.comparison.drift if case.comparison else {}
    values = _of_column({each: found.distance for each, found in drift.items()}, gate.column)
    if not values:
        return _no_drift(name, rule, gate, case)
    limit = 0.0 if gate.at_most is None else gate.at_most
    beyond = {each: value for each, value in values.items() if value > limit}
    certain = {each: value for each, value in beyond.items() if value > drift[each].noise}
    column, value = _worst(certain or beyond or values)
    outcome = Outcome.FAILED if certain else Outcome.WARNED if beyond else Outcome.PASSED
    said = [_which(gate, column, value, len(values))] if len(values) > 1 else []
    if drift[column].changed_type:
        said.append("Its type is another one, so that nothing of it is as it was.")
    if outcome is Outcome.WARNED:
        noise = drift[column].noise
        said.append(f"Cannot tell: chance alone explains {noise:.3f} on so few rows.")
    return GateResult(
        name=name,
        rule=rule,
        outcome=outcome,
        measured=Estimate(value=value, n=drift[column].n),
        limit=limit,
        reason=" ".join(filter(None, said)),
    )


def _no_drift(name: str, rule: str, gate: DataGate, case: Case) -> GateResult:
    before = case.baseline_evidence.prepare
    old = {column.name for column in before.content.columns} if before else set()
    if gate.column is not None and before is not None and gate.column not in old:
        reason = f"Nothing to compare: the baseline has no column {gate.column}."
        return GateResult(name=name, rule=rule, outcome=Outcome.SKIPPED, reason=reason)
    if gate.column is None or (case.comparison is None or not case.comparison.drift):
        return errored(name, rule, "No column was compared with the baseline's.")
    reason = f"{gate.column} was not compared: it is an id, a group or free text."
    return errored(name, rule, reason)
