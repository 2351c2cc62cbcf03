"""Commit statuses."""

from mergeline.rehearsal.answers import Answer, Json, Refusal
from mergeline.rehearsal.calls import Call, Route, commit_of
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import show_login, stamp
from mergeline.rehearsal.resources.repos import repo_url, show_repo
from mergeline.rehearsal.state import Repo, Status

_STATES = ("error", "failure", "pending", "success")
_MOST = 1000  # of one commit and context


def latest(repo: Repo, sha: str) -> list[Status]:
    """Return the status of a commit that counts for each context."""
    return list({one.context: one for one in repo.statuses if one.sha == sha}.values())


def _show_simple(call: Call, status: Status) -> Json:
    user = call.world.find_user(status.login)
    return {
        "id": status.id,
        "node_id": f"SC_{status.id}",
        "url": f"{repo_url(call, call.repo)}/statuses/{status.sha}",
        "avatar_url": f"{call.html}/avatars/{user.id if user else 0}",
        "state": status.state,
        "description": status.description,
        "target_url": status.url,
        "context": status.context,
        "created_at": stamp(status.created),
        "updated_at": stamp(status.created),
    }


def _show(call: Call, status: Status) -> Json:
    return _show_simple(call, status) | {"creator": show_login(call, status.login)}


def _create(call: Call) -> Answer:
    sha = call.parameters["sha"]
    if call.repo.git.kind(sha) != "commit":
        raise Refusal(422, f"No commit found for SHA: {sha}")
    sha, context = commit_of(call, sha), call.text("context", "default")
    before = sum((one.sha, one.context) == (sha, context) for one in call.repo.statuses)
    if before >= _MOST:
        raise Refusal(422, "This SHA and context has reached the maximum number of statuses.")
    status = Status(
        call.world.next_id(),
        sha,
        call.token.login,
        call.choice("state", _STATES),
        context,
        call.optional("description"),
        call.optional("target_url"),
        call.world.clock(),
    )
    call.repo.statuses.append(status)
    return Answer(201, _show(call, status))


def _list(call: Call) -> Answer:
    sha = commit_of(call, call.parameters["ref"])
    newest_first = [one for one in call.repo.statuses[::-1] if one.sha == sha]
    return page(call, newest_first, _show)


def _combined(call: Call) -> Answer:
    sha = commit_of(call, call.parameters["ref"])
    found = latest(call.repo, sha)
    answer = page(call, found, _show_simple, "statuses")
    states = {one.state for one in found}
    state = "failure" if states & {"failure", "error"} else "pending"
    if states == {"success"}:
        state = "success"
    url = f"{repo_url(call, call.repo)}/commits/{sha}"
    body = {"state": state, "sha": sha, "repository": show_repo(call, call.repo)}
    body |= {"commit_url": url, "url": f"{url}/status"}
    return Answer(200, answer.body | body, answer.headers)


_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("POST", f"{_REPO}/statuses/{{sha}}", _create, ("statuses",)),
    Route("GET", f"{_REPO}/commits/{{ref}}/statuses", _list),
    Route("GET", f"{_REPO}/commits/{{ref}}/status", _combined),
)
