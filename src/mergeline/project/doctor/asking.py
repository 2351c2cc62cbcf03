"""The questions to GitHub: asked side by side, each with an answer or with why it is not known."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from mergeline.adapters.github_client import Client, Patience
from mergeline.adapters.github_place import Place
from mergeline.adapters.github_settings import (
    ACTIONS,
    ADMINISTRATION,
    CONTENTS,
    ENVIRONMENTS,
    METADATA,
    PULLS,
    SECRETS,
    VARIABLES,
    Actor,
    Environment,
    Facts,
    Protection,
    RepositorySettings,
    Retention,
    Rule,
    Ruleset,
    Visit,
    WorkflowState,
)
from mergeline.errors import GitHubError

T = TypeVar("T")

# A doctor is waited for: what does not answer soon is not known.
PATIENCE = Patience(seconds=6, tries=2, pause=0.5, longest=2, total=12)
_AT_ONCE = 8
_NOT_IN_PLAN = "upgrade to github"


@dataclass(frozen=True)
class Unknown:
    """Something that GitHub did not tell.

    Attributes:
        why: In words.
        in_plan: Whether the owner's plan has it at all.
    """

    why: str
    in_plan: bool = True


@dataclass(frozen=True)
class Guard:
    """The rules that are active for a branch, and the rulesets that they come from."""

    rules: tuple[Rule, ...] = ()
    rulesets: Mapping[int, Ruleset | Unknown] = field(default_factory=dict)

    def first(self, kind: str) -> Rule | None:
        """Return a rule of a kind."""
        return next((rule for rule in self.rules if rule.type == kind), None)

    def all(self, kind: str) -> tuple[Rule, ...]:
        """Return all rules of a kind; each of them has to be met."""
        return tuple(rule for rule in self.rules if rule.type == kind)


def actors_of(ruleset: Ruleset | Unknown) -> tuple[Actor, ...] | None:
    """Return who may pass by a ruleset; None where that is not shown."""
    return None if isinstance(ruleset, Unknown) else ruleset.bypass


@dataclass(frozen=True)
class Branch:
    """What protects a branch.

    Attributes:
        guard: Rulesets.
        classic: Classic protection; None for none.
    """

    name: str
    guard: Guard | Unknown
    classic: Protection | Unknown | None


@dataclass(frozen=True)
class Room:
    """An environment.

    Attributes:
        facts: None where it is not there.
        branches: Patterns of its policy, where it has patterns.
        names: Of its secrets.
    """

    name: str
    facts: Environment | Unknown | None
    branches: frozenset[str] | Unknown
    secrets: frozenset[str] | Unknown


@dataclass(frozen=True)
class Seen:
    """What GitHub told."""

    facts: Facts
    visit: Visit
    login: str | Unknown
    main: Branch
    lines: Sequence[Branch]
    rooms: Sequence[Room]
    secrets: frozenset[str] | Unknown
    variables: frozenset[str] | Unknown
    may_run: tuple[bool, str] | Unknown
    default_permissions: tuple[str, bool] | Unknown
    retention: Retention | Unknown
    oldest_pull: str | Unknown | None
    fork_policy: str | Unknown
    private_forks: Mapping[str, bool] | Unknown
    workflows: tuple[WorkflowState, ...] | Unknown
    owner_errors: tuple[str, ...] | Unknown


def look(
    place: Place,
    lines: Sequence[str],
    environments: Sequence[str],
) -> Seen:
    """Ask everything.

    Args:
        place: What and by whom.
        lines: Branches that only the line itself is to push.
        environments: Those that jobs run in.

    Raises:
        GitHubError: The first question, for the repository itself, has no answer; nothing
            else is asked then.
    """

    def fresh() -> RepositorySettings:
        # PyGithub's connection is for one thread.
        return RepositorySettings(Client(place, PATIENCE))

    facts, visit = fresh().facts()
    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def later(
            question: Callable[[RepositorySettings], T], needs: str
        ) -> Callable[[], T | Unknown]:
            return pool.submit(_answer, question, fresh(), needs).result

        def later_branch(name: str) -> Callable[[], Branch]:
            guard = later(lambda github: _guard(github, name), METADATA)
            classic = later(lambda github: _classic(github, name), ADMINISTRATION)
            return lambda: Branch(name, guard(), classic())

        def later_room(name: str) -> Callable[[], Room]:
            about = later(lambda github: github.environment(name), ACTIONS)
            branches = later(lambda github: github.branches_of(name), ACTIONS)
            secrets = later(lambda github: github.names("secrets", name), ENVIRONMENTS)
            return lambda: _room(name, about(), branches(), secrets())

        main = later_branch(facts.default_branch)
        others = [later_branch(name) for name in lines]
        rooms = [later_room(name) for name in environments]
        login = later(RepositorySettings.login, METADATA)
        secrets = later(lambda github: github.names("secrets"), SECRETS)
        variables = later(lambda github: github.names("variables"), VARIABLES)
        may_run = later(RepositorySettings.may_run, ADMINISTRATION)
        permissions = later(RepositorySettings.default_permissions, ADMINISTRATION)
        retention = later(RepositorySettings.retention, ADMINISTRATION)
        oldest = later(RepositorySettings.oldest_pull, PULLS)
        forks = later(RepositorySettings.fork_policy, ADMINISTRATION)
        private_forks = later(RepositorySettings.private_forks, ADMINISTRATION)
        workflows = later(RepositorySettings.workflows, ACTIONS)
        errors = later(RepositorySettings.owner_errors, CONTENTS)
        return Seen(
            facts=facts,
            visit=visit,
            login=login(),
            main=main(),
            lines=[one() for one in others],
            rooms=[one() for one in rooms],
            secrets=secrets(),
            variables=variables(),
            may_run=may_run(),
            default_permissions=permissions(),
            retention=retention(),
            oldest_pull=oldest(),
            fork_policy=forks(),
            private_forks=private_forks(),
            workflows=workflows(),
            owner_errors=errors(),
        )


def _room(
    name: str,
    facts: Environment | Unknown | None,
    branches: frozenset[str] | Unknown,
    secrets: frozenset[str] | Unknown,
) -> Room:
    # One that is not there has no secrets, and is asked for them in vain.
    return Room(name, facts, branches, frozenset() if facts is None else secrets)


def _answer(
    question: Callable[[RepositorySettings], T], github: RepositorySettings, needs: str
) -> T | Unknown:
    try:
        return question(github)
    except GitHubError as error:
        return _why(error, needs)
    except (KeyError, TypeError, AttributeError):
        return Unknown("GitHub's answer is not the one that its API promises")


def _why(error: GitHubError, needs: str) -> Unknown:
    hidden = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    if _NOT_IN_PLAN in error.message.lower():
        return Unknown("the owner's plan does not have it for a private repository", in_plan=False)
    if error.status in hidden and error.again_after is None:
        return Unknown(f"needs a token with `{needs}`")
    return Unknown(error.message)


def _guard(github: RepositorySettings, branch: str) -> Guard:
    rules = github.rules(branch)
    numbers = {rule.ruleset for rule in rules if rule.ruleset is not None}
    sets = {
        number: _answer(partial(RepositorySettings.ruleset, number=number), github, ADMINISTRATION)
        for number in sorted(numbers)
    }
    return Guard(rules, sets)


def _classic(github: RepositorySettings, branch: str) -> Protection | None:
    try:
        return github.protection(branch)
    except GitHubError:
        # Whether there is any may be seen by more people than what it asks for.
        if github.is_protected(branch):
            raise
        return None
