"""Step 3, verify: what would be shipped is what was reviewed, computed again from bytes and Git.

No model is loaded. What a build states is not believed: its digests were recomputed when it
was read, its gates are judged again here, by the policies that Git holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.bundle.equivalent import differences
from mergeline.bundle.read import Bundle
from mergeline.bundle.rejudge import rejudge
from mergeline.bundle.reviewed import Gone, reviewed_bundle
from mergeline.config.problem import printable
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.plan import Plan
from mergeline.errors import BytesMismatch, ConfigError, InvalidBundle, UnsafeModel
from mergeline.inputs.digest import inputs_digest
from mergeline.inputs.settings import readable_settings_at, require_settings_at
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History
from mergeline.ledger.reinstated import is_reinstated
from mergeline.model.safety import require_safe
from mergeline.promote.attribute import Merge
from mergeline.promote.identify import Identified
from mergeline.promote.line import CARRY, Line
from mergeline.promote.measured import measured_unlike
from mergeline.promote.policy import gates_unlike, refused_by_policy
from mergeline.promote.rests_on import review_of
from mergeline.promote.source import Rebuilt, rebuilt_bundle, second_build

Source = Literal["reused", "rebuilt", "equivalent"]
_SHOWN, _LONGEST = 3, 300


@dataclass(frozen=True)
class Verified:
    """What may be registered.

    Attributes:
        reviewed: The ledger's entry that it rests on.
        bundle: The bytes, and the evidence.
        plan: Judged again.
        source: Where the bytes come from.
        trusted: Types beyond Mergeline's own list that the policy trusts.
    """

    reviewed: Reviewed
    bundle: Bundle
    plan: Plan
    source: Source
    trusted: tuple[str, ...]


@dataclass(frozen=True)
class NeedsRebuild:
    """A second build on main is wanted before anything can be said; `why` is a sentence."""

    why: str


def verify(
    line: Line,
    github: GitHub,
    identified: Identified,
    history: History,
    *,
    rebuilt: Rebuilt | None,
    today: date,
) -> Verified | NeedsRebuild | Answer:
    """Hold the merge against its review.

    What needs no second build is answered without one.

    Args:
        line: The line.
        github: Has the artifacts of the reviewed run.
        identified: What main holds; its last merge is looked at.
        history: The ledger.
        rebuilt: Where a second build lies; None without one.
        today: The day on which waivers are held against their expiry.

    Raises:
        GitHubError: GitHub cannot be asked.
        UsageError: The folder `rebuilt` holds no build of this commit.
    """
    merge = identified.last
    reviewed = review_of(line.git, history, merge)
    if reviewed is None:
        head = f"the head {merge.pull.head_sha[:12]} of #{merge.pull.number}"
        reason = f"The ledger has no review of {head}."
        return answer(Name.NO_EVIDENCE, reason, "see why the comment's job did not end well")
    held = _Held(line.git, merge, reviewed, today)
    refusal = held.moved()
    if refusal is not None:
        return refusal
    first = held.first(github)
    if isinstance(first, Answer):
        return first
    refusal = _standing(line, identified, held.reviewed, history)
    if refusal is not None:
        return refusal
    gone = first if isinstance(first, Gone) else None
    wanted = second_build(line, merge, reviewed, github, gone)
    if wanted is None:
        return first if isinstance(first, Verified) else answer(Name.NO_EVIDENCE, first.why, CARRY)
    if rebuilt is None:
        return NeedsRebuild(wanted.why)
    second = rebuilt_bundle(github, rebuilt, merge.commit)
    if not isinstance(second, Answer):
        return held.compared(first, second, wanted.doubt)
    if second.name is not Name.UNDECIDED:
        return second
    return second.model_copy(update={"reason": f"{wanted.why} {second.reason}"})


@dataclass(frozen=True)
class _Held:
    """A merge held against its review."""

    git: Git
    merge: Merge
    reviewed: Reviewed
    today: date

    def moved(self) -> Answer | None:
        """Return MOVED where the merge is made from other inputs than the reviewed head."""
        number, commit = self.merge.pull.number, self.merge.commit[:12]
        try:
            inputs = inputs_digest(self.git, self.merge.commit)
        except ConfigError as error:
            reason = f"The inputs of {commit} have no digest, those of #{number} had: "
            return answer(Name.MOVED, reason + printable(error.message)[:_LONGEST], error.hint)
        if inputs == self.reviewed.inputs:
            return None
        reason = (
            f"The inputs of {commit} have the digest {inputs[:12]}, those reviewed in #{number} "
            f"{self.reviewed.inputs[:12]}: another merge changed one of them in between."
        )
        return answer(Name.MOVED, reason, CARRY)

    def first(self, github: GitHub) -> Verified | Gone | Answer:
        """Return the reviewed bytes, judged."""
        found = reviewed_bundle(github, self.reviewed)
        return self.judged(found, "reused") if isinstance(found, Bundle) else found

    def judged(self, bundle: Bundle, source: Source) -> Verified | Answer:
        """Judge by the policies of before and after the merge, and look at the model's parts."""
        try:
            plan = self._plan(bundle)
        except BytesMismatch as error:
            return answer(Name.BYTES_MISMATCH, f"{error.message}.", error.hint)
        except InvalidBundle as error:
            return answer(Name.EVIDENCE_INVALID, f"{error.message}.", error.hint)
        refusal = refused_by_policy(plan)
        if refusal is not None:
            return refusal
        trusted = self._trusted()
        try:
            require_safe(bundle.model, trusted)
        except UnsafeModel as error:
            return answer(Name.UNSAFE_MODEL, f"{error.message}.", error.hint)
        return Verified(self.reviewed, bundle, plan, source, trusted)

    def compared(self, first: Verified | Gone, second: Bundle, doubt: str) -> Verified | Answer:
        """Hold a second build against the reviewed one.

        The same bytes pass from wherever they come, if the gates pass by what the second build
        measured too: they may have come with made-up evidence. Equivalent ones pass only where
        the reviewed bytes are there to be shipped and nothing is in doubt.

        Args:
            first: The reviewed build, judged.
            second: Read, not yet judged.
            doubt: See `Wanted`.
        """
        model = second.plan.candidate.model
        if model == self.reviewed.model:
            return self._of_the_same(first, second, doubt)
        if isinstance(first, Gone):
            return self._drifted(model, [f"{first.why} Only equal bytes could stand for them"])
        if doubt:
            return self._drifted(model, [doubt])
        try:
            unlike = [
                *differences(first.bundle.predictions, second.predictions, first.bundle.made),
                *gates_unlike(first.plan, self._plan(second)),
            ]
        except InvalidBundle as error:
            return answer(Name.EVIDENCE_INVALID, f"The second build: {error.message}.", error.hint)
        return self._drifted(model, unlike) if unlike else replace(first, source="equivalent")

    def _of_the_same(self, first: Verified | Gone, second: Bundle, doubt: str) -> Verified | Answer:
        """Return what is shipped where both builds made one model, with what was approved of it."""
        judged = self.judged(second, "rebuilt")
        if isinstance(judged, Answer):
            return judged.model_copy(update={"reason": f"The second build: {judged.reason}"})
        if isinstance(first, Gone):
            return judged
        evidence = first.plan.evidence, judged.plan.evidence
        unlike = list(measured_unlike(*evidence)) if doubt else []
        if unlike:
            return self._drifted(self.reviewed.model, unlike)
        return replace(first, source="rebuilt")

    def _plan(self, bundle: Bundle) -> Plan:
        base, head = self.merge.base, self.merge.commit
        return rejudge(self.git, bundle, base=base, head=head, today=self.today)

    def _trusted(self) -> tuple[str, ...]:
        """Return the types that the base's settings trust; the first settings of all, their own.

        What a pull request itself wants trusted counts from the next one on.
        """
        base = readable_settings_at(self.git, self.merge.base)
        settings = base or require_settings_at(self.git, self.merge.commit)
        return settings.model.trusted_types

    def _drifted(self, model: str, unlike: Sequence[str]) -> Answer:
        told = "; ".join(each.rstrip(".") for each in unlike[:_SHOWN])
        made = f"the model {model}, the reviewed one is {self.reviewed.model}"
        if model == self.reviewed.model:
            made = "the same model and measured something else"
        more = f"; and {len(unlike) - _SHOWN} more" if len(unlike) > _SHOWN else ""
        return answer(
            Name.DRIFTED,
            f"A second build on main made {made}: {told}{more}.",
            "find what differs between the two machines (threads, BLAS kernel, versions); " + CARRY,
        )


def _standing(
    line: Line, identified: Identified, reviewed: Reviewed, history: History
) -> Answer | None:
    """Return BARRED or ALREADY_LIVE where the reviewed model is one or the other."""
    bar = barred(line, history, reviewed.model, identified.commit)
    if bar is not None:
        return bar
    already = history.live_already(line.environment, reviewed.key)
    return answer(Name.ALREADY_LIVE, already) if already else None


def barred(line: Line, history: History, model: str, commit: str) -> Answer | None:
    """Return BARRED where a model was rolled back and not reinstated since, else None.

    Args:
        line: The line.
        history: The ledger.
        model: M.
        commit: Of main; its policy says what is reinstated.
    """
    bar = history.bars(line.environment).get(model)
    if bar is None or is_reinstated(line.git, model, bar.main, commit):
        return None
    return answer(
        Name.BARRED,
        f"The model {model} was rolled back in {line.environment}.",
        "revert what brought it; or, if it may come back, name that digest in "
        "promotion.reinstate in a pull request that is approved (take it out first where an "
        "earlier one named it)",
    )
