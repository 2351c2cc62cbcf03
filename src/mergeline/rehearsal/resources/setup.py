"""What administrators set: Actions, secrets by name, code owners. None of it is enforced."""

from mergeline.rehearsal.answers import Answer, Json, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import require_administrator, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.setup import Names
from mergeline.rehearsal.state import Environment

_MOST_DAYS = 400
_PRIVATE_FORKS = (
    *("run_workflows_from_fork_pull_requests", "send_write_tokens_to_workflows"),
    *("send_secrets_and_variables", "require_approval_for_fork_pr_workflows"),
)


def _permissions(call: Call) -> Answer:
    require_administrator(call)
    setup = call.repo.setup
    return Answer(200, {"enabled": setup.enabled, "allowed_actions": setup.allowed_actions})


def _workflow_permissions(call: Call) -> Answer:
    require_administrator(call)
    setup = call.repo.setup
    body = {"default_workflow_permissions": setup.default_permissions}
    return Answer(200, body | {"can_approve_pull_request_reviews": setup.may_approve})


def _retention(call: Call) -> Answer:
    require_administrator(call)
    days = call.repo.setup.retention_days
    return Answer(200, {"days": days, "maximum_allowed_days": _MOST_DAYS})


def _fork_approval(call: Call) -> Answer:
    require_administrator(call)
    return Answer(200, {"approval_policy": call.repo.setup.fork_policy})


def _private_forks(call: Call) -> Answer:
    require_administrator(call)
    if not call.repo.private:
        raise not_found()
    return Answer(200, dict.fromkeys(_PRIVATE_FORKS, False) | call.repo.setup.private_forks)


def _show_workflow(call: Call, item: tuple[int, tuple[str, str]]) -> Json:
    number, (path, state) = item
    url = f"{repo_url(call, call.repo)}/actions/workflows/{number}"
    name = path.rpartition("/")[2]
    at = stamp(call.repo.created)
    return {
        "id": number,
        "node_id": f"W_{number}",
        "name": name.partition(".")[0],
        "path": path,
        "state": state,
        "created_at": at,
        "updated_at": at,
        "url": url,
        "html_url": f"{repo_page(call, call.repo)}/blob/{call.repo.default_branch}/{path}",
        "badge_url": f"{repo_page(call, call.repo)}/workflows/{name}/badge.svg",
    }


def _workflows(call: Call) -> Answer:
    found = list(enumerate(call.repo.setup.workflows.items(), start=1))
    return page(call, found, _show_workflow, "workflows")


def _show_error(_call: Call, message: str) -> Json:
    about = {"line": 1, "column": 1, "kind": "Unknown owner", "path": ".github/CODEOWNERS"}
    return about | {"message": message, "suggestion": "", "source": "* @nobody"}


def _owner_errors(call: Call) -> Answer:
    errors = [_show_error(call, message) for message in call.repo.setup.owner_errors]
    return Answer(200, {"errors": errors})


def _show_secret(call: Call, name: str) -> Json:
    at = stamp(call.repo.created)
    return {"name": name, "created_at": at, "updated_at": at}


def _show_variable(call: Call, name: str) -> Json:
    return _show_secret(call, name) | {"value": "of no interest"}


def _secrets(call: Call) -> Answer:
    require_administrator(call, "secrets")
    return page(call, call.repo.setup.names.secrets, _show_secret, "secrets")


def _variables(call: Call) -> Answer:
    require_administrator(call, "variables")
    return page(call, call.repo.setup.names.variables, _show_variable, "variables")


def _environment_of(call: Call) -> Environment:
    found = call.repo.environments.get(call.parameters["environment_name"])
    if found is None:
        raise not_found()
    return found


def _names_of(call: Call) -> Names:
    require_administrator(call, "environments")
    return _environment_of(call).names


def _secrets_of(call: Call) -> Answer:
    return page(call, _names_of(call).secrets, _show_secret, "secrets")


def _variables_of(call: Call) -> Answer:
    return page(call, _names_of(call).variables, _show_variable, "variables")


def _show_branch_policy(_call: Call, name: str) -> Json:
    return {"id": 1, "node_id": "EBP_1", "name": name, "type": "branch"}


def _branch_policies(call: Call) -> Answer:
    return page(call, _environment_of(call).branches, _show_branch_policy, "branch_policies")


_REPO = "/repos/{owner}/{repo}"
_PERMISSIONS = f"{_REPO}/actions/permissions"
_ENVIRONMENT = f"{_REPO}/environments/{{environment_name}}"
ROUTES = (
    Route("GET", _PERMISSIONS, _permissions),
    Route("GET", f"{_PERMISSIONS}/workflow", _workflow_permissions),
    Route("GET", f"{_PERMISSIONS}/artifact-and-log-retention", _retention),
    Route("GET", f"{_PERMISSIONS}/fork-pr-contributor-approval", _fork_approval),
    Route("GET", f"{_PERMISSIONS}/fork-pr-workflows-private-repos", _private_forks),
    Route("GET", f"{_REPO}/actions/workflows", _workflows),
    Route("GET", f"{_REPO}/actions/secrets", _secrets),
    Route("GET", f"{_REPO}/actions/variables", _variables),
    Route("GET", f"{_REPO}/codeowners/errors", _owner_errors),
    Route("GET", f"{_ENVIRONMENT}/secrets", _secrets_of),
    Route("GET", f"{_ENVIRONMENT}/variables", _variables_of),
    Route("GET", f"{_ENVIRONMENT}/deployment-branch-policies", _branch_policies),
)
