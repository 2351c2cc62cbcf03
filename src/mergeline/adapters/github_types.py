"""What GitHub says, as frozen values: only what Mergeline reads, checked when it arrives.

The names of the fields are ours; where each one stands in GitHub's JSON is its alias.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field

from mergeline.core.base import Frozen

Permission = Literal["admin", "maintain", "write", "triage", "read", "none"]
# A role of an organisation's own may be called like one of these and allow less.
_EXACT: dict[tuple[str, str], Permission] = {
    ("write", "maintain"): "maintain",
    ("read", "triage"): "triage",
}
StatusState = Literal["error", "failure", "pending", "success"]
DeploymentState = Literal[
    "error", "failure", "inactive", "in_progress", "queued", "pending", "success"
]


def _moment(value: Any) -> Any:
    """Return a time as the ledger writes it: UTC, to the second, `2026-01-31T12:00:00Z`."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha256(value: Any) -> Any:
    """Return the SHA-256 of a digest as GitHub writes it; None where it names no such one."""
    kind, _, digits = value.partition(":") if isinstance(value, str) else ("", "", "")
    return digits if kind == "sha256" else None


def _happened(value: Any) -> Any:
    """Return whether there is a time at which it happened."""
    return value if isinstance(value, bool) else value is not None


Moment = Annotated[str, BeforeValidator(_moment)]
Happened = Annotated[bool, BeforeValidator(_happened)]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Id = Annotated[int, Field(ge=1)]
Digest = Annotated[str | None, BeforeValidator(_sha256)]
Size = Annotated[int, Field(ge=0)]


class Received(Frozen):
    """The base of what is read from GitHub's JSON; keys that nobody asked for are left alone."""

    model_config = ConfigDict(extra="ignore", validate_by_name=True, validate_by_alias=False)

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read one object of GitHub's JSON.

        Raises:
            pydantic.ValidationError: It is not what GitHub's description promises.
        """
        return cls.model_validate(data, by_alias=True, by_name=False)


class Pull(Received):
    """A pull request.

    Attributes:
        author: Login; None for an account that was deleted.
        merge_commit: The commit on the base branch that it was merged as (of a rebase the
            last one); None while it is not merged.
        base_ref: The branch that it goes to.
        head_ref: The branch that it comes from, in `head_repository`.
        head_repository: `owner/name`; None when that repository was deleted.
        closed: When it last was, by a merge too; None while it is open.
    """

    number: Id
    title: str
    author: str | None = Field(default=None, validation_alias=AliasPath("user", "login"))
    state: Literal["open", "closed"]
    merged: Happened = Field(validation_alias="merged_at")
    merge_commit: CommitId | None = Field(default=None, validation_alias="merge_commit_sha")
    base_ref: str = Field(validation_alias=AliasPath("base", "ref"))
    head_sha: CommitId = Field(validation_alias=AliasPath("head", "sha"))
    head_ref: str = Field(validation_alias=AliasPath("head", "ref"))
    head_repository: str | None = Field(
        default=None, validation_alias=AliasPath("head", "repo", "full_name")
    )
    created: Moment = Field(validation_alias="created_at")
    closed: Moment | None = Field(default=None, validation_alias="closed_at")

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read a pull request; the trial merge that GitHub makes of an open one is left out."""
        pull = super().read(data)
        return pull if pull.merged else pull.model_copy(update={"merge_commit": None})


class PullCommit(Received):
    """A commit of a pull request.

    Attributes:
        author: Login of the account that its author's address belongs to; None for none.
        committer: The same of its committer.
        author_name: As written in the commit, by whoever made it.
        message: Whole, with its trailers.
    """

    sha: CommitId
    author: str | None = Field(default=None, validation_alias=AliasPath("author", "login"))
    committer: str | None = Field(default=None, validation_alias=AliasPath("committer", "login"))
    author_name: str = Field(validation_alias=AliasPath("commit", "author", "name"))
    author_email: str = Field(validation_alias=AliasPath("commit", "author", "email"))
    message: str = Field(validation_alias=AliasPath("commit", "message"))


class Review(Received):
    """A review of a pull request.

    Attributes:
        user: Login; None for an account that was deleted.
        state: `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
        commit: The head when it was given; None when GitHub has lost it.
        submitted: None while it is pending.
    """

    id: Id
    user: str | None = Field(default=None, validation_alias=AliasPath("user", "login"))
    state: str
    commit: CommitId | None = Field(default=None, validation_alias="commit_id")
    submitted: Moment | None = Field(default=None, validation_alias="submitted_at")


class Comment(Received):
    """A comment on a pull request.

    Attributes:
        user: Login; None for an account that was deleted.
        updated: When it came to say this.
        url: For people.
    """

    id: Id
    user: str | None = Field(default=None, validation_alias=AliasPath("user", "login"))
    body: str
    created: Moment = Field(validation_alias="created_at")
    updated: Moment = Field(validation_alias="updated_at")
    url: str = Field(validation_alias="html_url")


class Run(Received):
    """A run of a workflow.

    Attributes:
        repository: `owner/name` of the one whose workflow ran.
        head_sha: The commit that it ran for.
        head_branch: None for a run without a branch.
        head_repository: `owner/name` of the repository that the commit lies in; None when
            that was deleted.
        event: What started it, e.g. `pull_request`.
        created: When its first attempt was.
        conclusion: None until it has ended.
        attempt: 1 for the first.
        url: For people.
    """

    id: Id
    repository: str | None = Field(
        default=None, validation_alias=AliasPath("repository", "full_name")
    )
    head_sha: CommitId
    head_branch: str | None = None
    head_repository: str | None = Field(
        default=None, validation_alias=AliasPath("head_repository", "full_name")
    )
    event: str
    created: Moment = Field(validation_alias="created_at")
    status: str
    conclusion: str | None = None
    attempt: Id = Field(default=1, validation_alias="run_attempt")
    url: str = Field(default="", validation_alias="html_url")


class Artifact(Received):
    """What a run handed over: one zip.

    Attributes:
        size: In bytes, of the zip.
        digest: Its SHA-256 as GitHub knows it; None where it was uploaded in an old way.
        expired: Whether GitHub has removed the bytes.
    """

    id: Id
    name: str
    size: Size = Field(validation_alias="size_in_bytes")
    digest: Digest = None
    expired: bool


class Deployment(Received):
    """A deployment of a commit.

    Attributes:
        state: Of its last status; None while it has none.
    """

    id: Id
    sha: CommitId
    environment: str
    state: str | None = None


class Account(Received):
    """A user.

    Attributes:
        name: Empty where it is not public.
        email: Empty where it is not public.
    """

    login: Annotated[str, Field(min_length=1)]
    name: Annotated[str, BeforeValidator(lambda value: value or "")] = ""
    email: Annotated[str, BeforeValidator(lambda value: value or "")] = ""


class Role(Received):
    """What a user may do in a repository.

    Attributes:
        permission: `admin`, `write`, `read` or `none`; it knows neither maintain nor triage.
        role_name: More exact, but may be a role of the organisation's own.
    """

    permission: Permission
    role_name: str = ""

    def best(self) -> Permission:
        """Return the permission, as exact as GitHub itself defines it."""
        return _EXACT.get((self.permission, self.role_name), self.permission)


class DeploymentStatus(Received):
    """One status of a deployment."""

    state: str
