"""Every answer of the stand-in is one that GitHub's own description of its API allows."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.calls import Route
from mergeline.rehearsal.resources import ROUTES

from .clients import Api, Clone
from .openapi import Description, find_description


@pytest.fixture(scope="module")
def description(request: pytest.FixtureRequest) -> Description:
    return Description.read(find_description(request.config.cache.mkdir("openapi")))


def route_of(method: str, path: str) -> Route:
    return next(one for one in ROUTES if one.match(method, path) is not None)


@dataclass
class Witness(Api):
    """A client that keeps every answer: route, status, body."""

    seen: list[tuple[Route, int, Any]] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        answer = super().__call__(method, path, body, **more)
        plain = path.replace("{repo}", f"repos/{self.repo}").partition("?")[0]
        content = answer.json() if answer.content else None
        self.seen.append((route_of(method, plain), answer.status_code, content))
        return answer


@pytest.fixture
def witness(hub: Rehearsal) -> Witness:
    return Witness(hub.api_url, hub.token("github-actions[bot]", "admin"), hub.name)


def walk(hub: Rehearsal, clone: Clone, api: Witness) -> None:
    """Ask every address, for what is full and for what is empty."""
    people(hub, api)
    git(clone, api)
    pulls(hub, clone, api)
    conversation(hub, api)
    records(hub, clone, api)
    actions(hub, clone, api)
    setup(hub, api)


def people(hub: Rehearsal, api: Witness) -> None:
    hub.add_user("stranger")
    for path in ("/user", "/users/ann", "/users/github-actions[bot]", "/{repo}"):
        api.get(path)
    api.get("/{repo}/collaborators")
    for login in ("acme", "ann", "bob", "stranger"):
        api.get(f"/{{repo}}/collaborators/{login}/permission")
    api("GET", "/{repo}/collaborators/nobody/permission")
    api("GET", "/users/nobody")


def git(clone: Clone, api: Witness) -> None:
    head = clone.topic("tree", "a.txt")
    for path in ("branches", "branches/main", "commits", "commits/main", f"commits/{head}"):
        api.get(f"/{{repo}}/{path}")
    tree = api.get(f"/{{repo}}/git/commits/{head}")["tree"]["sha"]
    blob = api.get(f"/{{repo}}/git/trees/{tree}?recursive=1")["tree"][0]["sha"]
    api.get(f"/{{repo}}/git/blobs/{blob}")
    api.get("/{repo}/git/ref/heads/tree")
    api.get("/{repo}/git/matching-refs/heads/")
    assert api("POST", "/{repo}/git/refs", {"ref": "refs/heads/n", "sha": head}).status_code == 201
    assert api("PATCH", "/{repo}/git/refs/heads/n", {"sha": head}).status_code == 200
    assert api("DELETE", "/{repo}/git/refs/heads/n").status_code == 204
    api("GET", f"/{{repo}}/commits/{'0' * 40}")
    api("GET", f"/{{repo}}/git/commits/{'0' * 40}")
    api("GET", "/{repo}/git/ref/heads/none")


def pulls(hub: Rehearsal, clone: Clone, api: Witness) -> None:
    hub.add_fork("carl")
    clone.topic("topic", "one.txt", "two.txt")
    fork = clone.topic("forked", "three.txt")
    remote = hub.world.repos["carl/credit"].git.path
    clone.git("push", "-q", str(remote), f"{fork}:refs/heads/forked")
    made = api("POST", "/{repo}/pulls", {"title": "T", "head": "topic", "base": "main"})
    number, head = made.json()["number"], made.json()["head"]["sha"]
    again = {"title": "T", "head": "topic", "base": "main"}
    assert api("POST", "/{repo}/pulls", again).status_code == 422
    api("POST", "/{repo}/pulls", again | {"head": "nowhere"})
    other = api("POST", "/{repo}/pulls", again | {"head": "carl:forked"}).json()["number"]
    one = f"/{{repo}}/pulls/{number}"
    api("PATCH", one, {"body": "words"})
    reviewed(hub, api, one, number)
    for path in (one, f"{one}/commits", f"{one}/files", f"/{{repo}}/commits/{head}/pulls"):
        api.get(path)
    api("GET", f"{one}/merge")
    assert api("PUT", f"{one}/merge", {"sha": "0" * 40}).status_code == 409
    assert api("PUT", f"{one}/merge", {"merge_method": "squash"}).status_code == 200
    assert api("PUT", f"{one}/merge", {}).status_code == 405
    assert api("GET", f"{one}/merge").status_code == 204
    assert api("PATCH", f"/{{repo}}/pulls/{other}", {"state": "closed"}).status_code == 200
    for path in (one, f"/{{repo}}/pulls/{other}", f"{one}/files", "/{repo}/commits/main/pulls"):
        api.get(path)
    assert len(api.get("/{repo}/pulls?state=all")) == 2
    api("GET", "/{repo}/pulls/99")


def reviewed(hub: Rehearsal, api: Witness, one: str, number: int) -> None:
    review = hub.approve(number, "bob")
    hub.request_changes(number, "ann")
    hub.add_user("leaver")
    hub.approve(number, "leaver")
    hub.remove_user("leaver")
    assert api("PUT", f"{one}/reviews/{review}/dismissals", {"message": "m"}).status_code == 200
    commented = api("POST", f"{one}/reviews", {"event": "COMMENT", "body": "b"})
    assert commented.status_code == 200
    pending = api("POST", f"{one}/reviews", {}).json()["id"]
    api.get(f"{one}/reviews")
    api.get(f"{one}/reviews/{pending}")
    sent = api("POST", f"{one}/reviews/{pending}/events", {"event": "COMMENT", "body": "b"})
    assert sent.status_code == 200
    assert api("POST", f"{one}/reviews", {"event": "APPROVE"}).status_code == 422


def conversation(hub: Rehearsal, api: Witness) -> None:
    api.get("/{repo}/issues/1")
    made = api("POST", "/{repo}/issues/1/comments", {"body": "b"}).json()
    one = f"/{{repo}}/issues/comments/{made['id']}"
    api.get(one)
    api("PATCH", one, {"body": "c"})
    api.get("/{repo}/issues/1/comments")
    api.get("/{repo}/issues/1/events")
    api("POST", "/{repo}/issues/1/comments", {"body": ""})
    assert api("DELETE", one).status_code == 204
    api("GET", one)


def records(hub: Rehearsal, clone: Clone, api: Witness) -> None:
    sha = clone.git("rev-parse", "origin/main")
    api.get(f"/{{repo}}/commits/{sha}/status")
    status = {"state": "success", "target_url": "https://example.org/", "description": "d"}
    api("POST", f"/{{repo}}/statuses/{sha}", status)
    api("POST", f"/{{repo}}/statuses/{sha}", {"state": "pending", "context": "bare"})
    api.get(f"/{{repo}}/commits/{sha}/statuses")
    api.get(f"/{{repo}}/commits/{sha}/status")
    check = api("POST", "/{repo}/check-runs", {"name": "n", "head_sha": sha}).json()["id"]
    note = {"path": "a.txt", "start_line": 1, "end_line": 1, "annotation_level": "notice"}
    output = {"title": "t", "summary": "s", "annotations": [note | {"message": "m"}]}
    api("PATCH", f"/{{repo}}/check-runs/{check}", {"conclusion": "success", "output": output})
    api.get(f"/{{repo}}/check-runs/{check}/annotations")
    api.get(f"/{{repo}}/check-runs/{check}")
    api.get(f"/{{repo}}/commits/{sha}/check-runs")
    assert api("POST", "/{repo}/deployments", {"ref": sha}).status_code == 409
    plain = {"ref": sha, "required_contexts": [], "auto_merge": False}
    number = api("POST", "/{repo}/deployments", plain | {"payload": {"a": 1}}).json()["id"]
    api("POST", f"/{{repo}}/deployments/{number}/statuses", {"state": "success"})
    for path in ("", f"/{number}", f"/{number}/statuses"):
        api.get(f"/{{repo}}/deployments{path}")
    hub.add_environment(
        "staging", [], {"protected_branches": True, "custom_branch_policies": False}
    )
    for path in ("environments", "environments/staging", "environments/production"):
        api.get(f"/{{repo}}/{path}")
    parameters = {"update_allows_fetch_and_merge": False}
    rules: list[dict[str, Any]] = [{"type": "update", "parameters": parameters}]
    actor = {"actor_id": 1, "actor_type": "DeployKey", "bypass_mode": "always"}
    ruleset = hub.add_ruleset("r", [*rules, {"type": "deletion"}], bypass=[actor])
    for path in ("rulesets", f"rulesets/{ruleset}", "rules/branches/main"):
        api.get(f"/{{repo}}/{path}")


def actions(hub: Rehearsal, clone: Clone, api: Witness) -> None:
    head = clone.topic("run")
    number = hub.open_pull("run", login="ann")
    artifacts: dict[str, bytes] = {"model": b"1", "old": b"2"}
    run = hub.add_run(head, head_branch="run", artifacts=artifacts)
    hub.add_run("1" * 40, event="push", status="in_progress")
    hub.expire(run, "old")
    assert api.get(f"/{{repo}}/actions/runs/{run}")["pull_requests"][0]["number"] == number
    listed = api.get(f"/{{repo}}/actions/runs/{run}/artifacts")["artifacts"]
    api.get("/{repo}/actions/artifacts")
    for one, status in zip(listed, (302, 410), strict=True):
        path = f"/{{repo}}/actions/artifacts/{one['id']}"
        api.get(path)
        assert api("GET", f"{path}/zip").status_code == status
    assert api("POST", f"/{{repo}}/actions/runs/{run}/rerun").status_code == 201
    assert len(api.get("/{repo}/actions/runs")["workflow_runs"]) == 2


def setup(hub: Rehearsal, api: Witness) -> None:
    hub.repo.setup.names.secrets += ["KEY"]
    hub.repo.setup.names.variables += ["PLACE"]
    hub.repo.setup.workflows[".github/workflows/promote.yml"] = "disabled_manually"
    hub.repo.setup.owner_errors += ["Unknown owner on line 1: make sure @nobody exists"]
    hub.repo.setup.protections["main"] = {"required_status_checks": {"contexts": [], "checks": []}}
    custom = {"protected_branches": False, "custom_branch_policies": True}
    hub.add_environment("guarded", [], custom, branches=["main"], secrets=["TOKEN"])
    hub.repo.environments["guarded"].names.variables += ["PLACE"]
    for path in ("", "/workflow", "/artifact-and-log-retention", "/fork-pr-contributor-approval"):
        api.get(f"/{{repo}}/actions/permissions{path}")
    for path in ("actions/secrets", "actions/variables", "actions/workflows", "codeowners/errors"):
        api.get(f"/{{repo}}/{path}")
    for path in ("secrets", "variables", "deployment-branch-policies"):
        api.get(f"/{{repo}}/environments/guarded/{path}")
    api.get("/{repo}/branches/main")
    api.get("/{repo}/branches/main/protection")
    api("GET", "/{repo}/branches/other/protection")
    rule = {"name": "main", "enforcement": "active", "rules": [{"type": "deletion"}]}
    named = {"conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}}
    assert api("POST", "/{repo}/rulesets", rule | named).status_code == 201
    private = "/{repo}/actions/permissions/fork-pr-workflows-private-repos"
    assert api("GET", private).status_code == 404
    hub.repo.private = True
    api.get(private)


def test_answers_are_as_described(
    hub: Rehearsal, clone: Clone, witness: Witness, description: Description
) -> None:
    walk(hub, clone, witness)
    unknown = [
        f"{route.method} {route.template}"
        for route in ROUTES
        if description.operation(route.method, route.template) is None
    ]
    assert unknown == [], "GitHub has no such address"
    succeeded = {
        (route.method, route.template) for route, status, _ in witness.seen if status < 400
    }
    silent = [one for one in ROUTES if (one.method, one.template) not in succeeded]
    assert silent == [], "nobody asked these"
    problems = [
        problem
        for route, status, body in witness.seen
        if status < 400 or str(status) in answers_of(description, route)
        for problem in description.problems(route.method, route.template, status, body)
    ]
    assert not problems, "\n".join(problems)


def answers_of(description: Description, route: Route) -> set[str]:
    """The statuses that GitHub describes; of refusals it leaves many out."""
    return set((description.operation(route.method, route.template) or {})["responses"])


def test_the_description_is_read_as_it_is_meant() -> None:
    """What it finds wrong: a missing or unknown field, a type, a date; not null where it may be."""
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer"},
            "at": {"type": "string", "format": "date-time", "nullable": True},
            "user": {"$ref": "#/components/schemas/user"},
        },
    }
    user = {"type": "object", "nullable": True, "required": ["login"]}
    answer = {"content": {"application/json": {"schema": schema}}}
    described = Description(
        {
            "components": {"schemas": {"user": user}},
            "paths": {"/x": {"get": {"responses": {"200": answer, "204": {}}}}},
        }
    )

    def wrong(body: Any, status: int = 200) -> bool:
        return bool(described.problems("GET", "/x", status, body))

    good = {"id": 1, "at": "2026-01-31T12:00:00Z", "user": {"login": "a"}}
    assert not any(map(wrong, (good, good | {"at": None, "user": None}, {"id": 2})))
    changes = ({"id": "1"}, {"id": None}, {"at": "2026-01-31 12:00"}, {"user": {}}, {"new": 1})
    for change in changes:
        assert wrong(good | change)
    assert wrong({})
    assert wrong(None)
    assert wrong(good, 204)
    assert wrong(good, 201)
    assert not wrong(None, 204)
