"""The commands' bodies are what GitHub's own description of its API takes."""

import json
from typing import Any

import jsonschema
import pytest

from mergeline.project.doctor.rulesets import (
    closed_ruleset,
    command,
    follower_block,
    ledger_block,
    main_ruleset,
)
from rehearsal.openapi import Description, find_description, with_null

ACTOR = {"actor_id": 7, "actor_type": "User", "bypass_mode": "always"}
KEY = {"actor_id": None, "actor_type": "DeployKey", "bypass_mode": "always"}
BODIES = {
    "alone": main_ruleset(0, owners=True),
    "team": main_ruleset(2, owners=True),
    "ledger": closed_ruleset("ledger", ["mergeline/ledger"], ACTOR),
    "followers": closed_ruleset("followers", ["mergeline/follower/*"], KEY),
}


@pytest.fixture(scope="module")
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    described = Description.read(find_description(request.config.cache.mkdir("openapi")))
    operation = described.operation("POST", "/repos/{owner}/{repo}/rulesets")
    assert operation is not None
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    return with_null(body) | {"components": {"schemas": described.schemas}}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(schema: dict[str, Any], name: str) -> None:
    jsonschema.Draft202012Validator(schema).validate(BODIES[name])


def test_the_schema_can_say_no(schema: dict[str, Any]) -> None:
    wrong = BODIES["alone"] | {"rules": [{"type": "pull_request", "parameters": {}}]}
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)


def test_what_is_asked_for_goes_by_the_approvals() -> None:
    def pull(approvals: int, *, owners: bool) -> dict[str, Any]:
        rules = main_ruleset(approvals, owners=owners)["rules"]
        return next(one["parameters"] for one in rules if one["type"] == "pull_request")

    alone, team = pull(0, owners=True), pull(2, owners=False)
    assert alone["required_approving_review_count"] == 0
    assert not any(value for value in alone.values())
    assert (team["required_approving_review_count"], team["require_last_push_approval"]) == (
        2,
        True,
    )
    assert team["require_code_owner_review"] is False, "there is no file of them"
    assert pull(1, owners=True)["require_code_owner_review"] is True


def test_a_block_can_be_copied() -> None:
    lines = command("acme/credit", "github.com", BODIES["team"]).splitlines()
    assert lines[0] == "gh api --method POST repos/acme/credit/rulesets --input - <<'JSON'"
    assert lines[-1] == "JSON"
    assert json.loads("\n".join(lines[1:-1])) == BODIES["team"]


def test_another_host() -> None:
    assert "gh api --hostname git.example.org --method POST" in follower_block(
        "a/b", "git.example.org"
    )


def test_the_account_of_the_line_is_filled_in_by_the_shell() -> None:
    """Its here-document is not quoted, and holds no other dollar."""
    block = ledger_block("acme/credit", "github.com", "mergeline/ledger")
    first, *lines = block.splitlines()
    assert first == "LINE=$(gh api users/ACCOUNT --jq .id)"
    assert lines[0].endswith("<<JSON")
    assert "\n".join(lines).count("$") == 1
    body = json.loads("\n".join(lines[1:-1]).replace("$LINE", "7"))
    assert body["bypass_actors"] == [ACTOR]
