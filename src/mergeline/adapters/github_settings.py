"""How a repository at GitHub is set up: rules of branches, environments, Actions. Only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import AliasPath, BeforeValidator, Field, ValidationError

from mergeline.adapters.github_client import Client
from mergeline.adapters.github_types import Id, Moment, Received
from mergeline.errors import GitHubError

R = TypeVar("R", bound=Received)

METADATA, CONTENTS = "metadata: read", "contents: read"
ADMINISTRATION, ACTIONS = "administration: read", "actions: read"
SECRETS, VARIABLES, ENVIRONMENTS = "secrets: read", "variables: read", "environments: read"
PULLS = "pull-requests: read"

# What GitHub says with a 404 where a branch has no classic protection; any other 404 hides it.
_NOT_PROTECTED = "branch not protected"

_Set = Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})]
_List = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
_On = Annotated[bool, BeforeValidator(lambda value: bool(value.get("enabled")) if value else False)]


class Facts(Received):
    """What a repository is.

    Attributes:
        name: `owner/name`.
        permissions: What whoever asks may do: `admin`, `maintain`, `push`, `triage`, `pull`.
    """

    name: str = Field(validation_alias="full_name")
    default_branch: str
    private: bool
    archived: bool = False
    permissions: dict[str, bool] = {}


class Rule(Received):
    """One rule of a branch, of a ruleset that is active.

    Attributes:
        type: As GitHub calls it, e.g. `pull_request`, `deletion`.
        ruleset: The id of its ruleset.
    """

    type: str
    parameters: _Set = {}
    ruleset: Id | None = Field(default=None, validation_alias="ruleset_id")


class Actor(Received):
    """Who may pass by a ruleset.

    Attributes:
        type: `Integration`, `DeployKey`, `RepositoryRole`, `Team`, `OrganizationAdmin`, `User`.
    """

    type: str = Field(validation_alias="actor_type")
    id: int | None = Field(default=None, validation_alias="actor_id")
    mode: str = Field(default="always", validation_alias="bypass_mode")


class Ruleset(Received):
    """A set of rules.

    Attributes:
        bypass: Who may pass by it; None where whoever asks is not shown that.
    """

    id: Id
    name: str
    bypass: Annotated[tuple[Actor, ...] | None, _List] = Field(
        default=None, validation_alias="bypass_actors"
    )


class Reviews(Received):
    """What classic protection asks of reviews."""

    approvals: int = Field(default=0, validation_alias="required_approving_review_count")
    dismiss_stale: bool = Field(default=False, validation_alias="dismiss_stale_reviews")
    code_owners: bool = Field(default=False, validation_alias="require_code_owner_reviews")
    last_push: bool = Field(default=False, validation_alias="require_last_push_approval")


class Protection(Received):
    """Classic protection of a branch.

    Attributes:
        reviews: None where no pull request is required.
        contexts: Required statuses.
    """

    reviews: Reviews | None = None
    contexts: Annotated[tuple[str, ...], _List] = Field(
        default=(), validation_alias=AliasPath("required_status_checks", "contexts")
    )
    force_pushes: _On = Field(default=False, validation_alias="allow_force_pushes")
    deletions: _On = Field(default=False, validation_alias="allow_deletions")


class Environment(Received):
    """An environment.

    Attributes:
        policy: `protected_branches` and `custom_branch_policies`; empty: any branch.
    """

    name: str
    policy: _Set = Field(default={}, validation_alias="deployment_branch_policy")


class Retention(Received):
    """For how many days artifacts are kept, and how many at most."""

    days: int
    most: int = Field(validation_alias="maximum_allowed_days")


class WorkflowState(Received):
    """A workflow as GitHub has it; `state` is `active` or one of those that are disabled."""

    path: str
    state: str


@dataclass(frozen=True)
class Visit:
    """What an answer's headers say of whoever asks.

    Attributes:
        scopes: Of a classic token; None where the token has none of that kind.
        expires: When the token ends, as GitHub writes it; empty where it does not say.
    """

    scopes: tuple[str, ...] | None
    expires: str


@dataclass(frozen=True)
class RepositorySettings:
    """The settings of one repository. Every method raises `GitHubError`."""

    client: Client

    def facts(self) -> tuple[Facts, Visit]:
        """Return what the repository is, and what the token is."""
        headers, data = self.client.look(self._at(""), needs=METADATA)
        said = headers.get("x-oauth-scopes")
        scopes = None if said is None else tuple(filter(None, map(str.strip, said.split(","))))
        expires = headers.get("github-authentication-token-expiration", "")
        return _read(Facts, data), Visit(scopes, expires)

    def login(self) -> str:
        """Return whose token it is; the token of a workflow may not ask."""
        return str(self.client.get("/user", needs=METADATA)["login"])

    def rules(self, branch: str) -> tuple[Rule, ...]:
        """Return the rules that are active for a branch, whether or not it exists."""
        path = self._at(f"/rules/branches/{quote(branch, safe='')}")
        return tuple(_read(Rule, one) for one in self.client.pages(path, needs=METADATA))

    def ruleset(self, number: int) -> Ruleset:
        """Return a ruleset, of the repository or of its organisation."""
        return _read(Ruleset, self.client.get(self._at(f"/rulesets/{number}"), needs=METADATA))

    def protection(self, branch: str) -> Protection | None:
        """Return a branch's classic protection; None for none."""
        path = self._at(f"/branches/{quote(branch, safe='')}/protection")
        try:
            data = self.client.get(path, needs=ADMINISTRATION)
        except GitHubError as error:
            if error.status == HTTPStatus.NOT_FOUND and _NOT_PROTECTED in error.message.lower():
                return None
            raise
        found = _read(Protection, data)
        reviews = data.get("required_pull_request_reviews")
        return found.model_copy(update={"reviews": _read(Reviews, reviews)}) if reviews else found

    def is_protected(self, branch: str) -> bool:
        """Return whether a branch has classic protection; one that is not there has none."""
        path = self._at(f"/branches/{quote(branch, safe='')}")
        try:
            data = self.client.get(path, needs=CONTENTS)
        except GitHubError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return bool(data["protection"].get("enabled", data["protected"]))

    def environment(self, name: str) -> Environment | None:
        """Return an environment; None where it is not there."""
        try:
            data = self.client.get(self._at(_environment(name)), needs=ACTIONS)
        except GitHubError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return _read(Environment, data)

    def branches_of(self, environment: str) -> frozenset[str]:
        """Return the patterns of the branches that may use an environment."""
        path = self._at(f"{_environment(environment)}/deployment-branch-policies")
        return _names(self.client.pages(path, "branch_policies", needs=ACTIONS))

    def names(self, kind: str, environment: str = "") -> frozenset[str]:
        """Return the names of secrets or variables; their values are never asked for.

        Args:
            kind: `secrets` or `variables`.
            environment: Of which; empty for those of the repository.
        """
        needs = ENVIRONMENTS if environment else {"secrets": SECRETS}.get(kind, VARIABLES)
        place = _environment(environment) if environment else "/actions"
        return _names(self.client.pages(self._at(f"{place}/{kind}"), kind, needs=needs))

    def may_run(self) -> tuple[bool, str]:
        """Return whether Actions is on, and which actions are allowed."""
        data = self.client.get(self._at("/actions/permissions"), needs=ADMINISTRATION)
        return bool(data["enabled"]), str(data.get("allowed_actions", ""))

    def default_permissions(self) -> tuple[str, bool]:
        """Return a workflow's default (`read` or `write`), and whether it may approve."""
        data = self.client.get(self._at("/actions/permissions/workflow"), needs=ADMINISTRATION)
        approves = bool(data["can_approve_pull_request_reviews"])
        return str(data["default_workflow_permissions"]), approves

    def retention(self) -> Retention:
        """Return how long artifacts are kept."""
        path = self._at("/actions/permissions/artifact-and-log-retention")
        return _read(Retention, self.client.get(path, needs=ADMINISTRATION))

    def fork_policy(self) -> str:
        """Return whose first pull requests from forks wait for somebody's word."""
        path = self._at("/actions/permissions/fork-pr-contributor-approval")
        return str(self.client.get(path, needs=ADMINISTRATION)["approval_policy"])

    def private_forks(self) -> Mapping[str, bool]:
        """Return what a private repository lets the pull requests of forks have."""
        path = self._at("/actions/permissions/fork-pr-workflows-private-repos")
        data: dict[str, bool] = self.client.get(path, needs=ADMINISTRATION)
        return data

    def workflows(self) -> tuple[WorkflowState, ...]:
        """Return the workflows that GitHub knows."""
        found = self.client.pages(self._at("/actions/workflows"), "workflows", needs=ACTIONS)
        return tuple(_read(WorkflowState, one) for one in found)

    def owner_errors(self) -> tuple[str, ...]:
        """Return what GitHub finds wrong with the code owners' file."""
        data = self.client.get(self._at("/codeowners/errors"), needs=CONTENTS)
        return tuple(str(one["message"]).partition("\n")[0] for one in data["errors"])

    def oldest_pull(self) -> Moment | None:
        """Return when the oldest pull request was opened that still is."""
        data = self.client.get(
            self._at("/pulls"), needs=PULLS, state="open", sort="created", direction="asc"
        )
        return min((str(one["created_at"]) for one in data), default=None)

    def _at(self, path: str) -> str:
        return f"/repos/{self.client.place.repository}{path}"


def _environment(name: str) -> str:
    return f"/environments/{quote(name, safe='')}"


def _names(items: list[Any]) -> frozenset[str]:
    return frozenset(str(one["name"]) for one in items)


def _read(kind: type[R], data: Any) -> R:
    try:
        return kind.read(data)
    except ValidationError as error:
        raise GitHubError(
            f"GitHub's answer is not a {kind.__name__} of its API: {error.errors()[0]['msg']}",
            hint="see that GITHUB_API_URL is the address of GitHub's API; then run it again",
            status=HTTPStatus.OK,
        ) from error
