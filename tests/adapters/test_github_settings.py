"""How a repository at GitHub is set up, read from the rehearsal's stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.adapters.github_client import Client, Patience
from mergeline.adapters.github_place import place_of
from mergeline.adapters.github_settings import RepositorySettings
from mergeline.errors import GitHubError
from mergeline.rehearsal import Rehearsal

PROMPT = Patience(seconds=2, tries=1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path / "hub") as rehearsal:
        rehearsal.add_user("ann", permission="write")
        yield rehearsal


def settings(hub: Rehearsal, token: str = "") -> RepositorySettings:
    environ = {
        "GITHUB_API_URL": hub.api_url,
        "GITHUB_REPOSITORY": hub.name,
        "GITHUB_TOKEN": token or hub.token("acme"),
    }
    return RepositorySettings(Client(place_of(environ), PROMPT))


def test_what_it_is_and_who_asks(hub: Rehearsal) -> None:
    facts, visit = settings(hub, hub.token("ann", classic=("repo", "gist"))).facts()
    assert (facts.name, facts.default_branch, facts.private) == ("acme/credit", "main", False)
    assert (facts.permissions["push"], facts.permissions["admin"]) == (True, False)
    assert visit.scopes == ("repo", "gist")
    assert settings(hub, hub.token("ann", classic=())).facts()[1].scopes == ()
    assert settings(hub).facts()[1].scopes is None


def test_rules_of_a_branch_that_is_not_there_yet(hub: Rehearsal) -> None:
    actor = {"actor_id": None, "actor_type": "DeployKey", "bypass_mode": "always"}
    parameters = {"update_allows_fetch_and_merge": False}
    number = hub.add_ruleset(
        "ledger",
        [{"type": "deletion"}, {"type": "update", "parameters": parameters}],
        include=["refs/heads/mergeline/ledger"],
        bypass=[actor],
    )
    found = settings(hub).rules("mergeline/ledger")
    assert [(one.type, one.ruleset) for one in found] == [("deletion", number), ("update", number)]
    assert (found[0].parameters, found[1].parameters) == ({}, parameters)
    (bypass,) = settings(hub).ruleset(number).bypass or ()
    assert (bypass.type, bypass.id, bypass.mode) == ("DeployKey", None, "always")
    assert settings(hub, hub.token("ann")).ruleset(number).bypass is None, "not shown is not none"


def test_no_protection_is_told_from_one_that_is_hidden(hub: Rehearsal) -> None:
    assert settings(hub).protection("main") is None
    with pytest.raises(GitHubError) as caught:
        settings(hub, hub.token("ann")).protection("main")
    assert caught.value.status == 404
    assert settings(hub).is_protected("main") is False, "nor has a branch that is not there"


def test_all_pages_of_names(hub: Rehearsal) -> None:
    hub.repo.setup.names.secrets += [f"KEY_{number}" for number in range(131)]
    hub.add_environment("eu/production", secrets=["TOKEN"])
    assert len(settings(hub).names("secrets")) == 131
    assert settings(hub).names("secrets", "eu/production") == {"TOKEN"}
    assert settings(hub).names("variables", "eu/production") == frozenset()
    assert settings(hub).environment("elsewhere") is None


def test_an_answer_that_is_not_of_the_api(hub: Rehearsal) -> None:
    hub.repo.default_branch = 7  # type: ignore[assignment]
    with pytest.raises(GitHubError, match="not a Facts of its API"):
        settings(hub).facts()
