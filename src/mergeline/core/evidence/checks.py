"""check_data and check_model: deepchecks' checks, each accounted for."""

from typing import Literal

from mergeline.core.base import Stated
from mergeline.core.evidence.envelope import Count

CheckOutcome = Literal["passed", "warned", "failed", "not_applicable", "did_not_run"]


class Condition(Stated):
    """One condition of a deepchecks check."""

    name: str
    outcome: Literal["passed", "warned", "failed", "did_not_run"]
    details: str


class Check(Stated):
    """One deepchecks check, accounted for.

    Attributes:
        name: Stable id: suite and check class, e.g. `data_integrity/mixed_nulls`.
        title: deepchecks' own title.
        outcome: The worst of the conditions; a check without conditions that ran is
            `passed`; one that does not fit this data is `not_applicable`; one that
            crashed or was not run is `did_not_run` and never a pass.
        reason: Why it is not applicable or did not run, else empty.
    """

    name: str
    title: str
    outcome: CheckOutcome
    conditions: tuple[Condition, ...]
    reason: str = ""


class ChecksContent(Stated):
    """All checks of the suites that a stage ran.

    Attributes:
        sampled: Rows a table that checks which estimate something looked at, at most;
            checks that count or compare values looked at all. None: all looked at all.
    """

    suites: tuple[str, ...]
    deepchecks: str
    sampled: Count | None
    checks: tuple[Check, ...]
