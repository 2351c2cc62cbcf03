"""Outcomes, the verdict, and what a comparison with the baseline says."""

from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PlainSerializer, PlainValidator

from mergeline.core.base import Estimate, Stated

Count = Annotated[int, Field(ge=0)]


class Outcome(IntEnum):
    """What became of a gate, in order of severity.

    FAILED means "not good enough"; ERRORED means "we do not know".
    """

    PASSED = 0
    SKIPPED = 1
    WAIVED = 2
    WARNED = 3
    FAILED = 4
    ERRORED = 5

    @property
    def blocks(self) -> bool:
        """Whether a pull request with this outcome must not be promoted."""
        return self >= Outcome.FAILED

    @property
    def exit_code(self) -> int:
        """The process's exit code for a verdict of this outcome."""
        return {Outcome.FAILED: 10, Outcome.ERRORED: 11}.get(self, 0)


def _outcome(value: Any) -> Outcome:
    if isinstance(value, Outcome):
        return value
    found = Outcome.__members__.get(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected one of {', '.join(Outcome.__members__)}")
    return found


OutcomeName = Annotated[
    Outcome,
    PlainValidator(_outcome),
    PlainSerializer(lambda outcome: outcome.name, return_type=str),
]


class GateResult(Stated):
    """One gate, judged.

    Attributes:
        name: The gate's name in the policy.
        rule: The rule in words, e.g. `roc_auc at least 0.75`.
        measured: What was measured; None when nothing could be.
        limit: The number that it is held against; None for checks.
        reason: Why it came out like this, one sentence; empty when it plainly passed.
        rows_to_decide: For "cannot tell": about how many common rows would decide.
        waiver: The reason and owner of the waiver that counted, else empty.
    """

    name: str
    rule: str
    outcome: OutcomeName
    measured: Estimate | None = None
    limit: FiniteFloat | None = None
    reason: str = ""
    rows_to_decide: Count | None = None
    waiver: str = ""


class Verdict(Stated):
    """All gates judged by one policy, and the worst of their outcomes."""

    outcome: OutcomeName
    gates: tuple[GateResult, ...]


class Banner(Stated):
    """Something that a reviewer must see before the numbers.

    Attributes:
        kind: Stable name, e.g. `policy-changed`.
        text: One or two sentences.
    """

    kind: str
    text: str


Answer = Literal["PROMOTE", "POLICY_ONLY", "POLICY_FAILED", "POLICY_WEAKENED", "NOT_PROMOTABLE"]
# What the gates leave open; anything else they decide alone.
OPEN: frozenset[str] = frozenset({"PROMOTE", "POLICY_ONLY"})


def passes(outcome: Outcome, answer: str) -> bool:
    """Return whether a judgement lets a merge pass, as far as gates decide."""
    return not outcome.blocks and answer in OPEN


class Judgement(Stated):
    """What the policies of base and head say about one candidate.

    Attributes:
        outcome: The one that counts: the worse of the two verdicts.
        verdict: By the base's policy (by the head's own where there is no base).
        proposed: By the head's policy, where it differs from the base's; else None.
        answer: What a merge would get as far as gates decide.
    """

    outcome: OutcomeName
    verdict: Verdict
    proposed: Verdict | None
    answer: Answer
    banners: tuple[Banner, ...]


# --- comparison ------------------------------------------------------------------


class Paired(Stated):
    """Candidate against baseline on the same rows.

    Attributes:
        baseline: Its value; of a mean error the absolute one.
        candidate: The same.
        delta: candidate minus baseline with its paired interval, sign as measured
            (not turned so that more is better).
        outcome: `better` or `worse` when the whole interval lies on one side of zero.
        rows_to_decide: For `cannot_tell`: about how many common rows would decide.
        minimum_detectable: The smallest true difference that such a comparison would tell in
            80 of 100 cases; None without an interval.
    """

    baseline: FiniteFloat | None
    candidate: FiniteFloat | None
    delta: Estimate
    higher_is_better: bool
    outcome: Literal["better", "worse", "cannot_tell"]
    rows_to_decide: Count | None = None
    minimum_detectable: FiniteFloat | None = None


class Practical(Stated):
    """The change in terms of what a model is used for.

    Attributes:
        kind: `caught`: of 100 positive rows how many are predicted so, when both models predict
            as many rows positive as the baseline does at its threshold; of equal scores at the
            cut each counts in part. `right`: of 100 rows how many are given their class (several
            classes). `off`: by how much a prediction misses on average, in units of the target
            (regression).
        paired: Baseline, candidate and change, in those units.
        selected: Share of rows that both predict positive; `caught` only.
    """

    kind: Literal["caught", "right", "off"]
    paired: Paired
    selected: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None


class Drift(Stated):
    """How far the values of a column lie from the baseline's; a missing one is a value.

    Attributes:
        n: Rows of the candidate's table.
        distance: 0 to 1: the largest difference of the two distribution functions for
            numbers (Kolmogorov and Smirnov), half the sum of the differences of all shares
            for categories (total variation).
        noise: What chance alone explains, in at least 95 of 100 pairs of samples of one
            table, for all columns together. Rows that both tables hold make it less.
        changed_type: Numbers are categories now, or the other way round: the distance is 1.
    """

    n: Count
    distance: Annotated[FiniteFloat, Field(ge=0, le=1)]
    noise: Annotated[FiniteFloat, Field(ge=0)]
    changed_type: bool = False


class RowChanges(Stated):
    """Rows of the prepared tables by their keys: an id's, a group's, or the whole row's.

    Attributes:
        added: Keys that the baseline's tables do not have.
        removed: Keys that only the baseline's have.
        common: Keys that both have.
    """

    added: Count
    removed: Count
    common: Count


class Comparison(Stated):
    """The baseline's model beside the candidate's, on common held-out rows.

    Attributes:
        n: Rows that both were scored on and neither was trained on.
        metrics: By metric name.
        fairness: By sensitive column (or intersection), then by gap.
        status: `too_few`: the common rows are too few to tell. `impossible`: rows cannot
            be matched, or a model cannot score them: ERRORED for what needs it.
        reason: Why there is nothing to compare, else empty.
        unit: What the bootstrap draws: `row`, `id` or `group`.
        drift: By column of the data; measured even where the models cannot be compared.
        rows: None where the baseline's keys are not known.
        practical: None where the models were not compared, or the baseline's predicts the same
            of all these rows.
    """

    n: Count
    unit: Literal["row", "id", "group"]
    metrics: dict[str, Paired] = {}
    fairness: dict[str, dict[str, Paired]] = {}
    status: Literal["compared", "too_few", "impossible"] = "compared"
    reason: str = ""
    drift: dict[str, Drift] = {}
    rows: RowChanges | None = None
    practical: Practical | None = None


class Baseline(Stated):
    """Where the baseline came from.

    Attributes:
        status: `available`: all its stages were restored or run. `none`: the base has
            no `params.yaml` (first pull request) . `not_available`: see `reason`.
            `unreadable`: the base cannot be read: ERRORED for what needs it.
        commit: The base commit, None when there is none.
        restored: Stages that came out of a cache.
        ran: Stages that had to run.
    """

    status: Literal["available", "none", "not_available", "unreadable"]
    commit: str | None = None
    reason: str = ""
    restored: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()


class Stage(Stated):
    """What became of one DVC stage of the candidate.

    Attributes:
        action: `unchanged`: nothing to do; `restored`: from cache or remote; `ran`.
        seconds: Wall time here; 0 for `unchanged`.
    """

    name: str
    action: Literal["unchanged", "restored", "ran"]
    seconds: FiniteFloat


class Candidate(Stated):
    """The digest chain of one head.

    Attributes:
        commit: The head commit.
        tree: T, Git's tree of it.
        base: The base commit; None when there is none.
        inputs: I, from the Git tree alone.
        model: M, over the model directory.
        evidence: E, over the contents of the evidence.
        key: K, of project, I and M.
        dirty: Files that differ from the commit; a dirty candidate is not promotable.
    """

    schema_version: Literal[1] = 1
    project: str
    commit: str
    tree: str
    base: str | None
    inputs: str
    model: str
    evidence: str
    key: str
    dirty: tuple[str, ...] = ()
