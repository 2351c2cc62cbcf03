"""What GitHub's automation does: a job behind each push, build, approval, merge and rollback."""

from dataclasses import dataclass, field
from typing import Any

from mergeline.core.answers import Name
from mergeline.errors import UsageError
from mergeline.project.line import REVIEWER, Line
from mergeline.project.process import Watch
from mergeline.project.rehearse.lanes import Ended, Job, Jobs, Kind
from mergeline.project.rehearse.story import Story
from mergeline.rehearsal.answers import Refusal
from mergeline.rehearsal.merging import METHODS
from mergeline.rehearsal.state import Comment, Pull, Run

_WELL = {0: "No gate failed.", 10: "A gate failed.", 11: "A gate errored: we do not know."}
_LONGEST_REASON = 500


@dataclass
class Robot:
    """The automation of one line, and the people whom a visitor acts as.

    Attributes:
        story: Opens pull requests as the story goes on; None: nobody opens any.
    """

    line: Line
    jobs: Jobs
    story: Story | None = None
    rolled_back: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begin with what there is to do."""
        self.jobs.builds.then = self.jobs.trusted.then = self.notice
        self.jobs.start()
        self.notice()

    def notice(self) -> None:
        """Give each open pull request whose head has no build one, and let the story go on."""
        # Both lanes come here: what one begins, the other is to see.
        with self.line.github.world.lock:
            self._go_on()
            for pull in reversed(self.pulls()):
                if pull.state == "open" and not self.runs(pull):
                    self._build(pull)

    def _go_on(self) -> None:
        story, repo = self.story, self.line.github.repo
        if story is None or self.jobs.open("story"):
            return
        due = story.due(repo, rolled_back=self.rolled_back)
        if due:
            what = "a pull request" if len(due) == 1 else f"{len(due)} pull requests"
            self.jobs.add("story", f"Ada opens {what}", lambda _: story.open(self.line, due))

    # --- what a visitor does -----------------------------------------------------------------

    def approve(self, number: int, login: str) -> None:
        """Approve a pull request as somebody; while it is open, its comment is brought up to date.

        Raises:
            UsageError: It cannot be approved by them, or not now.
        """
        pull = self._unsettled(number)
        run = self.built(pull)
        if run is None or not self.comments(pull):
            raise UsageError(
                f"#{number} has no comment yet, and an approval counts from its comment on",
                hint="wait for its check, read the comment, then approve",
            )
        # A comment that comes afterwards would make the approval a STALE_APPROVAL.
        self._refuse_while("build", "comment", "promote", pull=number)
        try:
            self.line.approve(number, login)
        except Refusal as refusal:
            said = "; ".join(map(str, refusal.errors or [refusal.message]))
            raise UsageError(
                f"GitHub refuses: {said}",
                hint=f"nobody approves their own work: act as {REVIEWER.title()}",
            ) from refusal
        if not pull.merged:
            self._comment(number, run.id, "Bring the comment up to date with the approval")

    def merge(self, number: int, method: str, login: str) -> Job:
        """Merge a pull request as somebody; it is promoted then.

        Raises:
            UsageError: A rule forbids it, or something is under way.
        """
        self._open_pull(number)
        if method not in METHODS:
            raise UsageError(
                f"no way to merge: {method[:40]!r}", hint=f"one of {', '.join(METHODS)}"
            )
        self._refuse_while("comment", "build", pull=number)
        self._refuse_while("promote", "rollback")
        try:
            commit = self.line.merge(number, method, login)
        except ValueError as refusal:
            raise UsageError(
                f"GitHub refuses to merge: {refusal}",
                hint="the rules of main ask for the green status `mergeline` and one approval",
            ) from refusal
        return self._promotion(number, commit)

    def rerun(self, number: int) -> Job:
        """Build a pull request once more, against main as it is now; a merged one is promoted.

        Raises:
            UsageError: It is closed or promoted, or something is under way.
        """
        pull = self._unsettled(number)
        if pull.merged and pull.merge_commit:
            self._refuse_while("promote", "rollback")
            return self._promotion(number, pull.merge_commit)
        self._refuse_while("build", "comment", pull=number)
        with self.line.github.world.lock:
            return self._build(pull)

    def rollback(self, reason: str, to: str | None) -> Job:
        """Declare an earlier release live again.

        Raises:
            UsageError: There is no reason, or something is under way.
        """
        words = " ".join(reason.split())[:_LONGEST_REASON]
        if not words:
            raise UsageError("a rollback needs a reason", hint="say why; it stands in the ledger")
        self._refuse_while("promote", "rollback")

        def work(watch: Watch) -> Ended:
            ended = self.line.rollback(words, to, watch)
            self.rolled_back |= ended.code == 0
            return Ended(ended.code == 0, _said(ended.said))

        return self.jobs.add("rollback", f"Roll back: {words}", work)

    def _unsettled(self, number: int) -> Pull:
        """Return a pull request that is open, or merged without being promoted."""
        pull = next((one for one in self.pulls() if one.number == number), None)
        return pull if pull is not None and self.unpromoted(pull) else self._open_pull(number)

    def _open_pull(self, number: int) -> Pull:
        pull = next((one for one in self.pulls() if one.number == number), None)
        if pull is None:
            raise UsageError(f"there is no pull request #{number}", hint="see the list of them")
        if pull.state != "open":
            done = "merged" if pull.merged else "closed"
            raise UsageError(f"#{number} is {done} already", hint="choose one that is open")
        return pull

    def _refuse_while(self, *kinds: Kind, pull: int | None = None) -> None:
        job = self.jobs.open(*kinds, pull=pull)
        if job is not None:
            does = "is running" if job.state == "runs" else "waits for its turn"
            raise UsageError(
                f"not now: job {job.number} ({job.title}) {does}", hint="wait until it has ended"
            )

    # --- what the stand-in knows ---------------------------------------------------------------

    def pulls(self) -> list[Pull]:
        """Return all pull requests as they are now, the newest first."""
        github = self.line.github
        with github.world.lock:
            numbers = sorted(github.repo.pulls, reverse=True)
            return [github.pull(number) for number in numbers]

    def runs(self, pull: Pull) -> list[Run]:
        """Return the builds of a pull request's head, the newest first."""
        github = self.line.github
        with github.world.lock:
            found = [run for run in github.repo.runs.values() if run.head_sha == pull.head_sha]
        return sorted(found, key=lambda run: -run.id)

    def built(self, pull: Pull) -> Run | None:
        """Return the last build of the head that handed something over; None without one."""
        return next((run for run in self.runs(pull) if run.artifacts), None)

    def unpromoted(self, pull: Pull) -> Job | None:
        """Return the promotion of a pull request where the last one did not end well."""
        jobs = (job for job in self.jobs.all() if job.kind == "promote" and job.pull == pull.number)
        last = next(jobs, None)
        return last if last is not None and last.state == "failed" else None

    def comments(self, pull: Pull) -> list[Comment]:
        """Return a pull request's comments."""
        github = self.line.github
        with github.world.lock:
            return [one for one in github.repo.comments.values() if one.number == pull.number]

    # --- the jobs --------------------------------------------------------------------------------

    def _build(self, pull: Pull) -> Job:
        number, title = pull.number, f"Check #{pull.number} at {pull.head_sha[:12]}"
        run = self.line.github.add_run(
            pull.head_sha,
            head_branch=pull.head_ref,
            status="queued",
            login=pull.login,
            name="pull-request",
        )

        def work(watch: Watch) -> Ended:
            code = self.line.build_run(run, watch)
            if code not in _WELL:
                return Ended(
                    well=False, said=f"The check ended with exit code {code}: see its log."
                )
            self._comment(number, run, f"Comment on #{number}")
            return Ended(well=code == 0, said=_WELL[code])

        return self.jobs.add("build", title, work, pull=number, run=run)

    def _comment(self, number: int, run: int, title: str) -> Job:
        def work(watch: Watch) -> Ended:
            self.line.comment(run, watch)
            return Ended(well=True, said="The comment says what was found.")

        return self.jobs.add("comment", title, work, pull=number, run=run)

    def _promotion(self, number: int, commit: str) -> Job:
        def work(watch: Watch) -> Ended:
            ended = self.line.promote(watch)
            said = _said(ended.said)
            watch.say(said)
            return Ended(Name(ended.said["name"]).exit_code == 0, said)

        title = f"Promote what #{number} brought to main ({commit[:12]})"
        return self.jobs.add("promote", title, work, pull=number)


def _said(answer: dict[str, Any]) -> str:
    """Return a named answer in words, with what to do next."""
    said, then = f"{answer['name']}: {answer['reason']}", answer["next_step"]
    return f"{said} Next: {then}." if then else said
