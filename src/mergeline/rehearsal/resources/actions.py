"""Workflow runs and the artifacts that they left."""

import hashlib
import secrets
from datetime import timedelta

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import show_login, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url, show_repo
from mergeline.rehearsal.state import Artifact, Pull, Repo, Run

_KEPT = timedelta(days=90)
_FILTERS = {"head_sha": "head_sha", "event": "event", "branch": "head_branch", "actor": "login"}
DOWNLOADS = "/_rehearsal/downloads/"


def show_pull_shortly(call: Call, pull: Pull) -> Json:
    """Write a pull request as runs and checks name it."""
    url = f"{repo_url(call, call.repo)}/pulls/{pull.number}"
    head = _short_side(call, pull.head_repo or call.repo, pull.head_ref, pull.head_sha)
    base = _short_side(call, call.repo, pull.base_ref, pull.base_sha)
    return {"id": pull.id, "number": pull.number, "url": url, "head": head, "base": base}


def _short_side(call: Call, repo: Repo, ref: str, sha: str) -> Json:
    shown = {"id": repo.id, "url": repo_url(call, repo), "name": repo.name}
    return {"ref": ref, "sha": sha, "repo": shown}


def show_run(call: Call, run: Run) -> Json:
    """Write a workflow run."""
    repo = call.repo
    url = f"{repo_url(call, repo)}/actions/runs/{run.id}"
    head_repo = call.world.find_repo(run.head_repo) or repo
    workflow = sum(map(ord, run.path))
    return {
        "id": run.id,
        "name": run.name,
        "node_id": f"WFR_{run.id}",
        "check_suite_id": run.id,
        "check_suite_node_id": f"CS_{run.id}",
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": run.path,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "display_title": run.name,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow,
        "url": url,
        "html_url": f"{repo_page(call, repo)}/actions/runs/{run.id}",
        "pull_requests": [show_pull_shortly(call, one) for one in _pulls_of(repo, run)],
        "created_at": stamp(run.created),
        "updated_at": stamp(run.updated),
        "run_started_at": stamp(run.created),
        "actor": show_login(call, run.login),
        "triggering_actor": show_login(call, run.login),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{repo_url(call, repo)}/check-suites/{run.id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
        "workflow_url": f"{repo_url(call, repo)}/actions/workflows/{workflow}",
        "head_commit": _head_commit(repo, head_repo, run),
        "repository": show_repo(call, repo),
        "head_repository": show_repo(call, head_repo),
    }


def _pulls_of(repo: Repo, run: Run) -> list[Pull]:
    # GitHub leaves the list empty for forks.
    return [
        pull
        for pull in repo.pulls.values()
        if run.event != "push"
        and pull.state == "open"
        and pull.head_repo is repo
        and (pull.head_ref, run.head_repo) == (run.head_branch, repo.full_name)
    ]


def _head_commit(repo: Repo, head_repo: Repo, run: Run) -> Json | None:
    git = next((one.git for one in (repo, head_repo) if one.git.resolve(run.head_sha)), None)
    if git is None:
        return None
    commit = git.commit(run.head_sha)
    people = {
        name: {"name": who.name, "email": who.email}
        for name, who in (("author", commit.author), ("committer", commit.committer))
    }
    about = {"id": commit.sha, "tree_id": commit.tree, "message": commit.message}
    return about | {"timestamp": stamp(commit.committer.date)} | people


def _list_runs(call: Call) -> Answer:
    status = call.query.get("status")

    def wanted(run: Run) -> bool:
        asked = {name: call.query[key] for key, name in _FILTERS.items() if key in call.query}
        fits = all(getattr(run, name) == value for name, value in asked.items())
        return fits and (status is None or status in (run.status, run.conclusion))

    runs = [run for run in call.repo.runs.values() if wanted(run)]
    return page(call, runs[::-1], show_run, "workflow_runs")


def _run_of(call: Call) -> Run:
    found = call.repo.runs.get(call.number("run_id"))
    if found is None:
        raise not_found()
    return found


def _get_run(call: Call) -> Answer:
    return Answer(200, show_run(call, _run_of(call)))


def _rerun(call: Call) -> Answer:
    run = _run_of(call)
    if run.status != "completed":
        raise Refusal(403, "This workflow is already running")
    run.attempt += 1
    run.status, run.conclusion, run.updated = "queued", None, call.world.clock()
    return Answer(201, {})


def _show_artifact(call: Call, pair: tuple[Run, Artifact]) -> Json:
    run, artifact = pair
    url = f"{repo_url(call, call.repo)}/actions/artifacts/{artifact.id}"
    head_repo = call.world.find_repo(run.head_repo)
    about_run = {
        "id": run.id,
        "repository_id": call.repo.id,
        "head_repository_id": head_repo.id if head_repo else call.repo.id,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
    }
    return {
        "id": artifact.id,
        "node_id": f"A_{artifact.id}",
        "name": artifact.name,
        "size_in_bytes": len(artifact.data),
        "digest": f"sha256:{hashlib.sha256(artifact.data).hexdigest()}",
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "created_at": stamp(artifact.created),
        "updated_at": stamp(artifact.created),
        "expires_at": stamp(artifact.created + _KEPT),
        "workflow_run": about_run,
    }


def _list_of_run(call: Call) -> Answer:
    run, name = _run_of(call), call.query.get("name")
    pairs = [(run, one) for one in run.artifacts if name in (None, one.name)]
    return page(call, pairs, _show_artifact, "artifacts")


def _list_artifacts(call: Call) -> Answer:
    name, runs = call.query.get("name"), call.repo.runs.values()
    pairs = [(run, one) for run in runs for one in run.artifacts if name in (None, one.name)]
    return page(call, pairs[::-1], _show_artifact, "artifacts")


def _artifact_of(call: Call) -> tuple[Run, Artifact]:
    number = call.number("artifact_id")
    for run in call.repo.runs.values():
        for artifact in run.artifacts:
            if artifact.id == number:
                return run, artifact
    raise not_found()


def _get_artifact(call: Call) -> Answer:
    return Answer(200, _show_artifact(call, _artifact_of(call)))


def _download(call: Call) -> Answer:
    _, artifact = _artifact_of(call)
    if call.parameters["archive_format"] != "zip":
        raise not_found()
    if artifact.expired:
        raise Refusal(410, "Artifact has expired")
    key = secrets.token_urlsafe(16)
    call.world.downloads[key] = artifact.data
    # GitHub sends to a storage of another host, which refuses a token: so does this one.
    here = "://localhost" if "://127.0.0.1" in call.html else "://127.0.0.1"
    there = call.html.replace("://127.0.0.1" if here == "://localhost" else "://localhost", here)
    return Answer(302, None, {"Location": f"{there}{DOWNLOADS}{key}"})


_ACTIONS = "/repos/{owner}/{repo}/actions"
ROUTES = (
    Route("GET", f"{_ACTIONS}/runs", _list_runs),
    Route("GET", f"{_ACTIONS}/runs/{{run_id}}", _get_run),
    Route("POST", f"{_ACTIONS}/runs/{{run_id}}/rerun", _rerun, ("actions",)),
    Route("GET", f"{_ACTIONS}/runs/{{run_id}}/artifacts", _list_of_run),
    Route("GET", f"{_ACTIONS}/artifacts", _list_artifacts),
    Route("GET", f"{_ACTIONS}/artifacts/{{artifact_id}}", _get_artifact),
    Route("GET", f"{_ACTIONS}/artifacts/{{artifact_id}}/{{archive_format}}", _download),
)
