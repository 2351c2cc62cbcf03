"""Pull requests as the pages show them."""

from dataclasses import dataclass
from datetime import datetime

from mergeline.project.rehearse import changed
from mergeline.project.rehearse.comments import comment_html
from mergeline.project.rehearse.lanes import Job, Kind
from mergeline.project.rehearse.robot import Robot
from mergeline.rehearsal.merging import own_commits
from mergeline.rehearsal.repository import Commit
from mergeline.rehearsal.required import missing_approvals, missing_statuses
from mergeline.rehearsal.state import Comment, Pull, Review, Run

_WORDS = {"success": "passed", "failure": "failed", "error": "failed", "pending": "waits"}
_CONTEXT = "mergeline"
_DOING: dict[Kind, str] = {"build": "building", "comment": "its comment is being written"}


@dataclass(frozen=True)
class Check:
    """Where the check of a pull request's head stands.

    Attributes:
        state: `waits`, `runs`, `passed` or `failed`; `word` says it.
        said: The verdict in a line, or what is going on.
        job: That goes on.
    """

    state: str
    word: str
    said: str
    job: Job | None = None


@dataclass(frozen=True)
class Row:
    """One pull request of the list."""

    pull: Pull
    state: str
    check: Check


@dataclass(frozen=True)
class Said:
    """One comment as HTML that is safe to show."""

    login: str
    time: datetime
    edited: bool
    html: str


@dataclass(frozen=True)
class Build:
    """One build of the head.

    Attributes:
        job: That did it; None where it was done before the site was there.
        report: Whether a report page was kept.
    """

    run: Run
    job: Job | None
    report: bool


@dataclass(frozen=True)
class Whole:
    """One pull request with all that its page shows.

    Attributes:
        unpromoted: The promotion of a merge, where it did not end well.
        lacking: What a merge lacks by main's rules, a sentence each.
    """

    row: Row
    commits: tuple[Commit, ...]
    settings: tuple[changed.Setting, ...]
    files: tuple[changed.File, ...]
    comments: tuple[Said, ...]
    reviews: tuple[Review, ...]
    builds: tuple[Build, ...]
    jobs: tuple[Job, ...]
    unpromoted: Job | None
    lacking: tuple[str, ...]


def state_of(pull: Pull) -> str:
    """Return `open`, `merged` or `closed`."""
    return "merged" if pull.merged else pull.state


def row(robot: Robot, pull: Pull) -> Row:
    """Return a pull request for the list."""
    return Row(pull, state_of(pull), _check(robot, pull))


def whole(robot: Robot, pull: Pull) -> Whole:
    """Return all of a pull request."""
    repo = robot.line.github.repo
    base = changed.base_of(repo.git, pull)
    own = pull.commits or own_commits(repo.git, pull.base_sha, pull.head_sha)
    return Whole(
        row=row(robot, pull),
        commits=tuple(repo.git.commits(own)),
        settings=changed.settings(repo.git, base, pull.head_sha),
        files=changed.files(repo.git, base, pull.head_sha),
        comments=tuple(_said(one) for one in robot.comments(pull)),
        reviews=tuple(pull.reviews),
        builds=tuple(_build(robot, run) for run in robot.runs(pull)),
        jobs=tuple(job for job in robot.jobs.all() if job.pull == pull.number),
        unpromoted=robot.unpromoted(pull),
        lacking=tuple(_lacking(robot, pull)),
    )


def _check(robot: Robot, pull: Pull) -> Check:
    for kind, doing in _DOING.items():
        job = robot.jobs.open(kind, pull=pull.number)
        if job is not None and pull.state == "open":
            waits = job.state == "waits"
            word = f"{doing}, {job.seconds} s so far" if not waits else "waits for its turn"
            said = job.last_line() if kind == "build" else "The trusted job judges it again."
            return Check("waits" if waits else "runs", word, said, job)
    statuses = [
        one
        for one in robot.line.github.repo.statuses
        if (one.sha, one.context) == (pull.head_sha, _CONTEXT)
    ]
    if statuses:
        state = _WORDS.get(statuses[-1].state, "waits")
        return Check(state, state, statuses[-1].description or "")
    last = next((job for job in robot.jobs.all() if job.pull == pull.number), None)
    if last is not None and last.state == "failed":
        return Check("failed", "did not finish", last.said, last)
    return Check("waits", "no verdict", "It was not judged.")


def _said(comment: Comment) -> Said:
    edited = comment.updated != comment.created
    return Said(comment.login, comment.updated, edited, comment_html(comment.body))


def _build(robot: Robot, run: Run) -> Build:
    job = next((job for job in robot.jobs.all() if (job.kind, job.run) == ("build", run.id)), None)
    return Build(run, job, robot.line.page(run.id).is_file())


def _lacking(robot: Robot, pull: Pull) -> list[str]:
    repo = robot.line.github.repo
    if pull.state != "open":
        return []
    found = [f"The status {name} is not green." for name in missing_statuses(repo, pull)]
    lacking = missing_approvals(repo, pull)
    if lacking:
        more = "One more approval" if lacking == 1 else f"{lacking} more approvals"
        found.append(f"{more} by people who may write {'is' if lacking == 1 else 'are'} needed.")
    if not pull.mergeable:
        found.append("It conflicts with main.")
    return found
