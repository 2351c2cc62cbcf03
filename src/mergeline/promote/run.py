"""`mergeline promote`: identify, approvals, verify, register, declare, confirm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.adapters.registry import Registry
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.plan import Plan
from mergeline.errors import GitHubError
from mergeline.inputs.settings import require_settings_at
from mergeline.ledger.entries import Declared, Promoted, RolledBack, Settled
from mergeline.ledger.history import History
from mergeline.ledger.store import Ledger
from mergeline.promote.announce import follow
from mergeline.promote.approvals import Approved, approvals
from mergeline.promote.confirm import Patience, confirm, told
from mergeline.promote.declare import declare, promoted, settle_merge, settled
from mergeline.promote.identify import Identified, identify, look_at_main
from mergeline.promote.line import Ended, Line, settings_of
from mergeline.promote.register import register, release_files, release_tags, reviewed_evidence
from mergeline.promote.rests_on import review_of
from mergeline.promote.settle import Say, settle
from mergeline.promote.source import Rebuilt
from mergeline.promote.verify import NeedsRebuild, Verified, verify


@dataclass(frozen=True)
class Job:
    """What was asked for, and what it is done with.

    Attributes:
        git: A whole clone.
        commit: To be promoted.
        environment: None for the one that the settings name.
        by: Who asks: a user, or the run of a workflow; `url` shows it to people.
        today: The day on which waivers are held against their expiry.
        open_registry: Returns the registry that settings name.
        render_card: Returns the model card of a plan.
        rebuilt: Where a second build lies, or the run that made it; None without one.
        interval: Seconds from one look at the follower's report to the next.
    """

    git: Git
    remote: Remote
    github: GitHub
    commit: str
    environment: str | None
    by: str
    url: str
    today: date
    open_registry: Callable[[Settings], Registry]
    render_card: Callable[[Plan], str]
    rebuilt: Rebuilt | None = None
    interval: float = 1.0

    def line(self, main: str, settings: Settings) -> Line:
        """Return the line that the job works on."""
        return Line(
            git=self.git,
            remote=self.remote,
            ledger=_ledger(self),
            main=main,
            environment=self.environment or settings.deploy.environment,
            by=self.by,
            url=self.url,
        )


def promote(job: Job, say: Say) -> Ended:
    """Take a merge through the six steps; each goes on, or ends in a named answer.

    Run again at any time, it finishes what an earlier run began, and does nothing twice.

    Args:
        job: What to promote.
        say: Is told, a line each, what is going on.

    Raises:
        ConfigError: The commit has no settings that can be read.
        ToolError: Git, the ledger or the registry fail in a way that has no name.
    """
    try:
        main = job.remote.default_branch()
        refusal = look_at_main(job.git, job.remote, main, job.commit)
        if refusal is not None:
            return Ended(**dict(refusal), commit=job.commit)
        settings = require_settings_at(job.git, job.commit)
        line, registry = job.line(main, settings), job.open_registry(settings)
        return _Promotion(job, line, settings, registry, say).run()
    except GitHubError as error:
        undecided = answer(Name.UNDECIDED, f"{error.message}.", error.hint)
        return Ended(**dict(undecided), commit=job.commit)


@dataclass(frozen=True)
class Needs:
    """What a promotion needs beside what was reviewed.

    Attributes:
        build: `reuse` also stands for a promotion that would be refused; `nothing`: main has
            no project yet, and the line never began.
        base: What a second build is compared with; None where none is wanted, or there is none.
    """

    build: Literal["nothing", "reuse", "rebuild"]
    base: str | None = None


def build_needed(job: Job) -> Needs:
    """Return whether a promotion would ask for a second build; nothing is written.

    Raises:
        GitHubError: GitHub cannot be asked.
        MergelineError: As `promote`.
    """
    main, reuse = job.remote.default_branch(), Needs("reuse")
    if look_at_main(job.git, job.remote, main, job.commit) is not None:
        return reuse
    if job.git.read(job.commit, layout.SETTINGS) is None and not _ledger(job).read().entries:
        return Needs("nothing")
    settings = require_settings_at(job.git, job.commit)
    line = job.line(main, settings)
    history = line.ledger.read()
    if _ended_before(line, job.commit, history) is not None:
        return reuse
    identified = identify(line, job.github, job.commit, settings, history)
    if isinstance(identified, Answer):
        return reuse
    if isinstance(approvals(job.git, job.github, identified, history), Answer):
        return reuse
    verified = verify(line, job.github, identified, history, rebuilt=None, today=job.today)
    if isinstance(verified, NeedsRebuild):
        return Needs("rebuild", identified.last.base)
    return reuse


def _ledger(job: Job) -> Ledger:
    return Ledger(job.git, job.remote.name)


def _ended_before(
    line: Line, commit: str, history: History
) -> tuple[Answer, Declared | Settled] | None:
    """Return how the promotion of a commit ended that the line has come to already."""
    if history.position(line.environment) != commit:
        return None
    ours = (e for e in reversed(history.of(line.environment)) if isinstance(e, Promoted | Settled))
    entry = next(each for each in ours if each.position == commit)
    desired = history.desired(line.environment)
    if isinstance(desired, RolledBack) and desired.number > entry.number:
        reason = f"The model of {commit[:12]} was rolled back (entry {desired.number})."
        return answer(Name.BARRED, reason, "the next merge brings what comes after it"), desired
    if isinstance(entry, Settled):
        return answer(Name(entry.answer), f"Entry {entry.number} of the ledger says so."), entry
    outcome = history.outcome(entry)
    return None if outcome is None else (told(line, outcome), entry)


@dataclass(frozen=True)
class _Promotion:
    """One promotion under way."""

    job: Job
    line: Line
    settings: Settings
    registry: Registry
    say: Say

    def run(self) -> Ended:
        """Do what is left to do."""
        history, left_open = settle(self.line, self.say)
        if left_open is not None:
            self._follow(left_open)
            outcome = history.outcome(left_open)
            if outcome is not None and self._is_ours(left_open):
                return self._ended(told(self.line, outcome), entry=left_open)
        before = _ended_before(self.line, self.job.commit, history)
        if before is not None:
            self._follow(before[1])
            return self._ended(before[0], entry=before[1])
        github, commit = self.job.github, self.job.commit
        self.say(f"identify: what {self.line.main} holds since the line's position")
        identified = identify(self.line, github, commit, self.settings, history)
        if isinstance(identified, Answer):
            return self._ended(identified)
        self.say(f"approvals: of {_numbers(identified)}")
        approved = approvals(self.line.git, github, identified, history)
        if isinstance(approved, Answer):
            return self._ended(approved, identified)
        self.say(f"verify: #{identified.last.pull.number} against its review")
        verified = verify(
            self.line, github, identified, history, rebuilt=self.job.rebuilt, today=self.job.today
        )
        match verified:
            case NeedsRebuild():
                return self._ended(_rebuild_first(identified, verified), identified)
            case Answer():
                return self._ended(self._leave(identified, approved, verified), identified)
            case Verified():
                return self._deliver(identified, approved, verified, history)

    def _is_ours(self, declared: Declared) -> bool:
        return isinstance(declared, Promoted) and declared.position == self.job.commit

    def _leave(self, identified: Identified, approved: Approved, found: Answer) -> Answer:
        """Move the position past a merge that leaves what is live as it is."""
        if found.name not in (Name.ALREADY_LIVE, Name.POLICY_ONLY):
            return found
        review = review_of(self.line.git, self.line.ledger.read(), identified.last)
        key = review.key if review and found.name is Name.ALREADY_LIVE else None
        entry = settled(self.line, identified, approved, found.name)
        refusal = settle_merge(self.line, entry, key)
        if refusal is None:
            self._follow(entry)
        return refusal or found

    def _deliver(
        self, identified: Identified, approved: Approved, verified: Verified, history: History
    ) -> Ended:
        """Register, declare, confirm."""
        plan = verified.plan
        self.say(f"register: the model {plan.candidate.model[:12]}")
        version = register(
            self.registry,
            plan.candidate.key,
            release_files(verified.bundle, plan, self.job.render_card(plan)),
            release_tags(plan),
            reviewed_evidence(history, plan.candidate.key),
        )
        if isinstance(version, Answer):
            return self._ended(version, identified)
        self.say(f"declare: version {version.number} for {self.line.environment}")
        entry = promoted(self.line, identified, approved, verified, version)
        declared = declare(self.line, entry)
        if isinstance(declared, Answer):
            return self._ended(self._leave(identified, approved, declared), identified)
        self.say(f"confirm: entry {declared.number}, by the server of {self.line.environment}")
        patience = Patience(self.settings.deploy.confirm_seconds, self.job.interval)
        found = confirm(self.line, declared, patience)
        self._follow(declared)
        if found.name is Name.LIVE and not self._is_ours(declared):
            # An earlier merge had declared the same release; its word is in now.
            live = answer(Name.ALREADY_LIVE, f"{found.reason} An earlier merge declared it.")
            found = self._leave(identified, approved, live)
        return self._ended(found, identified, declared)

    def _follow(self, entry: Declared | Settled) -> None:
        commit = entry.position if isinstance(entry, Settled) else entry.release.commit
        settings = settings_of(self.line.git, commit) or self.settings
        registry = self.job.open_registry(settings)
        follow(self.line, registry, settings, self.job.github, entry, self.say)

    def _ended(
        self,
        found: Answer,
        identified: Identified | None = None,
        entry: Declared | Settled | None = None,
    ) -> Ended:
        declared = None if entry is None or isinstance(entry, Settled) else entry
        return Ended(
            **dict(found),
            commit=self.job.commit,
            environment=self.line.environment,
            pull_request=identified.last.pull.number if identified else None,
            entry=declared.number if declared else None,
            version=declared.release.version if declared else None,
        )


def _rebuild_first(identified: Identified, needs: NeedsRebuild) -> Answer:
    merge = identified.last
    base = f" --base {merge.base}" if merge.base else ""
    return answer(
        Name.UNDECIDED,
        f"{needs.why} The model must be built a second time, on main, before it is promoted.",
        f"in a checkout of {merge.commit[:12]}: mergeline check{base}, then: "
        "mergeline promote --rebuilt FOLDER (or --rebuilt-run ID, of the run that did)",
    )


def _numbers(identified: Identified) -> str:
    return ", ".join(f"#{merge.pull.number}" for merge in identified.merges)
