"""Comments in the conversation of a pull request, which to GitHub is an issue."""

from mergeline.rehearsal.answers import Answer, Json, Refusal, invalid, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.opening import find_pull
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import association, maybe_stamp, show_login, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.state import Comment, Event, Pull, Repo
from mergeline.rehearsal.world import World

LONGEST = 65_536  # characters
_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def add_comment(world: World, repo: Repo, *, number: int, login: str, body: str) -> Comment:
    """Comment on a pull request.

    Raises:
        Refusal: The text is empty or too long.
    """
    _check(body)
    at = world.clock()
    comment = Comment(world.next_id(), number, login, body, at, at)
    repo.comments[comment.id] = comment
    return comment


def _check(body: str) -> None:
    if len(body) > LONGEST:
        message = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid("IssueComment", "body", "custom", message)
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field", "body cannot be blank")


def _show(call: Call, comment: Comment) -> Json:
    url = f"{repo_url(call, call.repo)}/issues/comments/{comment.id}"
    page_of = f"{repo_page(call, call.repo)}/pull/{comment.number}#issuecomment-{comment.id}"
    return {
        "id": comment.id,
        "node_id": f"IC_{comment.id}",
        "url": url,
        "html_url": page_of,
        "issue_url": f"{repo_url(call, call.repo)}/issues/{comment.number}",
        "user": show_login(call, comment.login),
        "body": comment.body,
        "created_at": stamp(comment.created),
        "updated_at": stamp(comment.updated),
        "author_association": association(call.repo, comment.login),
        "performed_via_github_app": None,
        "reactions": _reactions(url),
    }


def _reactions(url: str) -> Json:
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}


def _issue_of(call: Call) -> Pull:
    return find_pull(call.repo, call.number("issue_number"))


def _get_issue(call: Call) -> Answer:
    pull = _issue_of(call)
    url = f"{repo_url(call, call.repo)}/issues/{pull.number}"
    html = f"{repo_page(call, call.repo)}/pull/{pull.number}"
    addresses = {"url": f"{repo_url(call, call.repo)}/pulls/{pull.number}", "html_url": html}
    addresses |= {"diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
    body = {
        "id": pull.id,
        "node_id": f"PR_{pull.id}",
        "url": url,
        "repository_url": repo_url(call, call.repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": html,
        "number": pull.number,
        "state": pull.state,
        "title": pull.title,
        "body": pull.body,
        "user": show_login(call, pull.login),
        "labels": [],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "locked": False,
        "comments": sum(one.number == pull.number for one in call.repo.comments.values()),
        "created_at": stamp(pull.created),
        "updated_at": stamp(pull.updated),
        "closed_at": maybe_stamp(pull.closed),
        "author_association": association(call.repo, pull.login),
        "draft": pull.draft,
        "pull_request": addresses | {"merged_at": maybe_stamp(pull.merged)},
        "reactions": _reactions(url),
    }
    return Answer(200, body)


def _show_event(call: Call, event: Event) -> Json:
    return {
        "id": event.id,
        "node_id": f"BRC_{event.id}",
        "url": f"{repo_url(call, call.repo)}/issues/events/{event.id}",
        "actor": show_login(call, event.login),
        "event": event.name,
        "commit_id": None,
        "commit_url": None,
        "created_at": stamp(event.created),
    }


def _events(call: Call) -> Answer:
    return page(call, find_pull(call.repo, call.number("issue_number")).events, _show_event)


def _list(call: Call) -> Answer:
    number, since = _issue_of(call).number, call.query.get("since", "")
    comments = [
        one
        for one in call.repo.comments.values()
        if one.number == number and stamp(one.updated) >= since
    ]
    return page(call, comments, _show)


def _create(call: Call) -> Answer:
    number = _issue_of(call).number
    login, body = call.token.login, call.text("body")
    comment = add_comment(call.world, call.repo, number=number, login=login, body=body)
    return Answer(201, _show(call, comment))


def _comment_of(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _get(call: Call) -> Answer:
    return Answer(200, _show(call, _comment_of(call)))


def _own(call: Call, comment: Comment) -> None:
    """Refuse to change somebody else's comment, unless this account may write here."""
    if comment.login != call.token.login and not call.world.writes(call.repo, call.token):
        raise Refusal(403, "Must have admin rights to Repository.")


def _edit(call: Call) -> Answer:
    comment, body = _comment_of(call), call.text("body")
    _own(call, comment)
    _check(body)
    comment.body, comment.updated = body, call.world.clock()
    return Answer(200, _show(call, comment))


def _delete(call: Call) -> Answer:
    comment = _comment_of(call)
    _own(call, comment)
    del call.repo.comments[comment.id]
    return Answer(204)


_ISSUES = "/repos/{owner}/{repo}/issues"
_SCOPES = ("issues", "pull_requests")
ROUTES = (
    Route("GET", f"{_ISSUES}/{{issue_number}}", _get_issue),
    Route("GET", f"{_ISSUES}/{{issue_number}}/comments", _list),
    Route("GET", f"{_ISSUES}/{{issue_number}}/events", _events),
    Route("POST", f"{_ISSUES}/{{issue_number}}/comments", _create, _SCOPES),
    Route("GET", f"{_ISSUES}/comments/{{comment_id}}", _get),
    Route("PATCH", f"{_ISSUES}/comments/{{comment_id}}", _edit, _SCOPES),
    Route("DELETE", f"{_ISSUES}/comments/{{comment_id}}", _delete, _SCOPES),
)
