"""What is said of the repository at GitHub: of one that lacks nothing, and of each thing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from mergeline.project.doctor import asking
from mergeline.project.doctor.asking import Patience
from mergeline.project.doctor.finding import Finding
from mergeline.project.doctor.project import open_project
from mergeline.project.doctor.run import at_github
from mergeline.project.doctor.workflows import NEEDED
from mergeline.rehearsal import Rehearsal

from .conftest import change, git, write

CLOSED = ("creation", "update", "deletion", "non_fast_forward")
LEDGER, FOLLOWER = "refs/heads/mergeline/ledger", "refs/heads/mergeline/follower/*"
REVIEWS = {
    "required_approving_review_count": 1,
    "dismiss_stale_reviews_on_push": True,
    "require_last_push_approval": True,
    "require_code_owner_review": True,
}
ONLY_PROTECTED = {"protected_branches": True, "custom_branch_policies": False}
ONLY_MAIN = {"protected_branches": False, "custom_branch_policies": True}
Change = Callable[[Rehearsal], object]


def rule(kind: str, **parameters: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters} if parameters else {"type": kind}


def actor(kind: str, number: int | None = 7) -> dict[str, Any]:
    return {"actor_id": number, "actor_type": kind, "bypass_mode": "always"}


def main_rules(**reviews: Any) -> list[dict[str, Any]]:
    checks = [{"context": "mergeline"}]
    return [
        *(rule("deletion"), rule("non_fast_forward")),
        rule("pull_request", **{**REVIEWS, **reviews}),
        rule("required_status_checks", required_status_checks=checks),
    ]


def close(hub: Rehearsal, include: str, *bypass: Mapping[str, Any], kinds: Any = CLOSED) -> None:
    hub.add_ruleset(include, [rule(kind) for kind in kinds], include=[include], bypass=bypass)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Rehearsal]:
    """A repository that lacks nothing."""
    with Rehearsal.start(tmp_path / "hub") as rehearsal:
        rehearsal.add_user("ann", "Ann", "ann@example.org", "write")
        rehearsal.add_ruleset("main", main_rules())
        close(rehearsal, LEDGER, actor("User"))
        close(rehearsal, FOLLOWER, actor("DeployKey", None))
        secrets = ["MERGELINE_TOKEN", "MERGELINE_DVC_CONFIG_WRITE"]
        for name in ("mergeline", "production"):
            rehearsal.add_environment(name, [], ONLY_MAIN, branches=["main"], secrets=secrets)
        for name in NEEDED:
            rehearsal.repo.setup.workflows[f".github/workflows/{name}"] = "active"
        yield rehearsal


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", Patience(seconds=1, tries=1))


def findings(hub: Rehearsal, folder: Path, token: str = "") -> dict[str, Finding]:
    environ = {
        "GITHUB_API_URL": hub.api_url,
        "GITHUB_REPOSITORY": hub.name,
        "GITHUB_TOKEN": token or hub.token("acme"),
    }
    group = at_github(open_project(folder), environ)
    assert hub.writes == [], "doctor changes nothing"
    return {one.name: one for one in group.findings}


def replace_rules(
    hub: Rehearsal, name: str, rules: list[dict[str, Any]] | None, **more: Any
) -> None:
    hub.repo.rulesets[:] = [one for one in hub.repo.rulesets if one.name != name]
    if rules is not None:
        hub.add_ruleset(name, rules, **more)


def test_a_repository_that_lacks_nothing(hub: Rehearsal, folder: Path) -> None:
    found = findings(hub, folder)
    assert [one for one in found.values() if not one.ok] == []
    assert {"main: pull requests", "main: last push", "ledger", "follower"} < set(found)
    assert {"environment production", "secret MERGELINE_TOKEN", "artifacts", "forks"} < set(found)
    assert found["token"].detail.startswith("the token of a workflow or an app of acme")


# --- main ----------------------------------------------------------------------------------


def main_with(*kept: str, **reviews: Any) -> Change:
    rules = [one for one in main_rules(**reviews) if not kept or one["type"] in kept]
    return lambda hub: replace_rules(hub, "main", rules)


NO_RULES: Change = lambda hub: replace_rules(hub, "main", None)  # noqa: E731


def edit_setup(**values: Any) -> Change:
    return lambda hub: hub.repo.setup.__dict__.update(values)


def room(name: str, **about: Any) -> Change:
    return lambda hub: hub.add_environment(name, [], **about)


def no_room(name: str) -> Change:
    return lambda hub: hub.repo.environments.pop(name)


def private(also: Change) -> Change:
    def run(hub: Rehearsal) -> None:
        hub.repo.private = True
        also(hub)

    return run


def ledger(*bypass: Mapping[str, Any], kinds: Any = CLOSED) -> Change:
    def run(hub: Rehearsal) -> None:
        replace_rules(hub, LEDGER, None)
        close(hub, LEDGER, *bypass, kinds=kinds)

    return run


def no_ledger_rules(hub: Rehearsal) -> None:
    replace_rules(hub, LEDGER, None)


def unset(room: str, secret: str) -> Change:
    return lambda hub: hub.repo.environments[room].names.secrets.remove(secret)


def to_repository(secret: str) -> Change:
    return lambda hub: hub.repo.setup.names.secrets.append(secret)


def turn_off(hub: Rehearsal) -> None:
    hub.repo.setup.workflows[".github/workflows/comment.yml"] = "disabled_manually"


def forget(hub: Rehearsal) -> None:
    del hub.repo.setup.workflows[".github/workflows/comment.yml"]


def queue(hub: Rehearsal) -> None:
    hub.add_ruleset("queue", [rule("merge_queue")])


CASES: dict[str, tuple[Change, str, str, str, str]] = {
    "no rules of main": (NO_RULES, "main: pull requests", "missing", "DIRECT_PUSH", "this adds"),
    "no rules, so no status": (NO_RULES, "main: status", "missing", "not required", "above"),
    "no rules, so no history": (
        NO_RULES,
        *("main: history", "missing", "force-push and deletion allowed", "above"),
    ),
    "another status": (
        main_with("pull_request", "deletion", "non_fast_forward"),
        *("main: status", "missing", "can be merged", "this adds"),
    ),
    "fewer approvals": (
        main_with(required_approving_review_count=0),
        *("main: approvals", "missing", "GitHub asks for 0, params.yaml for 1", "this adds"),
    ),
    "stale approvals": (
        main_with(dismiss_stale_reviews_on_push=False),
        *("main: last push", "warn", "stale approvals are kept: GitHub lets merge", "this adds"),
    ),
    "the last to push may approve": (
        main_with(require_last_push_approval=False),
        *("main: last push", "missing", "whoever pushed last may approve: security", "this adds"),
    ),
    "code owners are not asked": (
        main_with(require_code_owner_review=False),
        *("main: code owners", "warn", "not required", "Require review from Code Owners"),
    ),
    "a mistake in the code owners' file": (
        edit_setup(owner_errors=["Unknown owner on line 1"]),
        *("main: code owners", "warn", "Unknown owner", "mend .github/CODEOWNERS"),
    ),
    "deletion": (
        main_with("pull_request", "required_status_checks", "non_fast_forward"),
        *("main: history", "missing", "deletion allowed", "this adds"),
    ),
    "some pass by the rules of main": (
        lambda hub: replace_rules(hub, "main", main_rules(), bypass=[actor("RepositoryRole", 5)]),
        *("main: bypass", "warn", "RepositoryRole may pass", "/settings/rules/"),
    ),
    "a plan without rules": (
        edit_setup(has_rules=False),
        *("main: rules", "warn", "the owner's plan", "/pricing"),
    ),
    "a ledger without protection": (
        no_ledger_rules,
        *("ledger", "warn", "whoever may write could write history", "fine when alone"),
    ),
    "a ledger in a plan without rules": (
        edit_setup(has_rules=False),
        *("ledger", "warn", "whoever may write could write history", "fine when alone"),
    ),
    "a ledger that may be deleted": (
        ledger(actor("User"), kinds=("creation", "update")),
        *("ledger", "warn", "lacks deletion", "fine when alone"),
    ),
    "a ledger that nobody may push": (
        ledger(),
        *("ledger", "missing", "nobody may push", "Bypass list"),
    ),
    "a ledger that every administrator may push": (
        ledger(actor("RepositoryRole", 5)),
        *("ledger", "warn", "a role may push", "Bypass list"),
    ),
    "a ledger that every workflow may push": (
        ledger(actor("Integration", 15368)),
        *("ledger", "warn", "GitHub Actions may push", "Bypass list"),
    ),
    "a ledger that some pass in pull requests": (
        ledger(actor("User") | {"bypass_mode": "pull_request"}),
        *("ledger", "missing", "nobody may push", "Bypass list"),
    ),
    "a follower's branch without protection": (
        lambda hub: replace_rules(hub, FOLLOWER, None),
        *("follower", "warn", "report a release as live", "deploy keys"),
    ),
    "no environment": (
        no_room("production"),
        *("environment production", "missing", "not there", "makes it so"),
    ),
    "no environment of a private repository": (
        private(no_room("production")),
        *("environment production", "warn", "some plans", "makes it so"),
    ),
    "an environment for every branch": (
        room("production"),
        *("environment production", "missing", "admits every branch", "makes it so"),
    ),
    "an environment for other branches": (
        room("production", branch_policy=ONLY_MAIN, branches=["main", "release/*"]),
        *("environment production", "missing", "main, release/*", "Deployment branches"),
    ),
    "an environment for classic protection that there is not": (
        room("production", branch_policy=ONLY_PROTECTED),
        *("environment production", "warn", "every branch where none", "makes it so"),
    ),
    "no token of the line's own": (
        unset("production", "MERGELINE_TOKEN"),
        *("secret MERGELINE_TOKEN", "missing", "the ledger is protected", "--env production"),
    ),
    "no credential to publish with": (
        unset("production", "MERGELINE_DVC_CONFIG_WRITE"),
        *("secret MERGELINE_DVC_CONFIG_WRITE", "warn", "nothing is published", "gh secret set"),
    ),
    "a secret that every branch reads": (
        to_repository("MERGELINE_DVC_CONFIG_WRITE"),
        *(
            "secret MERGELINE_DVC_CONFIG_WRITE",
            "warn",
            "any branch may read it",
            "gh secret delete",
        ),
    ),
    "Actions are off": (
        edit_setup(enabled=False),
        *("actions", "missing", "is off", "-F enabled=true"),
    ),
    "own actions only": (
        edit_setup(allowed_actions="local_only"),
        *("actions", "missing", "only this owner's", "allowed_actions=all"),
    ),
    "actions of a list": (
        edit_setup(allowed_actions="selected"),
        *("actions", "warn", "of a list", "selected-actions"),
    ),
    "workflows write by default": (
        edit_setup(default_permissions="write"),
        *("permissions", "warn", "has `write`", "default_workflow_permissions=read"),
    ),
    "workflows approve": (
        edit_setup(may_approve=True),
        *("permissions", "warn", "may approve", "can_approve_pull_request_reviews=false"),
    ),
    "a workflow is turned off": (
        turn_off,
        *("workflows", "missing", "comment.yml: turned off", "gh workflow enable comment.yml"),
    ),
    "a workflow that is not on main": (
        forget,
        *("workflows", "missing", "does not know comment.yml", "merge them into main"),
    ),
    "artifacts for three days": (
        edit_setup(retention_days=3),
        *("artifacts", "warn", "may be gone at the merge", "-F days=30"),
    ),
    "anybody's code runs": (
        edit_setup(fork_policy="first_time_contributors_new_to_github"),
        *("forks", "warn", "runs at once", "approval_policy=first_time_contributors"),
    ),
    "forks of a private repository get secrets": (
        private(edit_setup(private_forks={"send_secrets_and_variables": True})),
        *("forks", "missing", "get secrets", "Fork pull request workflows"),
    ),
    "another default branch": (
        lambda hub: hub.repo.__dict__.update(default_branch="trunk"),
        *("main", "missing", "the default branch is trunk", "branches: [trunk]"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_repository_lacks(hub: Rehearsal, folder: Path, case: str) -> None:
    spoil, name, state, detail, step = CASES[case]
    spoil(hub)
    found = findings(hub, folder)[name]
    assert found.state == state, found
    assert detail in found.detail, found
    assert step in found.next_step, found


@pytest.mark.parametrize(
    "bypass", [actor("User"), actor("Integration"), actor("DeployKey", None)], ids=str
)
def test_a_ledger_that_only_the_line_may_push(
    hub: Rehearsal, folder: Path, bypass: dict[str, Any]
) -> None:
    ledger(bypass)(hub)
    assert findings(hub, folder)["ledger"].ok


def test_who_may_push_has_to_pass_by_all_rulesets(hub: Rehearsal, folder: Path) -> None:
    hub.add_ruleset("more", [rule("update")], include=["~ALL"], exclude=["refs/heads/main"])
    assert "nobody may push" in findings(hub, folder)["ledger"].detail


def test_private(hub: Rehearsal, folder: Path) -> None:
    hub.repo.private = True
    found = findings(hub, folder)
    assert [one for one in found.values() if not one.ok] == []
    assert "private" in found["repository"].detail
    assert "neither secrets" in found["forks"].detail


def test_public_with_data_that_is_elsewhere(hub: Rehearsal, folder: Path) -> None:
    write(folder / "data/customers.csv.dvc", "outs: []\n")
    found = findings(hub, folder)["repository"]
    assert (found.state, "finds its score" in found.detail) == ("warn", True)


def test_alone(hub: Rehearsal, folder: Path) -> None:
    """Without approvals nobody is asked for them, nor for code owners."""
    with (folder / "params.yaml").open("a") as file:
        file.write("promotion: {approvals: 0}\n")
    main_with(required_approving_review_count=0, dismiss_stale_reviews_on_push=False)(hub)
    found = findings(hub, folder)
    assert found["main: approvals"].ok
    assert not {"main: last push", "main: code owners"} & set(found)


def test_nobody_owns_the_policy(hub: Rehearsal, folder: Path) -> None:
    write(folder / ".github/CODEOWNERS", "/.github/ @bob\n*.md @ann\n")
    found = findings(hub, folder)["main: code owners"]
    assert (found.state, "nobody owns params.yaml:" in found.detail) == ("warn", True)


def test_a_merge_queue(hub: Rehearsal, folder: Path) -> None:
    assert "main: queue" not in findings(hub, folder)
    queue(hub)
    assert findings(hub, folder)["main: queue"].ok
    change(folder / ".github/workflows/pull-request.yml", "  merge_group:\n", "")
    found = findings(hub, folder)["main: queue"]
    assert (found.state, "`merge_group:`" in found.next_step) == ("missing", True)


def test_a_registry_that_only_a_secret_names(hub: Rehearsal, folder: Path) -> None:
    change(folder / "params.yaml", "https://mlflow.example.org", "sqlite:///r.db")
    name = "secret MLFLOW_TRACKING_URI"
    assert findings(hub, folder)[name].state == "missing"
    hub.repo.setup.names.variables.append("MLFLOW_TRACKING_URI")
    assert "it is a variable" in findings(hub, folder)[name].detail
    hub.repo.environments["production"].names.secrets.append("MLFLOW_TRACKING_URI")
    assert findings(hub, folder)[name].ok


def test_an_environment_that_no_job_runs_in(hub: Rehearsal, folder: Path) -> None:
    with (folder / "params.yaml").open("a") as file:
        file.write("deploy: {environment: staging}\n")
    found = findings(hub, folder)["deploy"]
    assert (found.state, "deploys to staging" in found.detail) == ("warn", True)


def test_the_oldest_open_pull_request(hub: Rehearsal, folder: Path) -> None:
    git(folder, "push", "-q", hub.remote, "HEAD:refs/heads/main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "More")
    git(folder, "push", "-q", hub.remote, "HEAD:refs/heads/topic")
    number = hub.open_pull("topic", login="ann")
    assert findings(hub, folder)["artifacts"].detail.endswith("the oldest open pull request has 0")
    hub.pull(number).created = hub.pull(number).created.replace(year=2020)
    assert findings(hub, folder)["artifacts"].state == "warn"


def test_archived(hub: Rehearsal, folder: Path) -> None:
    hub.repo.setup.archived = True
    assert findings(hub, folder)["repository"].state == "missing"


# --- classic protection --------------------------------------------------------------------


CLASSIC = {
    "required_status_checks": {"contexts": ["mergeline"], "checks": []},
    "required_pull_request_reviews": {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews": True,
        "require_code_owner_reviews": True,
        "require_last_push_approval": True,
    },
    "allow_force_pushes": {"enabled": False},
    "allow_deletions": {"enabled": False},
}


@pytest.fixture
def classic(hub: Rehearsal, folder: Path) -> Rehearsal:
    git(folder, "push", "-q", hub.remote, "HEAD:refs/heads/main")
    NO_RULES(hub)
    hub.repo.setup.protections["main"] = CLASSIC
    return hub


def test_classic_protection(classic: Rehearsal, folder: Path) -> None:
    found = findings(classic, folder)
    assert [one for one in found.values() if not one.ok] == []


def test_environments_for_classic_protection(classic: Rehearsal, folder: Path) -> None:
    classic.add_environment("production", [], ONLY_PROTECTED)
    assert findings(classic, folder)["environment production"].ok
    hidden = findings(classic, folder, classic.token("ann"))["environment production"]
    assert hidden.state == "unknown"


def test_classic_protection_that_allows_too_much(classic: Rehearsal, folder: Path) -> None:
    on = {"enabled": True}
    more = {"allow_force_pushes": on, "required_pull_request_reviews": None}
    classic.repo.setup.protections["main"] = CLASSIC | more
    found = findings(classic, folder)
    assert found["main: pull requests"].state == "missing"
    assert "force-push allowed" in found["main: history"].detail


def test_classic_protection_that_cannot_be_seen(classic: Rehearsal, folder: Path) -> None:
    """It is not taken for fine, nor for missing."""
    found = findings(classic, folder, classic.token("ann"))
    for name in ("pull requests", "status", "approvals", "last push", "code owners", "history"):
        one = found[f"main: {name}"]
        assert (one.state, "administration: read" in one.detail) == ("unknown", True), one


def test_none_is_known_as_none_by_whoever_reads(hub: Rehearsal, folder: Path) -> None:
    git(folder, "push", "-q", hub.remote, "HEAD:refs/heads/main")
    NO_RULES(hub)
    found = findings(hub, folder, hub.token("ann"))
    assert found["main: pull requests"].state == "missing"


# --- tokens --------------------------------------------------------------------------------


def test_a_token_that_may_only_write(hub: Rehearsal, folder: Path) -> None:
    """What administrators see is not known, and never taken for fine."""
    found = findings(hub, folder, hub.token("ann"))
    hidden = {name for name, one in found.items() if one.state == "unknown"}
    assert hidden == {
        *("main: bypass", "ledger", "follower", "actions", "permissions", "artifacts", "forks"),
        *("secret MERGELINE_TOKEN", "secret MERGELINE_DVC_CONFIG_WRITE"),
    }
    assert "only administrators see" in found["token"].detail
    assert all(
        "needs" in found[name].detail or "administrators" in found[name].detail for name in hidden
    )
    assert found["main: pull requests"].ok


def test_a_fine_grained_token(hub: Rehearsal, folder: Path) -> None:
    token = hub.token("acme", scopes={"environments": "read", "secrets": "read"})
    found = findings(hub, folder, token)
    assert found["secret MERGELINE_TOKEN"].ok
    assert found["actions"].detail == "needs a token with `administration: read`"


def test_a_classic_token(hub: Rehearsal, folder: Path) -> None:
    token = hub.token("acme", classic=("repo", "workflow"))
    said = findings(hub, folder, token)["token"].detail
    assert said.startswith("a classic token of acme (from GITHUB_TOKEN); scopes repo, workflow")
    assert token not in said


def test_a_token_that_nobody_knows(hub: Rehearsal, folder: Path) -> None:
    found = findings(hub, folder, "ghp_wrong")
    assert [(one.name, one.state) for one in found.values()] == [("token", "missing")]
    assert "expired or revoked" in found["token"].next_step
    assert "ghp_wrong" not in found["token"].model_dump_json()


def test_a_repository_that_the_token_does_not_see(hub: Rehearsal, folder: Path) -> None:
    hub.repo.private = True
    found = findings(hub, folder, hub.token("stranger"))
    assert [one.state for one in found.values()] == ["missing"]


# --- bad days ------------------------------------------------------------------------------


def test_no_network(hub: Rehearsal, folder: Path) -> None:
    token = hub.token("acme")
    hub.stop()
    found = findings_without(hub, folder, token)
    assert (found.state, "nothing else was asked" in found.detail) == ("unknown", True)
    assert "network" in found.next_step


def findings_without(hub: Rehearsal, folder: Path, token: str) -> Finding:
    environ = {
        "GITHUB_API_URL": "http://127.0.0.1:1",
        "GITHUB_REPOSITORY": hub.name,
        "GITHUB_TOKEN": token,
    }
    (found,) = at_github(open_project(folder), environ).findings
    return found


@pytest.mark.parametrize("kind", ["status", "close", "cut", "truncate", "slow"])
def test_an_answer_that_does_not_come(hub: Rehearsal, folder: Path, kind: Any) -> None:
    """The others are given all the same."""
    hub.fault("GET", "*/actions/permissions", kind, times=9, seconds=30)
    found = findings(hub, folder)
    assert found["actions"].state == "unknown"
    assert [one.name for one in found.values() if not one.ok] == ["actions"]


def test_a_limit_of_requests(hub: Rehearsal, folder: Path) -> None:
    hub.fault("GET", "*", "status", status=403, times=99, retry_after=600)
    (found,) = findings(hub, folder).values()
    assert (found.state, "limit" in found.next_step) == ("unknown", True)


def test_a_server_that_is_no_github(hub: Rehearsal, folder: Path) -> None:
    hub.fault("GET", "/repos/acme/credit", "status", status=503, times=9)
    (found,) = findings(hub, folder).values()
    assert found.state == "unknown"


# --- the commands --------------------------------------------------------------------------


def bodies(block: str) -> list[dict[str, Any]]:
    text = block.replace("$LINE", "7")
    return [json.loads(one) for one in re.findall(r"<<'?JSON'?\n(.*?)\nJSON", text, re.DOTALL)]


def test_the_commands_add_what_is_missing(hub: Rehearsal, folder: Path) -> None:
    """What a person copies is what GitHub's API takes, and mends what was found."""
    for name in ("main", LEDGER, FOLLOWER):
        replace_rules(hub, name, None)
    found = findings(hub, folder)
    blocks = [one.block for one in found.values() if one.block]
    assert len(blocks) == 3, "the one of main is shown once"
    headers = {"Authorization": f"Bearer {hub.token('acme')}"}
    for block in blocks:
        assert f"gh api --method POST repos/{hub.name}/rulesets --input -" in block
        (body,) = bodies(block)
        address = f"{hub.api_url}/repos/{hub.name}/rulesets"
        made = requests.post(address, json=body, headers=headers, timeout=30)
        assert made.status_code == 201, made.text
    environ = {
        "GITHUB_API_URL": hub.api_url,
        "GITHUB_REPOSITORY": hub.name,
        "GITHUB_TOKEN": hub.token("acme"),
    }
    again = at_github(open_project(folder), environ).findings
    assert [one for one in again if not one.ok] == []
