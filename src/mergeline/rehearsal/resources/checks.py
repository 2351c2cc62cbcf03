"""Check runs: what an app says of a commit."""

from datetime import UTC, datetime
from typing import Any

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route, commit_of
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.actions import show_pull_shortly
from mergeline.rehearsal.resources.people import maybe_stamp, show_login, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.state import CheckRun
from mergeline.rehearsal.world import BOT

_STATUSES = ("queued", "in_progress", "completed")
_CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
)
_LONGEST = 65_535
_LEVELS = ("notice", "warning", "failure")
_ANNOTATION = (
    *("path", "start_line", "end_line", "start_column", "end_column"),
    *("annotation_level", "title", "message", "raw_details"),
)
_MOST, _LONGEST_TITLE, _LARGEST = 50, 255, 65_536  # annotations of a request, their parts


def _show(call: Call, run: CheckRun) -> Json:
    url = f"{repo_url(call, call.repo)}/check-runs/{run.id}"
    html = f"{repo_page(call, call.repo)}/runs/{run.id}"
    texts = {name: run.output.get(name) for name in ("title", "summary", "text")}
    notes = len(run.output.get("annotations", []))
    pulls = (one for one in call.repo.pulls.values() if one.state == "open")
    return {
        "id": run.id,
        "node_id": f"CR_{run.id}",
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "name": run.name,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started),
        "completed_at": maybe_stamp(run.completed),
        "output": texts | {"annotations_count": notes, "annotations_url": f"{url}/annotations"},
        "check_suite": {"id": run.id},
        "app": _app(call),
        "pull_requests": [show_pull_shortly(call, one) for one in pulls if one.head_sha == run.sha],
    }


def _app(call: Call) -> Json:
    made = stamp(call.repo.created)
    return {
        "id": 15368,
        "slug": "github-actions",
        "node_id": "A_15368",
        "owner": show_login(call, BOT),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": f"{call.html}/features/actions",
        "html_url": f"{call.html}/apps/github-actions",
        "created_at": made,
        "updated_at": made,
        "permissions": {"checks": "write", "contents": "read"},
        "events": [],
    }


def _time(call: Call, name: str) -> datetime | None:
    text = call.optional(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise Refusal(422, f'Invalid request.\n\n"{name}" is not a date.') from error


def _output(call: Call) -> Json:
    output: Any = call.body.get("output", {})
    if not isinstance(output, dict):
        raise Refusal(422, 'Invalid request.\n\n"output" is not an object.')
    if output and not isinstance(output.get("summary"), str):
        raise Refusal(422, 'Invalid request.\n\n"summary" wasn\'t supplied.')
    for name in ("summary", "text"):
        if len(str(output.get(name) or "")) > _LONGEST:
            raise Refusal(422, f"Invalid request.\n\nOnly {_LONGEST} characters are allowed.")
    return output


def _annotation(given: Any) -> Json:
    """Return one annotation as GitHub keeps it; refused where it is not whole or too long."""
    one = given if isinstance(given, dict) else {}
    texts = [one.get(name) for name in ("path", "message")]
    lines = [one.get(name) for name in ("start_line", "end_line")]
    title = one.get("title")
    if (
        not all(isinstance(each, str) and each for each in texts)
        or not all(isinstance(each, int) and each > 0 for each in lines)
        or one.get("annotation_level") not in _LEVELS
        or len(str(one["message"]).encode()) > _LARGEST
        or len(title or "") > _LONGEST_TITLE
    ):
        raise Refusal(422, "Invalid request.\n\nAn annotation is not whole, or is too long.")
    return {name: one.get(name) for name in _ANNOTATION}


def _annotations(output: Json) -> list[Json]:
    given = output.get("annotations") or []
    if not isinstance(given, list) or len(given) > _MOST:
        raise Refusal(422, f"Invalid request.\n\nNo more than {_MOST} items are allowed.")
    return [_annotation(one) for one in given]


def _by_app_only(call: Call) -> None:
    if call.user.kind != "Bot":
        raise Refusal(403, "You must authenticate via a GitHub App.")


def _change(call: Call, run: CheckRun) -> None:
    """Take over what the body says of a check run."""
    run.name = call.text("name", run.name)
    run.status = call.choice("status", _STATUSES, run.status)
    run.details_url = call.optional("details_url") or run.details_url
    run.external_id = call.optional("external_id") or run.external_id
    run.started = _time(call, "started_at") or run.started
    output, notes = _output(call), run.output.get("annotations", [])
    # What is sent later is added to what is there.
    run.output = run.output | output | {"annotations": [*notes, *_annotations(output)]}
    if call.body.get("conclusion") is not None:
        run.conclusion, run.status = call.choice("conclusion", _CONCLUSIONS), "completed"
    elif run.status == "completed" and run.conclusion is None:
        raise Refusal(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.')
    if run.status == "completed":
        run.completed = _time(call, "completed_at") or run.completed or call.world.clock()


def _create(call: Call) -> Answer:
    _by_app_only(call)
    sha, name, at = commit_of(call, call.text("head_sha")), call.text("name"), call.world.clock()
    run = CheckRun(call.world.next_id(), sha, name, "queued", None, at, None, {}, None, None)
    _change(call, run)
    call.repo.check_runs[run.id] = run
    return Answer(201, _show(call, run))


def _run_of(call: Call) -> CheckRun:
    found = call.repo.check_runs.get(call.number("check_run_id"))
    if found is None:
        raise not_found()
    return found


def _get(call: Call) -> Answer:
    return Answer(200, _show(call, _run_of(call)))


def _update(call: Call) -> Answer:
    _by_app_only(call)
    run = _run_of(call)
    _change(call, run)
    return Answer(200, _show(call, run))


def _list_annotations(call: Call) -> Answer:
    run = _run_of(call)

    def shown(call: Call, one: Json) -> Json:
        path = f"{repo_page(call, call.repo)}/blob/{run.sha}/{one['path']}"
        return one | {"blob_href": path}

    return page(call, run.output.get("annotations", []), shown)


def _list(call: Call) -> Answer:
    sha = commit_of(call, call.parameters["ref"])
    name = call.query.get("check_name")
    runs = [one for one in call.repo.check_runs.values() if one.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        runs = list({one.name: one for one in runs}.values())
    found = [one for one in runs if name in (None, one.name)]
    return page(call, found[::-1], _show, "check_runs")


_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("POST", f"{_REPO}/check-runs", _create, ("checks",)),
    Route("GET", f"{_REPO}/check-runs/{{check_run_id}}", _get),
    Route("PATCH", f"{_REPO}/check-runs/{{check_run_id}}", _update, ("checks",)),
    Route("GET", f"{_REPO}/check-runs/{{check_run_id}}/annotations", _list_annotations),
    Route("GET", f"{_REPO}/commits/{{ref}}/check-runs", _list),
)
