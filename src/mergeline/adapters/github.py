"""GitHub: what Mergeline asks of one repository, and what it changes there.

PyGithub is inside, its types stay there. A read is repeated with patience; a write is
asked for once, and a caller that gets an error with `unclear` looks whether it was done.
All pages of every list, always.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from mergeline.adapters.github_checks import Annotation, CheckRun, body_of
from mergeline.adapters.github_client import Client, Patience
from mergeline.adapters.github_place import place_of
from mergeline.adapters.github_types import (
    Account,
    Artifact,
    Comment,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Permission,
    Pull,
    PullCommit,
    Received,
    Review,
    Role,
    Run,
    StatusState,
)
from mergeline.config.problem import dotted
from mergeline.core.remarks import CheckText, Remark
from mergeline.errors import GitHubError, TooManyCommits

R = TypeVar("R", bound=Received)

# Whose comments the token of a workflow writes; it may not ask who it is.
ACTIONS_USER = "github-actions[bot]"
# Characters of a status' or deployment's description that GitHub takes.
_DESCRIPTION = 140
# GitHub lists no more commits of a pull request, and does not say so.
_MOST_COMMITS = 250

_PULLS, _TO_PULLS = "pull-requests: read", "pull-requests: write"
# By somebody, and by GitHub itself where the branch was merged and deleted.
_RETARGETED = {"base_ref_changed", "automatic_base_change_succeeded"}
_CHECKS, _TO_CHECKS = "checks: read", "checks: write"
_ACTIONS, _METADATA = "actions: read", "metadata: read"
_DEPLOYMENTS, _TO_DEPLOYMENTS = "deployments: read", "deployments: write"


def connect(environ: Mapping[str, str], patience: Patience | None = None) -> "GitHub":
    """Return GitHub as a workflow's environment names it; nothing is asked yet.

    Args:
        environ: See `place_of`.
        patience: How long to wait; None for what suits GitHub.

    Raises:
        UsageError: A variable is missing or is not what it should be.
    """
    return GitHub(Client(place_of(environ), patience or Patience()))


@dataclass(frozen=True)
class GitHub:
    """One repository at GitHub. Every method raises `GitHubError`."""

    client: Client

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return self.client.place.repository

    # --- pull requests ---------------------------------------------------------------

    def pull(self, number: int) -> Pull:
        """Return a pull request."""
        return _parsed(Pull, self.client.get(self._at(f"pulls/{number}"), needs=_PULLS))

    def pulls_of(self, commit: str) -> tuple[Pull, ...]:
        """Return the pull requests that brought a commit, or hold it while it is not on main."""
        path = self._at(f"commits/{quote(commit, safe='')}/pulls")
        return _all(Pull, self.client.pages(path, needs=_PULLS))

    def open_pulls(self, head_owner: str, head_ref: str) -> tuple[Pull, ...]:
        """Return the open pull requests from a branch of somebody's repository."""
        return self._pulls_from(head_owner, head_ref, "open")

    def all_pulls(self, head_owner: str, head_ref: str) -> tuple[Pull, ...]:
        """Return all pull requests that ever came from a branch of somebody's repository."""
        return self._pulls_from(head_owner, head_ref, "all")

    def _pulls_from(self, owner: str, ref: str, state: str) -> tuple[Pull, ...]:
        head = f"{owner}:{ref}"
        return _all(
            Pull, self.client.pages(self._at("pulls"), needs=_PULLS, state=state, head=head)
        )

    def pull_commits(self, number: int) -> tuple[PullCommit, ...]:
        """Return all commits of a pull request; one with more than GitHub lists is refused."""
        found = self.client.pages(self._at(f"pulls/{number}/commits"), needs=_PULLS)
        if len(found) >= _MOST_COMMITS:
            raise TooManyCommits(
                f"pull request {number} has {_MOST_COMMITS} commits or more, and GitHub lists "
                "no more of them: who wrote the others cannot be known",
                hint="squash it, or split it into smaller pull requests",
                status=HTTPStatus.OK,
            )
        return _all(PullCommit, found)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Return the reviews of a pull request, the oldest first."""
        found = self.client.pages(self._at(f"pulls/{number}/reviews"), needs=_PULLS)
        return _all(Review, found)

    def was_retargeted(self, number: int) -> bool:
        """Return whether a pull request ever went to another branch than now."""
        events = self.client.pages(self._at(f"issues/{number}/events"), needs=_PULLS)
        return any(isinstance(one, dict) and one.get("event") in _RETARGETED for one in events)

    def create_pull(self, title: str, head: str, base: str, body: str) -> Pull:
        """Open a pull request from branch `head` to branch `base`."""
        body_of = {"title": title, "head": head, "base": base, "body": body}
        made = self.client.write("POST", self._at("pulls"), body_of, needs=_TO_PULLS)
        return _parsed(Pull, made)

    # --- people ----------------------------------------------------------------------

    def permission(self, user: str) -> Permission:
        """Return what a user may do in the repository; `none` for nothing."""
        path = self._at(f"collaborators/{quote(user, safe='')}/permission")
        return _parsed(Role, self.client.get(path, needs=_METADATA)).best()

    def user(self, login: str) -> tuple[str, str]:
        """Return a user's public name and address; empty where they are not public."""
        path = f"/users/{quote(login, safe='')}"
        account = _parsed(Account, self.client.get(path, needs=_METADATA))
        return account.name, account.email

    def viewer(self) -> str:
        """Return the login that the token's comments carry."""
        try:
            found = self.client.get("/user", needs=_METADATA)
        except GitHubError as error:
            if error.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                raise
            return ACTIONS_USER
        return _parsed(Account, found).login

    # --- comments and statuses -------------------------------------------------------

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the comments on a pull request, the oldest first."""
        found = self.client.pages(self._at(f"issues/{number}/comments"), needs=_PULLS)
        return _all(Comment, found)

    def create_comment(self, number: int, body: str) -> Comment:
        """Comment on a pull request."""
        path = self._at(f"issues/{number}/comments")
        return _parsed(Comment, self.client.write("POST", path, {"body": body}, needs=_TO_PULLS))

    def edit_comment(self, comment: int, body: str) -> Comment:
        """Replace what a comment says."""
        path = self._at(f"issues/comments/{comment}")
        return _parsed(Comment, self.client.write("PATCH", path, {"body": body}, needs=_TO_PULLS))

    def delete_comment(self, comment: int) -> None:
        """Remove a comment."""
        path = self._at(f"issues/comments/{comment}")
        self.client.write("DELETE", path, None, needs=_TO_PULLS)

    def set_status(
        self, sha: str, state: StatusState, description: str, url: str, context: str = "mergeline"
    ) -> None:
        """Set a commit's status; `url` may be empty."""
        body = {"state": state, "context": context, "description": description[:_DESCRIPTION]}
        body |= {"target_url": url} if url else {}
        path = self._at(f"statuses/{quote(sha, safe='')}")
        self.client.write("POST", path, body, needs="statuses: write")

    # --- check runs --------------------------------------------------------------------

    def check_runs(self, sha: str, name: str) -> tuple[CheckRun, ...]:
        """Return the check runs of a commit with this name, also those that others replace."""
        path = self._at(f"commits/{quote(sha, safe='')}/check-runs")
        query = {"check_name": name, "filter": "all"}
        return _all(CheckRun, self.client.pages(path, "check_runs", needs=_CHECKS, **query))

    def remarks(self, check_run: int) -> tuple[Remark, ...]:
        """Return the remarks that a check run carries."""
        path = self._at(f"check-runs/{check_run}/annotations")
        found = _all(Annotation, self.client.pages(path, needs=_CHECKS))
        return tuple(each.remark() for each in found)

    def create_check_run(self, sha: str, name: str, external_id: str, text: CheckText) -> CheckRun:
        """Make a check run that has ended, with as many remarks as one request takes."""
        body = {"name": name, "head_sha": sha, "external_id": external_id, **body_of(text)}
        made = self.client.write("POST", self._at("check-runs"), body, needs=_TO_CHECKS)
        return _parsed(CheckRun, made)

    def update_check_run(self, check_run: int, text: CheckText) -> None:
        """Let a check run say this; of the remarks GitHub adds these to those that it has."""
        path = self._at(f"check-runs/{check_run}")
        self.client.write("PATCH", path, body_of(text), needs=_TO_CHECKS)

    # --- runs ------------------------------------------------------------------------

    def run(self, run: int) -> Run:
        """Return a run of a workflow."""
        return _parsed(Run, self.client.get(self._at(f"actions/runs/{run}"), needs=_ACTIONS))

    def runs_of(self, head_sha: str) -> tuple[Run, ...]:
        """Return the runs for a commit, the newest first."""
        found = self.client.pages(
            self._at("actions/runs"), "workflow_runs", needs=_ACTIONS, head_sha=head_sha
        )
        return _all(Run, found)

    def artifacts(self, run: int) -> tuple[Artifact, ...]:
        """Return what a run handed over, of all its attempts."""
        path = self._at(f"actions/runs/{run}/artifacts")
        return _all(Artifact, self.client.pages(path, "artifacts", needs=_ACTIONS))

    def download(self, artifact: Artifact, limit: int) -> bytes:
        """Return the bytes of an artifact, whole: its zip, at most `limit` of them."""
        path = self._at(f"actions/artifacts/{artifact.id}/zip")
        return self.client.download(path, limit, needs=_ACTIONS, digest=artifact.digest)

    # --- deployments -----------------------------------------------------------------

    def deployments(self, sha: str, environment: str) -> tuple[Deployment, ...]:
        """Return the deployments of a commit to an environment, the newest first."""
        found = self.client.pages(
            self._at("deployments"), needs=_DEPLOYMENTS, sha=sha, environment=environment
        )
        return tuple(
            deployment.model_copy(update={"state": self._state(deployment.id)})
            for deployment in _all(Deployment, found)
        )

    def _state(self, deployment: int) -> str | None:
        path = self._at(f"deployments/{deployment}/statuses")
        newest = self.client.pages(path, needs=_DEPLOYMENTS)[:1]
        return _parsed(DeploymentStatus, newest[0]).state if newest else None

    def create_deployment(
        self, sha: str, environment: str, description: str, payload: Mapping[str, Any]
    ) -> Deployment:
        """Make a deployment of exactly this commit, whatever its statuses are."""
        body = {
            "ref": sha,
            "environment": environment,
            "description": description[:_DESCRIPTION],
            "payload": dict(payload),
            "auto_merge": False,
            "required_contexts": [],
        }
        made = self.client.write("POST", self._at("deployments"), body, needs=_TO_DEPLOYMENTS)
        return _parsed(Deployment, made)

    def set_deployment(
        self, deployment: int, state: DeploymentState, description: str, url: str
    ) -> None:
        """Set a deployment's status; `url` says more, and may be empty."""
        body = {"state": state, "description": description[:_DESCRIPTION]}
        body |= {"log_url": url} if url else {}
        path = self._at(f"deployments/{deployment}/statuses")
        self.client.write("POST", path, body, needs=_TO_DEPLOYMENTS)

    def _at(self, path: str) -> str:
        return f"/repos/{self.repository}/{path}"


def _parsed(kind: type[R], data: Any) -> R:
    try:
        return kind.read(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise GitHubError(
            f"GitHub's answer is not a {kind.__name__} of its API: "
            f"{dotted(first['loc'])}: {first['msg']}",
            hint="see that GITHUB_API_URL is the address of GitHub's API; then run it again",
            status=HTTPStatus.OK,
        ) from error


def _all(kind: type[R], items: Sequence[Any]) -> tuple[R, ...]:
    return tuple(_parsed(kind, item) for item in items)
