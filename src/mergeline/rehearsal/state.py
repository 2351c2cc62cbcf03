"""What the stand-in knows of a repository beyond Git: people, pull requests, runs, records."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mergeline.rehearsal.repository import Repository
from mergeline.rehearsal.setup import Names, Setup


@dataclass
class User:
    """An account. `kind` is `User`, `Bot` or `Organization`."""

    login: str
    id: int
    name: str
    email: str
    kind: str = "User"


@dataclass(frozen=True)
class Token:
    """What a token may do.

    Attributes:
        login: Whose it is.
        permission: `read`, `write` or `admin`.
        scopes: As `permissions:` of a workflow (`{"statuses": "write"}`); what is not
            named may not be written. None: everything that `permission` allows.
        classic: The scopes that GitHub states of a classic token; None for other tokens.
    """

    login: str
    permission: str
    scopes: dict[str, str] | None = None
    classic: tuple[str, ...] | None = None


@dataclass
class Review:
    """A review of a pull request; `state` as GitHub writes it, in capitals."""

    id: int
    login: str
    state: str
    body: str
    commit: str
    submitted: datetime | None


@dataclass(frozen=True)
class Event:
    """Something that happened to a pull request; `name` as GitHub calls it."""

    id: int
    name: str
    login: str
    created: datetime


@dataclass
class Pull:
    """A pull request.

    Attributes:
        head_repo: Where its branch is; None once that repository is gone.
        base_sha: The tip of the base when the head last moved.
        merge_commit: While it is open a test merge; then what the base got.
        mergeable: Whether the test merge worked.
        tested: Base and head of the test merge.
        commits: Its own commits, frozen by the merge.
        brought: The commits that the merge brought to the base.
    """

    number: int
    id: int
    login: str
    title: str
    body: str | None
    head_repo: "Repo | None"
    head_owner: str
    head_ref: str
    base_ref: str
    head_sha: str
    base_sha: str
    created: datetime
    updated: datetime
    draft: bool = False
    state: str = "open"
    closed: datetime | None = None
    merged: datetime | None = None
    merged_by: str | None = None
    merge_commit: str | None = None
    mergeable: bool | None = None
    tested: tuple[str, str] | None = None
    commits: tuple[str, ...] = ()
    brought: frozenset[str] = frozenset()
    reviews: list[Review] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass
class Comment:
    """A comment in a pull request's conversation."""

    id: int
    number: int
    login: str
    body: str
    created: datetime
    updated: datetime


@dataclass
class Status:
    """A commit status; a later one of the same context counts."""

    id: int
    sha: str
    login: str
    state: str
    context: str
    description: str | None
    url: str | None
    created: datetime


@dataclass
class CheckRun:
    """A check run of a commit."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started: datetime
    completed: datetime | None
    output: dict[str, Any]
    details_url: str | None
    external_id: str | None


@dataclass
class Artifact:
    """A zip file that a run left."""

    id: int
    name: str
    data: bytes
    created: datetime
    expired: bool = False


@dataclass
class Run:
    """A workflow run."""

    id: int
    number: int
    head_sha: str
    head_branch: str | None
    head_repo: str
    event: str
    status: str
    conclusion: str | None
    login: str
    name: str
    path: str
    created: datetime
    updated: datetime
    attempt: int = 1
    artifacts: list[Artifact] = field(default_factory=list)


@dataclass
class DeploymentStatus:
    """One step of a deployment."""

    id: int
    login: str
    state: str
    description: str
    log_url: str
    environment_url: str
    environment: str
    created: datetime


@dataclass
class Deployment:
    """The wish to have a commit in an environment."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: Any
    login: str
    production: bool
    transient: bool
    created: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Environment:
    """Where deployments go; rules and branch policy as GitHub shows them.

    Attributes:
        branches: The patterns of a policy of its own.
    """

    id: int
    name: str
    created: datetime
    protection_rules: list[dict[str, Any]]
    branch_policy: dict[str, bool] | None
    branches: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)


@dataclass
class Ruleset:
    """Rules for the branches or tags that `include` names.

    Attributes:
        target: `branch` or `tag`.
        enforcement: `active`, `evaluate` or `disabled`.
        include: `refs/heads/PATTERN`, `~DEFAULT_BRANCH` or `~ALL`.
        rules: As GitHub shows them: `type` and, for most, `parameters`.
        bypass: Who may pass by them, as GitHub shows it.
    """

    id: int
    name: str
    target: str
    enforcement: str
    include: list[str]
    exclude: list[str]
    rules: list[dict[str, Any]]
    bypass: list[dict[str, Any]]
    created: datetime


@dataclass
class Repo:
    """A repository with all that belongs to it.

    Attributes:
        collaborators: `admin`, `maintain`, `write`, `triage` or `read`, by login.
    """

    owner: str
    name: str
    id: int
    git: Repository
    created: datetime
    default_branch: str = "main"
    private: bool = False
    parent: "Repo | None" = None
    next_number: int = 1
    collaborators: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    environments: dict[str, Environment] = field(default_factory=dict)
    setup: Setup = field(default_factory=Setup)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"
