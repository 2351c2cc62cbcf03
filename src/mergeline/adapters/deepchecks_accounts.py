"""What became of each deepchecks check: the worker's raw answer as evidence.

A check that crashed, gave no result, or gave NaN did not run, and never passed.
"""

import re
from collections.abc import Mapping
from typing import Literal

from mergeline.core.base import Frozen
from mergeline.core.evidence import Check, CheckOutcome, Condition

LONGEST_TEXT = 300

# What it means that a check does not fit the data or the task: deepchecks' error, a part of
# its text, and the reason in our words. A check that ends with any other error did not run.
NOT_APPLICABLE = (
    (
        "DatasetValidationError",
        "does not contain an index or a datetime",
        "the settings name neither data.id nor data.time",
    ),
    ("DatasetValidationError", "does not contain an index", "the settings name no data.id"),
    ("DatasetValidationError", "does not contain a datetime", "the settings name no data.time"),
    ("DeepchecksNotSupportedError", "at least two features", "the model reads one column only"),
    ("ModelValidationError", "irrelevant for classification tasks", "it is for regression"),
    ("ModelValidationError", "irrelevant for regression tasks", "it is for classes"),
    ("NotEnoughSamplesError", "samples", "too few rows"),
    (
        "DeepchecksProcessError",
        "unable to train an error model to find weak",
        "no segment stands out, or there are too few rows to look for one",
    ),
)

_Ran = Literal["passed", "warned", "failed", "did_not_run"]
_SEVERITY: tuple[_Ran, ...] = ("passed", "warned", "failed", "did_not_run")
_OUTCOMES = dict(zip(("PASS", "WARN", "FAIL", "ERROR"), _SEVERITY, strict=True))
_NOTHING_TO_CHECK = re.compile(r"No relevant (columns|features) to check were found")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


class RawError(Frozen):
    """An exception: its class, its text, and the place of a crash (empty for deepchecks' own)."""

    kind: str
    text: str
    place: str


class RawCondition(Frozen):
    """A condition as deepchecks reports it."""

    name: str
    category: Literal["PASS", "WARN", "FAIL", "ERROR"]
    details: str


class RawResult(Frozen):
    """One result of a suite.

    Attributes:
        check: The class of the check.
        header: Its title, with the side where a suite ran it on both.
        limit: Rows that it looks at, at most.
        holds_nan: Whether its result holds NaN.
        unmeasured: Columns that it could not measure and counts as passed.
        variants: By column, how many texts have variants; String Mismatch only.
    """

    check: str
    header: str
    limit: int | None
    error: RawError | None
    conditions: tuple[RawCondition, ...]
    holds_nan: bool
    unmeasured: tuple[str, ...]
    variants: dict[str, int] | None


class RawSuite(Frozen):
    """One suite that ran: the checks that it has, the rows of its tables, the results."""

    name: str
    expected: tuple[str, ...]
    rows: dict[str, int]
    results: tuple[RawResult, ...]
    seconds: float


class RawAnswer(Frozen):
    """What the worker answers: suites, or the error that kept it from running them."""

    suites: tuple[RawSuite, ...]
    deepchecks: str
    error: RawError | None


def account_for(suite: RawSuite, left_out: Mapping[str, str]) -> tuple[Check, ...]:
    """Account for every check of a suite, by name.

    Args:
        suite: What the worker said.
        left_out: Checks that were not to run, with the reason why they do not apply.
    """
    checks = [_check(suite, result) for result in suite.results]
    seen = {result.check for result in suite.results}
    for name in suite.expected:
        if name in left_out:
            checks.append(_no_result(suite, name, "not_applicable", left_out[name]))
        elif name not in seen:
            checks.append(_no_result(suite, name, "did_not_run", "deepchecks gave no result"))
    return tuple(sorted(checks, key=lambda check: check.name))


def reason_of(error: RawError) -> str:
    """Return an error in one line; what a crash quotes could be a value of the data."""
    if not error.place:
        return clean(error.text)
    return clean(f"{error.kind} in {error.place}: {_QUOTED.sub('...', error.text)}")


def clean(text: str, most: int = LONGEST_TEXT) -> str:
    """Return text as one line, cut to a length. What looks like a tag in it is a value's own."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def _no_result(suite: RawSuite, name: str, outcome: CheckOutcome, reason: str) -> Check:
    title = re.sub(r"(?<!^)(?=[A-Z])", " ", name)
    return Check(
        name=_id(suite, name, None), title=title, outcome=outcome, conditions=(), reason=reason
    )


def _id(suite: RawSuite, check: str, side: str | None) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", check).lower()
    return "/".join(filter(None, (suite.name, words, side)))


def _check(suite: RawSuite, result: RawResult) -> Check:
    title, side = _title(result.header)
    side = side if len(suite.rows) > 1 else None
    rows = suite.rows[side] if side else max(suite.rows.values())
    outcome, conditions, reason = _judged(result, rows)
    return Check(
        name=_id(suite, result.check, side),
        title=f"{title} ({side})" if side else title,
        outcome=outcome,
        conditions=conditions,
        reason=reason,
    )


def _judged(result: RawResult, rows: int) -> tuple[CheckOutcome, tuple[Condition, ...], str]:
    """Return the outcome of a check, its conditions, and why it has no better outcome."""
    if result.error is not None:
        unfit = _why_unfit(result.error)
        return (
            ("not_applicable", (), unfit) if unfit else ("did_not_run", (), reason_of(result.error))
        )
    if _looked_at_nothing(result):
        return "not_applicable", (), clean(result.conditions[0].details)
    note = _note(result, rows)
    conditions = tuple(_condition(result, item, note) for item in result.conditions)
    outcomes = [item.outcome for item in conditions]
    outcome: _Ran = max(outcomes, key=_SEVERITY.index, default="passed")
    broken = [item.details for item in conditions if item.outcome == "did_not_run"]
    return outcome, conditions, broken[0] if broken else ""


def _title(header: str) -> tuple[str, str | None]:
    """Split `ROC Report - Test Dataset` into the title and the side."""
    found = re.fullmatch(r"(.*) - (Train|Test) Dataset", header)
    return (found[1], found[2].lower()) if found else (header, None)


def _why_unfit(error: RawError) -> str:
    for kind, text, reason in NOT_APPLICABLE:
        if error.kind == kind and text in error.text:
            return reason
    return ""


def _looked_at_nothing(result: RawResult) -> bool:
    """Return whether every condition passed for want of anything to look at."""
    found = [_NOTHING_TO_CHECK.match(condition.details) for condition in result.conditions]
    return bool(found) and all(found)


def _note(result: RawResult, rows: int) -> str:
    parts = []
    if result.unmeasured:
        parts.append(clean(f"too few values to measure: {', '.join(result.unmeasured)}", 100))
    if result.limit is not None and result.limit < rows:
        parts.append(f"looked at {result.limit:,} rows")
    return f" ({'; '.join(parts)})" if parts else ""


def _condition(result: RawResult, condition: RawCondition, note: str) -> Condition:
    outcome = _OUTCOMES[condition.category]
    details = condition.details
    if result.variants is not None:
        details = _variants(result.variants)
    if outcome == "passed" and result.holds_nan:
        outcome, details = "did_not_run", f"A result is not a number. {details}"
    details = clean(details, LONGEST_TEXT - len(note))
    return Condition(name=clean(condition.name), outcome=outcome, details=details + note)


def _variants(variants: Mapping[str, int]) -> str:
    found = ", ".join(sorted(name for name, count in variants.items() if count))
    looked = f"{len(variants)} text columns looked at"
    return f"{looked}; values differ only in case or signs in: {found}" if found else looked
