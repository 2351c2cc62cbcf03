"""Pull requests: list, open, change, and what is in them."""

from mergeline.rehearsal.answers import Answer, Json, Refusal, invalid
from mergeline.rehearsal.calls import Call, Route, commit_of
from mergeline.rehearsal.opening import (
    NoCommits,
    commits_of,
    find_pull,
    open_pull,
    pulls_with,
    reopen_pull,
)
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.differences import Change, changes, show_change
from mergeline.rehearsal.resources.gitdata import show_commits
from mergeline.rehearsal.resources.people import association, maybe_stamp, show_login, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url, show_repo
from mergeline.rehearsal.state import Event, Pull, Repo
from mergeline.rehearsal.watching import close

_MOST_COMMITS = 250  # GitHub lists no more of them
_MOST_FILES = 3000
_ADDRESSES = ("comments", "review_comments", "review_comment", "commits", "statuses")
_NOTHING = dict.fromkeys(("assignee", "milestone", "auto_merge", "active_lock_reason"))
_NOBODY: Json = {"labels": [], "assignees": [], "requested_reviewers": [], "requested_teams": []}


def pull_of(call: Call) -> Pull:
    """Return the pull request of the path."""
    return find_pull(call.repo, call.number("pull_number"))


def show_pull(call: Call, pull: Pull) -> Json:
    """Write a pull request as lists show it."""
    repo = call.repo
    url = f"{repo_url(call, repo)}/pulls/{pull.number}"
    html = f"{repo_page(call, repo)}/pull/{pull.number}"
    issue = f"{repo_url(call, repo)}/issues/{pull.number}"
    addresses = {
        "self": url,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{repo_url(call, repo)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{repo_url(call, repo)}/statuses/{pull.head_sha}",
    }
    return {
        "url": url,
        "id": pull.id,
        "node_id": f"PR_{pull.id}",
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        **{f"{name}_url": addresses[name] for name in _ADDRESSES},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": show_login(call, pull.login),
        "body": pull.body,
        "created_at": stamp(pull.created),
        "updated_at": stamp(pull.updated),
        "closed_at": maybe_stamp(pull.closed),
        "merged_at": maybe_stamp(pull.merged),
        "merge_commit_sha": pull.merge_commit,
        "draft": pull.draft,
        "head": _side(call, pull.head_repo, pull.head_owner, pull.head_ref, pull.head_sha),
        "base": _side(call, repo, repo.owner, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": address} for name, address in addresses.items()},
        "author_association": association(repo, pull.login),
        **_NOTHING,
        **_NOBODY,
    }


def show_whole_pull(call: Call, pull: Pull) -> Json:
    """Write a pull request as it is shown alone."""
    repo = call.repo
    files = _files(repo, pull)
    merged = pull.merged is not None
    return show_pull(call, pull) | {
        "merged": merged,
        "mergeable": pull.mergeable,
        "rebaseable": pull.mergeable,
        "mergeable_state": _mergeable_state(pull),
        "merged_by": show_login(call, pull.merged_by),
        "comments": sum(one.number == pull.number for one in repo.comments.values()),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(commits_of(repo, pull)),
        "additions": sum(one.added for one in files),
        "deletions": sum(one.deleted for one in files),
        "changed_files": len(files),
    }


def _mergeable_state(pull: Pull) -> str:
    if pull.mergeable is None:
        return "unknown"
    if pull.draft:
        return "draft"
    return "clean" if pull.mergeable else "dirty"


def _side(call: Call, repo: Repo | None, owner: str, ref: str, sha: str) -> Json:
    shown = show_repo(call, repo) if repo else None
    label, user = f"{owner}:{ref}", show_login(call, owner)
    return {"label": label, "ref": ref, "sha": sha, "user": user, "repo": shown}


def _list_pulls(call: Call) -> Answer:
    state, head, base = (call.query.get(name, "") for name in ("state", "head", "base"))
    newest_first = call.query.get("direction", "desc") != "asc"

    def wanted(pull: Pull) -> bool:
        label = f"{pull.head_owner}:{pull.head_ref}"
        return (
            (state == "all" or pull.state == (state or "open"))
            # GitHub takes a head without an owner for none at all.
            and (":" not in head or label == head)
            and base in ("", pull.base_ref)
        )

    pulls = [pull for pull in call.repo.pulls.values() if wanted(pull)]
    return page(call, pulls[::-1] if newest_first else pulls, show_pull)


def _get_pull(call: Call) -> Answer:
    return Answer(200, show_whole_pull(call, pull_of(call)))


def _create_pull(call: Call) -> Answer:
    head, base = call.text("head"), call.text("base")
    owner, _, branch = head.rpartition(":")
    source = _head_repo(call, owner)
    if source is None or source.git.tip(branch) is None:
        raise invalid("PullRequest", "head", "invalid")
    if call.repo.git.tip(base) is None:
        raise invalid("PullRequest", "base", "invalid")
    try:
        pull = open_pull(
            call.world,
            call.repo,
            login=call.token.login,
            title=call.text("title"),
            body=call.optional("body"),
            head=(source, branch),
            base=base,
            draft=call.flag("draft"),
        )
    except NoCommits as error:
        error_body = {"resource": "PullRequest", "code": "custom", "message": str(error)}
        raise Refusal(422, "Validation Failed", [error_body]) from error
    return Answer(201, show_whole_pull(call, pull))


def _head_repo(call: Call, owner: str) -> Repo | None:
    if owner in ("", call.repo.owner):
        return call.repo
    named = call.optional("head_repo")
    forks = (one for one in call.world.repos.values() if one.parent is call.repo)
    return next((one for one in forks if one.owner == owner and named in (None, one.name)), None)


def _update_pull(call: Call) -> Answer:
    pull = pull_of(call)
    title, body, base = (call.optional(name) for name in ("title", "body", "base"))
    if title is not None:
        pull.title = title
    if body is not None:
        pull.body = body
    if base is not None:
        tip = call.repo.git.tip(base)
        if tip is None:
            raise invalid("PullRequest", "base", "invalid")
        if base != pull.base_ref:
            who, at = call.token.login, call.world.clock()
            pull.events.append(Event(call.world.next_id(), "base_ref_changed", who, at))
        pull.base_ref, pull.base_sha, pull.tested = base, tip, None
    state = call.choice("state", ("open", "closed"), pull.state)
    if state == "closed" and pull.state == "open":
        close(call.world, call.repo, pull)
    if state == "open" and pull.state == "closed" and not reopen_pull(call.world, call.repo, pull):
        raise invalid("PullRequest", "state", "invalid", "state cannot be changed.")
    pull.updated = call.world.clock()
    return Answer(200, show_whole_pull(call, pull))


def _list_commits(call: Call) -> Answer:
    return show_commits(call, commits_of(call.repo, pull_of(call))[:_MOST_COMMITS])


def _files(repo: Repo, pull: Pull) -> list[Change]:
    base = pull.tested[0] if pull.tested else repo.git.tip(pull.base_ref) or pull.base_sha
    return changes(repo.git, repo.git.merge_base(base, pull.head_sha), pull.head_sha)


def _list_files(call: Call) -> Answer:
    pull = pull_of(call)

    def shown(call: Call, change: Change) -> Json:
        return show_change(call, pull.head_sha, change)

    return page(call, _files(call.repo, pull)[:_MOST_FILES], shown)


def _list_pulls_of_commit(call: Call) -> Answer:
    commit = commit_of(call, call.parameters["commit_sha"])
    return page(call, pulls_with(call.repo, commit), show_pull)


_REPO = "/repos/{owner}/{repo}"
_PULL = f"{_REPO}/pulls/{{pull_number}}"
ROUTES = (
    Route("GET", f"{_REPO}/pulls", _list_pulls),
    Route("POST", f"{_REPO}/pulls", _create_pull, ("pull_requests",)),
    Route("GET", _PULL, _get_pull),
    Route("PATCH", _PULL, _update_pull, ("pull_requests",)),
    Route("GET", f"{_PULL}/commits", _list_commits),
    Route("GET", f"{_PULL}/files", _list_files),
    Route("GET", f"{_REPO}/commits/{{commit_sha}}/pulls", _list_pulls_of_commit),
)
