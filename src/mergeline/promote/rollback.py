"""`mergeline rollback`: an earlier release is declared again, and the one it replaces barred."""

from collections.abc import Callable
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.adapters.registry import Registry
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer, Name, answer
from mergeline.errors import ToolError, UsageError
from mergeline.inputs.settings import readable_settings_at, require_settings_at
from mergeline.ledger.entries import Declared, Entry, Live, Release, RolledBack, utc_now
from mergeline.ledger.history import History
from mergeline.ledger.store import Ledger
from mergeline.promote.announce import follow, replaced_by
from mergeline.promote.confirm import Patience, confirm
from mergeline.promote.held import held
from mergeline.promote.line import Ended, Line, settings_of
from mergeline.promote.revert import Reverting, open_revert, revert_commands
from mergeline.promote.settle import Say, settle


@dataclass(frozen=True)
class Wish:
    """What somebody asks for.

    Attributes:
        reason: Why; it stands in the ledger.
        to: A version that was live before; None for the one that was live last.
    """

    reason: str
    to: str | None = None


@dataclass(frozen=True)
class RollbackJob:
    """A wish, and what it is done with.

    Attributes:
        git: A whole clone.
        github: None where it cannot be asked: the rollback stands without it.
        may_open: Whether a pull request of ours would be checked. One that is opened with
            the token that GitHub gives to a job is not.
        environment: None for the one that the settings name.
        by: Who asks: a user, or the run of a workflow; `url` shows it to people.
        open_registry: Returns the registry that settings name: those of a release, which were
            approved, whatever main says by now.
        interval: Seconds from one look at the follower's report to the next.
    """

    git: Git
    remote: Remote
    github: GitHub | None
    may_open: bool
    wish: Wish
    environment: str | None
    by: str
    url: str
    open_registry: Callable[[Settings], Registry]
    interval: float = 1.0


class RollbackEnded(Ended):
    """How a rollback ended.

    Attributes:
        revert: The pull request that takes the replaced merge back.
        left: Why there is none; empty where there is, or nothing to take back.
        commands: What makes it by hand.
    """

    revert: int | None = None
    left: str = ""
    commands: tuple[str, ...] = ()


def rollback(job: RollbackJob, say: Say) -> RollbackEnded:
    """Declare an earlier release, wait for the follower, and have the merge taken back.

    The wish of the last rollback, by the same user or run, is that rollback: one that was
    interrupted is finished, not done twice.

    Args:
        job: What to do.
        say: Is told, a line each, what is going on.

    Returns:
        LIVE, REJECTED, UNCONFIRMED, SUPERSEDED, ALREADY_LIVE, UNDECIDED, BYTES_MISMATCH,
        REGISTRY_MISMATCH or REGISTRY_UNAVAILABLE.

    Raises:
        UsageError: Nothing is declared, there is no earlier release, or the version was
            never live here.
        ConfigError: No settings can be read, neither main's nor those of the last release.
        ToolError: The ledger cannot be read, believed or appended to.
    """
    main = job.remote.default_branch()
    ledger = Ledger(job.git, job.remote.name)
    tip = _tip(job.remote, main)
    settings = _settings(job.git, tip, ledger.read())
    environment = job.environment or settings.deploy.environment
    line = Line(job.git, job.remote, ledger, main, environment, job.by, job.url)
    patience = Patience(settings.deploy.confirm_seconds, job.interval)

    def registry_of(release: Release) -> Registry:
        return job.open_registry(settings_of(job.git, release.commit) or settings)

    found, declared = _roll_back(line, registry_of, job.wish, patience, say)
    if declared is not None:
        own = settings_of(job.git, declared.release.commit) or settings
        follow(line, job.open_registry(own), own, job.github, declared, say)
    reverting = Reverting()
    if isinstance(declared, RolledBack) and found.name in (Name.LIVE, Name.UNCONFIRMED):
        reverting = _revert(job, line, declared)
    return RollbackEnded(
        **dict(found),
        commit=declared.release.commit if declared else tip,
        environment=environment,
        pull_request=declared.release.pull_request if declared else None,
        entry=declared.number if declared else None,
        version=declared.release.version if declared else None,
        revert=reverting.pull_request,
        left=reverting.why,
        commands=reverting.commands,
    )


def _tip(remote: Remote, main: str) -> str:
    tip = remote.fetched(main)
    if tip is None:
        raise ToolError(f"{remote} has no branch {main} any more", hint="push it again")
    return tip


def _settings(git: Git, tip: str, history: History) -> Settings:
    """Return main's settings; where those are broken, the last release's: it must go back."""
    declared = [e for name in history.environments() for e in history.declared(name)]
    last = max(declared, key=lambda entry: entry.number, default=None)
    known = readable_settings_at(git, tip)
    if known is None and last is not None and git.has(last.release.commit):
        known = readable_settings_at(git, last.release.commit)
    return known or require_settings_at(git, tip)


def _revert(job: RollbackJob, line: Line, rolled_back: RolledBack) -> Reverting:
    """Open the pull request that takes the replaced merge back, or say how it is done."""
    replaced = replaced_by(line.ledger.read(), rolled_back)
    if replaced is None:
        return Reverting()
    if job.github is not None and job.may_open:
        return open_revert(line, job.github, rolled_back, replaced)
    why = "GitHub does not check a pull request that is opened with a job's own token."
    if job.github is None:
        why = "GitHub cannot be asked from here."
    return Reverting(None, why, revert_commands(line, replaced, None))


def _roll_back(
    line: Line,
    registry_of: Callable[[Release], Registry],
    wish: Wish,
    patience: Patience,
    say: Say,
) -> tuple[Answer, Declared | None]:
    """Return the answer, and the declaration that it is about."""
    history, _ = settle(line, say)
    current = history.desired(line.environment)
    if current is None:
        raise UsageError(
            f"nothing is declared for {line.environment}, so there is nothing to roll back",
            hint="see `mergeline log`; --environment names another one",
        )
    if _is_wished(current, wish, line.by):
        return confirm(line, current, patience), current
    target = _target(line, history, wish)
    if target.version == current.release.version:
        if history.outcome(current) is None:
            return confirm(line, current, patience), current
        reason = f"Version {target.version} is what is live in {line.environment}."
        return answer(Name.ALREADY_LIVE, reason), current
    say(f"verify: version {target.version} in the registry")
    refusal = held(registry_of(target), target)
    if refusal is not None:
        return refusal, None
    say(f"declare: version {target.version} instead of {current.release.version}")
    declared = _declare(line, current, target, wish)
    if isinstance(declared, Answer):
        return declared, None
    say(f"confirm: entry {declared.number}, by the server of {line.environment}")
    return confirm(line, declared, patience), declared


def _target(line: Line, history: History, wish: Wish) -> Release:
    """Return the release to go back to.

    Raises:
        UsageError: There is none, or the version that is asked for was never live.
    """
    environment = line.environment
    lives = [e for e in history.declared(environment) if isinstance(history.outcome(e), Live)]
    if wish.to is None:
        found = history.rollback_target(environment)
    else:
        found = next((e for e in reversed(lives) if e.release.version == wish.to), None)
    if found is not None:
        return found.release
    versions = ", ".join(dict.fromkeys(e.release.version for e in lives)) or "none"
    if wish.to is None:
        raise UsageError(
            f"no release of {environment} that was live before this one is not barred",
            hint="see with `mergeline log` what was rolled back and why; --to takes a barred "
            "version all the same",
        )
    raise UsageError(
        f"version {wish.to} was never live in {environment}",
        hint=f"name one that was: {versions}",
    )


def _declare(line: Line, current: Declared, target: Release, wish: Wish) -> Declared | Answer:
    """Append the rollback, if what it replaces is still what is desired."""
    overtaken = False

    def make(history: History) -> Entry | None:
        nonlocal overtaken
        desired = history.desired(line.environment)
        overtaken = desired is None or desired.number != current.number
        return None if overtaken else _entry(line, history, current, target, wish)

    declared = line.ledger.append(make).declared(line.environment)
    ours = next((e for e in reversed(declared) if _is_wished(e, wish, line.by)), None)
    if ours is not None and (not overtaken or ours is declared[-1]):
        return ours
    reason = f"The ledger declared something else for {line.environment} at the same moment."
    return answer(Name.UNDECIDED, reason, "look at it (`mergeline status`), then roll back again")


def _entry(
    line: Line, history: History, current: Declared, target: Release, wish: Wish
) -> RolledBack:
    return RolledBack(
        time=utc_now(),
        project=target.project,
        by=line.by,
        environment=line.environment,
        release=target,
        replaces=current.release.version,
        bars=current.release.model,
        reason=wish.reason,
        main=_tip(line.remote, line.main),
        position=history.position(line.environment),
    )


def _is_wished(declared: Declared, wish: Wish, by: str) -> bool:
    return (
        isinstance(declared, RolledBack)
        and (declared.reason, declared.by) == (wish.reason, by)
        and wish.to in (None, declared.release.version)
    )
