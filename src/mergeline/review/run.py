"""`mergeline comment`: a run in; one comment, `reviewed` in the ledger and a status out.

Nothing that the run handed over is believed or executed. The order matters: an approval
counts from the comment on, so the ledger speaks of a comment that is there; the status,
which may open the way to a merge, comes last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment, Pull, Run, StatusState
from mergeline.bundle.read import Bundle
from mergeline.bundle.rejudge import is_like, rejudge
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.core.verdict import Banner, Outcome
from mergeline.errors import ConfigError, InvalidBundle
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.store import Ledger
from mergeline.review.artifacts import receive
from mergeline.review.post import post
from mergeline.review.pull import find_pull
from mergeline.review.record import Judged, record
from mergeline.review.status import set_status

_LONGEST = 1000  # characters of a reason: the settings of a pull request can be wrong at length
_GOOD = ("PROMOTE", "POLICY_ONLY")


@dataclass(frozen=True)
class Words:
    """How a plan is put into words; this room does not know.

    Attributes:
        comment: The whole comment; begins with its marker.
        sentence: The verdict in one sentence.
        marker: By which a project's comment is found again.
    """

    comment: Callable[[Plan], str]
    sentence: Callable[[Plan], str]
    marker: Callable[[str], str]


@dataclass(frozen=True)
class Job:
    """What the trusted job works with.

    Attributes:
        remote: Where main and the pull requests' heads are.
        main: The branch that pull requests are judged by.
        today: The day on which waivers are held against their expiry.
        by: Who appends to the ledger.
    """

    github: GitHub
    remote: Remote
    ledger: Ledger
    words: Words
    main: str
    today: date
    by: str


@dataclass(frozen=True)
class Reviewing:
    """What came of it.

    Attributes:
        entry: As it stands in the ledger.
    """

    pull: Pull
    plan: Plan
    comment: Comment
    entry: Reviewed


def review(job: Job, run_id: int) -> Reviewing | Answer:
    """Judge what a run handed over, comment it and remember it.

    Done again for the same run it comes to the same: one comment, one entry.

    Returns:
        Else STALE_RUN, AMBIGUOUS or UNDECIDED, which change nothing; NO_EVIDENCE,
        EVIDENCE_INVALID or MOVED, which set the commit's status and nothing else.

    Raises:
        ToolError: GitHub, Git or the ledger cannot be asked or changed. Run it again.
    """
    run = job.github.run(run_id)
    pull = _found(job, run)
    if isinstance(pull, Answer):
        return pull
    try:
        handed = receive(job.github, run)
        if isinstance(handed, Answer):
            return _unjudged(job, run, "error", handed)
        plan = _judge(job, pull, handed.bundle)
    except (InvalidBundle, ConfigError) as error:
        reason = " ".join(error.message.split())[:_LONGEST]
        refused = Answer(name=Name.EVIDENCE_INVALID, reason=reason, next_step=error.hint)
        return _unjudged(job, run, "failure", refused)
    if isinstance(plan, Answer):
        return _unjudged(job, run, "failure", plan)
    comment = post(job.github, pull.number, job.words.comment(plan), job.words.marker(plan.project))
    entry = record(job.ledger, Judged(run, pull, plan, handed.parts), comment, job.by)
    set_status(job.github, run.head_sha, _state(plan), job.words.sentence(plan), comment.url)
    return Reviewing(pull, plan, comment, entry)


def _found(job: Job, run: Run) -> Pull | Answer:
    pull = find_pull(job.github, run)
    if isinstance(pull, Answer):
        return pull
    head = job.remote.fetched(f"refs/pull/{pull.number}/head")
    if head == run.head_sha:
        return pull
    return Answer(
        name=Name.STALE_RUN,
        reason=f"The head of #{pull.number} is {(head or 'gone')[:12]} by now; run {run.id} ran "
        f"for {run.head_sha[:12]}.",
        next_step="nothing: the newer commit's own run is commented",
    )


def _judge(job: Job, pull: Pull, bundle: Bundle) -> Plan | Answer:
    """Judge by the policy at the tip of main, wherever the pull request says that it goes.

    It could be sent to another branch, with another policy, and back to main later.
    """
    git, stated = job.remote.git, bundle.plan.candidate
    if stated.commit != pull.head_sha:
        raise InvalidBundle(
            f"the evidence is of {stated.commit[:12]}, and the run is of {pull.head_sha[:12]}",
            hint="let the build check out the pull request's head, not its trial merge",
        )
    base = job.remote.fetched(job.main)
    if _has_moved(git, stated.base, base):
        return Answer(
            name=Name.MOVED,
            reason=f"{job.main} is at {_short(base)} by now, where a model is made from other "
            f"inputs than at {_short(stated.base)}, which the build compared with.",
            next_step=f"merge {job.main} into the branch; the run of that commit is commented",
        )
    plan = rejudge(git, bundle, base=base, head=pull.head_sha, today=job.today)
    banners = (*_banners(job, pull, base), *plan.judgement.banners)
    return plan.model_copy(
        update={
            "judgement": plan.judgement.model_copy(update={"banners": banners}),
            "notices": (*_notices(job, pull, stated.base, base), *plan.notices),
        }
    )


def _has_moved(git: Git, compared: str | None, base: str | None) -> bool:
    """Whether the build compared with what was main once, and main has another model now."""
    if compared is None or base is None or not git.has(compared):
        return False
    return git.is_ancestor(compared, base) and not is_like(git, compared, base)


def _banners(job: Job, pull: Pull, base: str | None) -> Iterator[Banner]:
    """Say that a merge would not give the reviewed model, where Git tells that already."""
    git = job.remote.git
    began = None if base is None else git.merge_base(base, pull.head_sha)
    if began is not None and not is_like(git, began, base):
        yield Banner(
            kind="main-moved",
            text=f"{job.main} has changed what a model is made from since this branch began. "
            "Merged now, both changes would make another model than the one reviewed here, and "
            f"nothing would be promoted (MOVED): merge {job.main} into the branch first.",
        )


def _notices(job: Job, pull: Pull, compared: str | None, base: str | None) -> Iterator[str]:
    if compared != base:
        yield (
            f"{job.main} is at {_short(base)} by now, and its policy counts; the comparison is "
            f"with {_short(compared)}, where a model is made from the same inputs."
        )
    if pull.base_ref != job.main:
        yield f"This pull request goes to {pull.base_ref}, and is judged as if to {job.main}."


def _short(commit: str | None) -> str:
    return commit[:12] if commit else "nothing"


def _state(plan: Plan) -> StatusState:
    if plan.judgement.outcome is Outcome.ERRORED:
        return "error"
    passes = not plan.judgement.outcome.blocks
    return "success" if passes and plan.judgement.answer in _GOOD else "failure"


def _unjudged(job: Job, run: Run, state: StatusState, answer: Answer) -> Answer:
    set_status(job.github, run.head_sha, state, f"{answer.name}: {answer.reason}", run.url)
    return answer
