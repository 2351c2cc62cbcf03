"""Statuses, check runs, deployments, environments, rulesets."""

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone


@pytest.fixture
def sha(hub: Rehearsal, clone: Clone) -> str:
    return clone.git("rev-parse", "HEAD")


def set_status(api: Api, sha: str, state: str, context: str = "mergeline") -> int:
    answer = api("POST", f"/{{repo}}/statuses/{sha}", {"state": state, "context": context})
    return answer.status_code


def test_the_latest_status_of_each_context_counts(ann: Api, sha: str) -> None:
    combined = f"/{{repo}}/commits/{sha}/status"
    assert (ann.get(combined)["state"], ann.get(combined)["total_count"]) == ("pending", 0)
    for state in ("pending", "failure", "success"):
        assert set_status(ann, sha, state) == 201
    assert (ann.get(combined)["state"], ann.get(combined)["total_count"]) == ("success", 1)
    set_status(ann, sha, "pending", "other")
    assert ann.get(combined)["state"] == "pending"
    set_status(ann, sha, "error", "other")
    assert ann.get(combined)["state"] == "failure"
    states = [one["state"] for one in ann.get(f"/{{repo}}/commits/{sha}/statuses")]
    assert states == ["error", "pending", "success", "failure", "pending"]
    assert ann.get("/{repo}/commits/main/status")["sha"] == sha


def test_a_status_of_nothing(ann: Api, sha: str) -> None:
    assert set_status(ann, "0" * 40, "success") == 422
    assert set_status(ann, sha, "splendid") == 422
    assert ann.get(f"/{{repo}}/commits/{sha}/statuses") == []


def bot(hub: Rehearsal) -> Api:
    return Api(hub.api_url, hub.token("github-actions[bot]", "write"), hub.name)


def test_check_runs_are_made_by_apps(hub: Rehearsal, ann: Api, sha: str) -> None:
    body = {"name": "tests", "head_sha": sha}
    refused = ann("POST", "/{repo}/check-runs", body)
    assert (refused.status_code, "GitHub App" in refused.text) == (403, True)
    made = bot(hub)("POST", "/{repo}/check-runs", body).json()
    assert (made["status"], made["conclusion"], made["completed_at"]) == ("queued", None, None)
    path = f"/{{repo}}/check-runs/{made['id']}"
    end = {"conclusion": "failure", "output": {"title": "T", "summary": "S"}}
    done = bot(hub)("PATCH", path, end).json()
    assert (done["status"], done["conclusion"]) == ("completed", "failure")
    assert (done["output"]["title"], done["completed_at"] is None) == ("T", False)
    assert bot(hub)("PATCH", path, {"conclusion": "fine"}).status_code == 422
    assert ann.get(path)["conclusion"] == "failure"


def test_the_latest_check_run_of_each_name_is_listed(hub: Rehearsal, ann: Api, sha: str) -> None:
    for name in ("a", "b", "a"):
        bot(hub)("POST", "/{repo}/check-runs", {"name": name, "head_sha": sha})
    path = f"/{{repo}}/commits/{sha}/check-runs"
    assert sorted(one["name"] for one in ann.get(path)["check_runs"]) == ["a", "b"]
    assert ann.get(path, filter="all")["total_count"] == 3
    assert ann.get(path, check_name="b")["total_count"] == 1


def annotation(number: int, **changed: object) -> dict[str, object]:
    return {
        "path": "params.yaml",
        "start_line": number,
        "end_line": number,
        "annotation_level": "warning",
        "title": "T",
        "message": f"M {number}",
        **changed,
    }


def test_annotations_are_added_by_each_update(hub: Rehearsal, ann: Api, sha: str) -> None:
    def output(*numbers: int) -> dict[str, object]:
        notes = [annotation(number) for number in numbers]
        return {"output": {"title": "T", "summary": "S", "annotations": notes}}

    body = {"name": "notes", "head_sha": sha, **output(1, 2)}
    made = bot(hub)("POST", "/{repo}/check-runs", body).json()
    path = f"/{{repo}}/check-runs/{made['id']}"
    assert bot(hub)("PATCH", path, output(3)).json()["output"]["annotations_count"] == 3
    assert bot(hub)("PATCH", path, {"conclusion": "success"}).status_code == 200
    found = ann.get(f"{path}/annotations")
    assert [one["start_line"] for one in found] == [1, 2, 3]
    assert ann.get(f"{path}/annotations", per_page="2", page="2") == found[2:]


@pytest.mark.parametrize(
    "notes",
    [
        [annotation(1)] * 51,
        [annotation(0)],
        [annotation(1, annotation_level="error")],
        [annotation(1, message="")],
        [annotation(1, message="ä" * 32_769)],
        [annotation(1, title="t" * 256)],
        [annotation(1, path=None)],
        ["text"],
    ],
    ids=lambda notes: str(notes[0])[-60:],
)
def test_annotations_that_are_refused(hub: Rehearsal, sha: str, notes: list[object]) -> None:
    output = {"title": "T", "summary": "S", "annotations": notes}
    body = {"name": "bad", "head_sha": sha, "output": output}
    assert bot(hub)("POST", "/{repo}/check-runs", body).status_code == 422


def deploy(api: Api, sha: str, **more: object) -> int:
    body = {"ref": sha, "auto_merge": False, "required_contexts": []} | more
    answer = api("POST", "/{repo}/deployments", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_a_deployment_and_its_statuses(hub: Rehearsal, ann: Api, sha: str) -> None:
    number = deploy(ann, sha, payload={"entry": 3}, description="d")
    path = f"/{{repo}}/deployments/{number}"
    for state in ("in_progress", "success"):
        assert ann("POST", f"{path}/statuses", {"state": state}).status_code == 201
    assert ann("POST", f"{path}/statuses", {"state": "live"}).status_code == 422
    assert [one["state"] for one in ann.get(f"{path}/statuses")] == ["success", "in_progress"]
    shown = ann.get(path)
    assert (shown["payload"], shown["environment"], shown["production_environment"]) == (
        {"entry": 3},
        "production",
        True,
    )
    assert [one["name"] for one in ann.get("/{repo}/environments")["environments"]] == [
        "production"
    ]


def test_deployments_are_found_by_commit_and_environment(ann: Api, sha: str) -> None:
    one, two = deploy(ann, sha), deploy(ann, sha, environment="staging")

    def found(**query: str) -> list[int]:
        return [each["id"] for each in ann.get("/{repo}/deployments", **query)]

    assert found() == [two, one]
    assert (found(environment="production"), found(sha="0" * 40)) == ([one], [])


def test_a_success_ends_the_earlier_ones_but_not_of_production(ann: Api, sha: str) -> None:
    for environment, ended in (("staging", "inactive"), ("production", "success")):
        first, second = (deploy(ann, sha, environment=environment) for _ in range(2))
        for number in (first, second):
            path = f"/{{repo}}/deployments/{number}/statuses"
            assert ann("POST", path, {"state": "success"}).status_code == 201
        assert ann.get(f"/{{repo}}/deployments/{first}/statuses")[0]["state"] == ended
        assert ann.get(f"/{{repo}}/deployments/{second}/statuses")[0]["state"] == "success"


def test_a_deployment_asks_for_green_statuses_unless_told_not_to(ann: Api, sha: str) -> None:
    set_status(ann, sha, "pending")
    answer = ann("POST", "/{repo}/deployments", {"ref": sha})
    assert (answer.status_code, "status checks failed" in answer.text) == (409, True)
    missing = ann("POST", "/{repo}/deployments", {"ref": sha, "required_contexts": ["tests"]})
    assert missing.status_code == 409
    deploy(ann, sha)
    set_status(ann, sha, "success")
    assert ann("POST", "/{repo}/deployments", {"ref": sha}).status_code == 201


def test_a_deployment_of_a_branch_merges_main_into_it(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    old = clone.topic("topic")
    clone.branch("other")
    main = clone.commit("other.txt", "o\n", push="main")
    answer = ann("POST", "/{repo}/deployments", {"ref": "topic"})
    assert (answer.status_code, "Auto-merged main" in answer.text) == (202, True)
    assert hub.repo.git.commit(hub.repo.git.tip("topic") or "").parents == (old, main)
    assert ann.get("/{repo}/deployments") == []


def test_an_environment(hub: Rehearsal, ann: Api) -> None:
    hub.add_environment("prod/eu", [{"id": 1, "node_id": "x", "type": "branch_policy"}])
    shown = ann.get("/{repo}/environments/prod%2Feu")
    assert (shown["name"], shown["protection_rules"][0]["type"]) == ("prod/eu", "branch_policy")
    assert ann("GET", "/{repo}/environments/none").status_code == 404


def test_rules_of_a_branch(hub: Rehearsal, ann: Api) -> None:
    number = hub.add_ruleset(
        "ledger", [{"type": "non_fast_forward"}], include=["refs/heads/mergeline/*"]
    )
    hub.add_ruleset("main", [{"type": "deletion"}])
    hub.add_ruleset("off", [{"type": "creation"}], include=["~ALL"], enforcement="disabled")

    def types(branch: str) -> list[str]:
        return [one["type"] for one in ann.get(f"/{{repo}}/rules/branches/{branch}")]

    assert types("mergeline/ledger") == ["non_fast_forward"]
    assert (types("main"), types("topic")) == (["deletion"], [])
    assert [one["name"] for one in ann.get("/{repo}/rulesets")] == ["ledger", "main", "off"]
    whole = ann.get(f"/{{repo}}/rulesets/{number}")
    assert whole["conditions"]["ref_name"]["include"] == ["refs/heads/mergeline/*"]
    assert "bypass_actors" not in whole, "she may write, but not change the rules"
    owner = Api(hub.api_url, hub.token("acme"), hub.name)
    assert owner.get(f"/{{repo}}/rulesets/{number}")["bypass_actors"] == []
