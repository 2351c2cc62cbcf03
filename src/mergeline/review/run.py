"""`mergeline comment`: a run in; one comment, `reviewed` in the ledger and a status out.

A run that only says that somebody reviewed stands for the head's last build, and a run of a
merge queue for its group, which has no comment of its own.

Nothing that the run handed over is believed or executed. The order matters: an approval
counts from the comment on, so the ledger speaks of a comment that is there; the status,
which may open the way to a merge, comes last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from mergeline.adapters.cml import Cml
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment, Pull, Run, StatusState
from mergeline.bundle.other_base import other_base
from mergeline.bundle.read import Bundle
from mergeline.bundle.rejudge import is_older, rejudge
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.core.queue import EVENT
from mergeline.core.remarks import CheckText, Places
from mergeline.errors import ConfigError, GitHubError, InvalidBundle
from mergeline.ledger.entries import Entry, Reviewed
from mergeline.ledger.reuse import reuse_of
from mergeline.ledger.seen import last_lines, push_before
from mergeline.ledger.store import Ledger
from mergeline.review.artifacts import receive
from mergeline.review.banners import banners, other_base_banner
from mergeline.review.check_run import NAME as CHECK_RUN
from mergeline.review.check_run import places_in, post_check_run
from mergeline.review.forecast import Asked, forecast
from mergeline.review.forks import told_to_fork
from mergeline.review.group import Evidence, Group, evidence_of, find_group
from mergeline.review.post import post
from mergeline.review.pull import REVIEW, find_pull, last_build
from mergeline.review.record import Judged, record
from mergeline.review.status import says_of_another, set_status, state_of
from mergeline.review.through_cml import chosen

_LONGEST = 1000  # characters of a reason: the settings of a pull request can be wrong at length


@dataclass(frozen=True)
class Words:
    """How a plan is put into words; this room does not know.

    Attributes:
        comment: The whole comment; begins with its marker.
        sentence: The verdict in one sentence.
        marker: By which a project's comment is found again.
        check_run: What the check run says, of lines in the head's files.
        line: One line of plain text that does nothing wherever it is shown.
        entry: What an entry of the ledger says, one sentence.
    """

    comment: Callable[[Plan], str]
    sentence: Callable[[Plan], str]
    marker: Callable[[str], str]
    check_run: Callable[[Plan, Places], CheckText]
    line: Callable[[str], str]
    entry: Callable[[Entry], str]


@dataclass(frozen=True)
class Job:
    """What the trusted job works with.

    Attributes:
        remote: Where main and the pull requests' heads are.
        main: The branch that pull requests are judged by.
        today: The day on which waivers are held against their expiry.
        by: Who appends to the ledger.
        cml: Posts the comment where the base's settings say so; None for the API alone.
        page: Where the whole report will be; empty without one.
    """

    github: GitHub
    remote: Remote
    ledger: Ledger
    words: Words
    main: str
    today: date
    by: str
    cml: Cml | None = None
    page: str = ""


@dataclass(frozen=True)
class Reviewing:
    """What came of it.

    Attributes:
        comment: None for a merge queue's group.
        entry: As it stands in the ledger; of a group, the review that it rests on.
        warnings: What went wrong without changing that, a sentence each.
    """

    pull: Pull
    plan: Plan
    comment: Comment | None
    entry: Reviewed
    warnings: tuple[str, ...] = ()


def review(job: Job, run_id: int) -> Reviewing | Answer:
    """Judge what a run handed over, comment it and remember it.

    Done again for the same run it comes to the same: one comment, one entry.

    Returns:
        Else STALE_RUN, AMBIGUOUS or UNDECIDED, which change nothing; NO_EVIDENCE,
        EVIDENCE_INVALID, BYTES_MISMATCH or MOVED, which set the commit's status and nothing
        else; not even that where the commit is also the head of another open pull request
        that was judged. After a review of a head without a build NO_EVIDENCE changes nothing.

    Raises:
        ToolError: GitHub, Git or the ledger cannot be asked or changed. Run it again.
    """
    run = job.github.run(run_id)
    if run.event == EVENT:
        return _review_group(job, run)
    pull = _found(job, run)
    if isinstance(pull, Answer):
        return pull
    if run.event == REVIEW:
        build = last_build(job.github, pull)
        if isinstance(build, Answer):
            return build
        run = build
    try:
        handed = receive(job.github, run)
        if isinstance(handed, Answer):
            told = told_to_fork(handed, run, pull, job.github.repository)
            return _unjudged(job, run, "error", told, pull)
        plan = _judge(job, pull, handed.bundle)
    except (InvalidBundle, ConfigError) as error:
        return _unjudged(job, run, "failure", _invalid(error), pull)
    if isinstance(plan, Answer):
        return _unjudged(job, run, "failure", plan, pull)
    body, marker = job.words.comment(plan), job.words.marker(plan.project)
    cml = chosen(job.cml, job.remote.git, plan)
    comment = post(job.github, pull.number, body, marker, cml)
    entry = record(job.ledger, Judged(run, pull, plan, handed.parts), comment, job.by)
    set_status(job.github, run.head_sha, state_of(plan), job.words.sentence(plan), comment.url)
    return Reviewing(pull, plan, comment, entry, _remarked(job, run, plan))


def _remarked(job: Job, run: Run, plan: Plan) -> tuple[str, ...]:
    """Make the check run; return a warning where GitHub does not let us: it decides nothing."""
    text = job.words.check_run(plan, places_in(job.remote.git, plan))
    try:
        post_check_run(job.github, run.head_sha, run.id, text)
    except GitHubError as error:
        return (f"there is no check run `{CHECK_RUN}`: {error.message}; {error.hint}",)
    return ()


def _review_group(job: Job, run: Run) -> Reviewing | Answer:
    """Judge a merge queue's group, and set the status of its commit.

    Only what its own build handed over is remembered. The comment stays as it is: it speaks of
    the pull request's head.
    """
    group = find_group(job.github, job.remote, run)
    if isinstance(group, Answer):
        return group
    try:
        found = evidence_of(job.github, job.remote.git, job.ledger.read(), group)
        if isinstance(found, Answer):
            state: StatusState = "error" if found.name is Name.NO_EVIDENCE else "failure"
            return _unjudged(job, run, state, found)
        plan = _judge_group(job, group, found)
    except (InvalidBundle, ConfigError) as error:
        return _unjudged(job, run, "failure", _invalid(error))
    entry = found.head
    if found.parts:
        judged = Judged(run, group.pull, plan, found.parts)
        entry = record(job.ledger, judged, found.head, job.by)
    set_status(job.github, group.commit, state_of(plan), job.words.sentence(plan), run.url)
    return Reviewing(group.pull, plan, None, entry)


def _judge_group(job: Job, group: Group, found: Evidence) -> Plan:
    """Compare with what the group is on, and judge by the policy at the tip of main.

    What is ahead in the queue may change the policy; that counts when main has it.
    """
    _require_of(found.bundle, found.of)
    return rejudge(
        job.remote.git,
        found.bundle,
        base=group.parent,
        head=group.commit,
        today=job.today,
        policy=job.remote.fetched(job.main),
    )


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
    _require_of(bundle, pull.head_sha)
    base = job.remote.fetched(job.main)
    if is_older(git, stated.base, base):
        return Answer(
            name=Name.MOVED,
            reason=f"{job.main} is at {_short(base)} by now, where a model is made from other "
            f"inputs than at {_short(stated.base)}, which the build compared with.",
            next_step=f"merge {job.main} into the branch; the run of that commit is commented",
        )
    plan = rejudge(git, bundle, base=base, head=pull.head_sha, today=job.today)
    where = other_base(job.github, pull, job.main)
    first = (other_base_banner(where),) if where else ()
    shown = (*first, *banners(git, pull.head_sha, base, job.main), *plan.judgement.banners)
    plan = plan.model_copy(
        update={
            "judgement": plan.judgement.model_copy(update={"banners": shown}),
            "notices": (*_notices(job, pull, stated.base, base), *plan.notices),
        }
    )
    history = job.ledger.read()
    asked = Asked(git, history, pull, plan, bundle.model, base)
    told = {
        "forecast": forecast(job.github, asked),
        "reuse": reuse_of(history, plan.evidence, pull.number),
        "previous": push_before(history, pull.number, pull.head_sha),
        "ledger": last_lines(history, job.words.entry),
        "page": job.page,
    }
    return plan.model_copy(update=told)


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


def _require_of(bundle: Bundle, commit: str) -> None:
    stated = bundle.plan.candidate.commit
    if stated != commit:
        raise InvalidBundle(
            f"the evidence is of {stated[:12]}, and the run is of {commit[:12]}",
            hint="let the build check out the pull request's head, not its trial merge",
        )


def _invalid(error: InvalidBundle | ConfigError) -> Answer:
    reason = " ".join(error.message.split())[:_LONGEST]
    return Answer(name=Name.EVIDENCE_INVALID, reason=reason, next_step=error.hint)


def _unjudged(
    job: Job, run: Run, state: StatusState, answer: Answer, pull: Pull | None = None
) -> Answer:
    """Set the status of a commit that was not judged, unless it tells of another pull request."""
    if pull is not None and says_of_another(job.github, job.ledger.read(), pull):
        return answer
    said = job.words.line(f"{answer.name}: {answer.reason}")
    set_status(job.github, run.head_sha, state, said, run.url)
    return answer
