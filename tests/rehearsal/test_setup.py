"""What administrators set, and who may see it."""

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone

HIDDEN = (
    *("actions/permissions", "actions/permissions/workflow", "actions/secrets"),
    *("actions/permissions/artifact-and-log-retention", "actions/variables"),
    *("actions/permissions/fork-pr-contributor-approval", "environments/production/secrets"),
)


@pytest.fixture
def owner(hub: Rehearsal) -> Api:
    hub.add_environment("production", secrets=["MERGELINE_TOKEN"])
    return Api(hub.api_url, hub.token("acme"), hub.name)


@pytest.mark.parametrize("path", HIDDEN)
def test_administrators_only(hub: Rehearsal, owner: Api, ann: Api, path: str) -> None:
    assert owner("GET", f"/{{repo}}/{path}").status_code == 200
    refused = ann("GET", f"/{{repo}}/{path}")
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Must have admin rights to Repository.",
    )


def test_a_token_sees_what_its_scopes_name(hub: Rehearsal) -> None:
    scopes = {"secrets": "read"}
    some = Api(hub.api_url, hub.token("acme", scopes=scopes), hub.name)
    assert some("GET", "/{repo}/actions/secrets").status_code == 200
    assert some("GET", "/{repo}/actions/permissions").status_code == 403
    assert some("POST", "/{repo}/rulesets", {}).status_code == 403


def test_names_and_never_values(hub: Rehearsal, owner: Api) -> None:
    hub.repo.setup.names.secrets += ["KEY"]
    assert [one["name"] for one in owner.get("/{repo}/actions/secrets")["secrets"]] == ["KEY"]
    found = owner.get("/{repo}/environments/production/secrets")["secrets"]
    assert [(one["name"], "value" in one) for one in found] == [("MERGELINE_TOKEN", False)]


def test_classic_protection_is_hidden_as_if_there_were_none(
    hub: Rehearsal, clone: Clone, owner: Api, ann: Api
) -> None:
    path = "/{repo}/branches/main/protection"
    assert owner("GET", path).json()["message"] == "Branch not protected"
    hub.repo.setup.protections["main"] = {"allow_deletions": {"enabled": False}}
    assert owner("GET", path).status_code == 200
    assert ann("GET", path).json()["message"] == "Not Found"
    assert ann.get("/{repo}/branches/main")["protected"] is True


def test_a_ruleset_made_through_the_api_holds(hub: Rehearsal, owner: Api, ann: Api) -> None:
    body = {
        "name": "ledger",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/mergeline/ledger"], "exclude": []}},
        "rules": [{"type": "update"}],
        "bypass_actors": [{"actor_id": None, "actor_type": "DeployKey", "bypass_mode": "always"}],
    }
    assert ann("POST", "/{repo}/rulesets", body).status_code == 403
    made = owner("POST", "/{repo}/rulesets", body)
    assert made.status_code == 201
    (rule,) = ann.get("/{repo}/rules/branches/mergeline/ledger")
    assert (rule["type"], rule["ruleset_id"]) == ("update", made.json()["id"])


def test_a_plan_without_rules(hub: Rehearsal, owner: Api) -> None:
    hub.repo.setup.has_rules = False
    refused = owner("GET", "/{repo}/rules/branches/main")
    assert (refused.status_code, "Upgrade" in refused.json()["message"]) == (403, True)


def test_scopes_of_a_classic_token(hub: Rehearsal, ann: Api) -> None:
    classic = Api(hub.api_url, hub.token("bob", classic=("repo", "workflow")), hub.name)
    assert classic("GET", "/{repo}").headers["X-OAuth-Scopes"] == "repo, workflow"
    assert "X-OAuth-Scopes" not in ann("GET", "/{repo}").headers
