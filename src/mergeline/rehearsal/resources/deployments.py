"""Deployments, their statuses, and the environments that they go to."""

from typing import Any
from urllib.parse import quote

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import show_login, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.resources.statuses import latest
from mergeline.rehearsal.state import Deployment, DeploymentStatus, Environment
from mergeline.rehearsal.world import WEB_FLOW

_STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
_FILTERS = ("sha", "ref", "task", "environment")


def _url(call: Call, deployment: Deployment) -> str:
    return f"{repo_url(call, call.repo)}/deployments/{deployment.id}"


def _show(call: Call, deployment: Deployment) -> Json:
    times = [deployment.created, *(one.created for one in deployment.statuses)]
    return {
        "url": _url(call, deployment),
        "id": deployment.id,
        "node_id": f"DE_{deployment.id}",
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "environment": deployment.environment,
        "original_environment": deployment.environment,
        "description": deployment.description,
        "creator": show_login(call, deployment.login),
        "created_at": stamp(deployment.created),
        "updated_at": stamp(max(times)),
        "statuses_url": f"{_url(call, deployment)}/statuses",
        "repository_url": repo_url(call, call.repo),
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
        "performed_via_github_app": None,
    }


def _list(call: Call) -> Answer:
    asked = {name: call.query[name] for name in _FILTERS if call.query.get(name, "none") != "none"}

    def wanted(deployment: Deployment) -> bool:
        return all(getattr(deployment, name) == value for name, value in asked.items())

    found = [one for one in call.repo.deployments.values() if wanted(one)]
    return page(call, found[::-1], _show)


def _create(call: Call) -> Answer:
    ref = call.text("ref")
    sha = call.repo.git.resolve(ref)
    if sha is None:
        raise Refusal(422, f"No ref found for: {ref}")
    if call.flag("auto_merge", default=True) and _behind(call, ref, sha):
        return _merge_main(call, ref, sha)
    _require_contexts(call, sha)
    name = call.text("environment", "production")
    payload = call.body.get("payload")
    deployment = Deployment(
        id=call.world.next_id(),
        sha=sha,
        ref=ref,
        task=call.text("task", "deploy"),
        environment=name,
        description=call.optional("description"),
        payload={} if payload is None else payload,
        login=call.token.login,
        production=call.flag("production_environment", default=name == "production"),
        transient=call.flag("transient_environment"),
        created=call.world.clock(),
    )
    call.repo.deployments[deployment.id] = deployment
    if name not in call.repo.environments:
        made = Environment(call.world.next_id(), name, call.world.clock(), [], None)
        call.repo.environments[name] = made
    return Answer(201, _show(call, deployment))


def _behind(call: Call, ref: str, sha: str) -> bool:
    main = call.repo.git.tip(call.repo.default_branch)
    is_branch = call.repo.git.tip(ref) is not None
    return is_branch and main is not None and not call.repo.git.contains(sha, main)


def _merge_main(call: Call, ref: str, sha: str) -> Answer:
    git, main = call.repo.git, call.repo.default_branch
    tree = git.merged_tree(sha, git.tip(main) or sha)
    if tree is None:
        raise Refusal(409, f"Conflict merging {main} into {ref}.")
    message = f"Merge branch '{main}' into {ref}"
    people = call.world.person(call.token.login), call.world.person(WEB_FLOW)
    merged = git.make_commit(tree, [sha, git.tip(main) or sha], message, *people)
    git.set_ref(f"refs/heads/{ref}", merged, sha)
    return Answer(202, {"message": f"Auto-merged {main} into {ref} on deployment."})


def _require_contexts(call: Call, sha: str) -> None:
    """Refuse a commit whose statuses are not all green, unless told to look at none."""
    states = {one.context: one.state for one in latest(call.repo, sha)}
    checks = (one for one in call.repo.check_runs.values() if one.sha == sha)
    states |= {one.name: one.conclusion or "pending" for one in checks}
    wanted = call.body.get("required_contexts")
    if wanted is not None and not isinstance(wanted, list):
        raise Refusal(422, 'Invalid request.\n\n"required_contexts" is not an array.')
    names = list(states) if wanted is None else wanted
    if any(states.get(name) not in ("success", "neutral", "skipped") for name in names):
        raise Refusal(409, f"Conflict: Commit status checks failed for {call.text('ref')}.")


def _deployment_of(call: Call) -> Deployment:
    found = call.repo.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found


def _get(call: Call) -> Answer:
    return Answer(200, _show(call, _deployment_of(call)))


def _show_status(call: Call, pair: tuple[Deployment, DeploymentStatus]) -> Json:
    deployment, status = pair
    return {
        "url": f"{_url(call, deployment)}/statuses/{status.id}",
        "id": status.id,
        "node_id": f"DES_{status.id}",
        "state": status.state,
        "creator": show_login(call, status.login),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "created_at": stamp(status.created),
        "updated_at": stamp(status.created),
        "deployment_url": _url(call, deployment),
        "repository_url": repo_url(call, call.repo),
        "performed_via_github_app": None,
    }


def _list_statuses(call: Call) -> Answer:
    deployment = _deployment_of(call)
    pairs = [(deployment, one) for one in deployment.statuses[::-1]]
    return page(call, pairs, _show_status)


def _create_status(call: Call) -> Answer:
    deployment = _deployment_of(call)
    state = call.choice("state", _STATES)
    status = _new_status(call, state, call.text("environment", deployment.environment))
    deployment.statuses.append(status)
    if state == "success" and call.flag("auto_inactive", default=True):
        _inactivate(call, deployment)
    return Answer(201, _show_status(call, (deployment, status)))


def _new_status(call: Call, state: str, environment: str) -> DeploymentStatus:
    return DeploymentStatus(
        id=call.world.next_id(),
        login=call.token.login,
        state=state,
        description=call.text("description", ""),
        log_url=call.text("log_url", call.text("target_url", "")),
        environment_url=call.text("environment_url", ""),
        environment=environment,
        created=call.world.clock(),
    )


def _inactivate(call: Call, newest: Deployment) -> None:
    """Say of the earlier deployments to a passing environment that they are over."""
    for one in call.repo.deployments.values():
        same = one.environment == newest.environment and one.id < newest.id
        live = bool(one.statuses) and one.statuses[-1].state == "success"
        if same and live and not one.production and not one.transient:
            one.statuses.append(_new_status(call, "inactive", one.environment))


def _show_environment(call: Call, environment: Environment) -> Json:
    path = quote(environment.name, safe="")
    return {
        "id": environment.id,
        "node_id": f"EN_{environment.id}",
        "name": environment.name,
        "url": f"{repo_url(call, call.repo)}/environments/{path}",
        "html_url": f"{repo_page(call, call.repo)}/deployments/{path}",
        "created_at": stamp(environment.created),
        "updated_at": stamp(environment.created),
        "protection_rules": environment.protection_rules,
        "deployment_branch_policy": environment.branch_policy,
    }


def _list_environments(call: Call) -> Answer:
    found: list[Any] = list(call.repo.environments.values())
    return page(call, found, _show_environment, "environments")


def _get_environment(call: Call) -> Answer:
    found = call.repo.environments.get(call.parameters["environment_name"])
    if found is None:
        raise not_found()
    return Answer(200, _show_environment(call, found))


_REPO = "/repos/{owner}/{repo}"
_DEPLOYMENT = f"{_REPO}/deployments/{{deployment_id}}"
ROUTES = (
    Route("GET", f"{_REPO}/deployments", _list),
    Route("POST", f"{_REPO}/deployments", _create, ("deployments",)),
    Route("GET", _DEPLOYMENT, _get),
    Route("GET", f"{_DEPLOYMENT}/statuses", _list_statuses),
    Route("POST", f"{_DEPLOYMENT}/statuses", _create_status, ("deployments",)),
    Route("GET", f"{_REPO}/environments", _list_environments),
    Route("GET", f"{_REPO}/environments/{{environment_name}}", _get_environment),
)
