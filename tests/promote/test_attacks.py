"""Ways past the people who approve, for somebody who may push and merge and was not approved."""

from collections.abc import Callable

import pytest

from mergeline.adapters.registry import Registry
from mergeline.config.settings import Settings
from mergeline.core.answers import Name
from promote.scenario import Scenario, git, live, params, refused, silent

NOBODY = "promotion: {approvals: 0}\n"
BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}


def accepting(commit: str, approvals: int = 1) -> dict[str, str]:
    """Settings of a better model that accept a commit by name."""
    accept = f"{{commit: {commit}, reason: it is fine, owner: mallory}}"
    promotion = f"promotion: {{approvals: {approvals}, accept: [{accept}]}}\n"
    return {"params.yaml": params(c=0.5, promotion=promotion)}


def unapproved(scenario: Scenario, files: dict[str, str]) -> str:
    """Merge a pull request that is checked and commented, and that nobody approved."""
    number = scenario.open(files)
    scenario.check(number)
    return scenario.world.merge(number)


# --- a policy that nobody approved -----------------------------------------------------


@pytest.mark.parametrize("way", ["push", "merge"])
def test_it_cannot_ask_for_fewer_approvals(scenario: Scenario, way: str) -> None:
    loosened = {"params.yaml": params(promotion=NOBODY)}
    came = scenario.push_to_main if way == "push" else lambda files: unapproved(scenario, files)
    unapproved(scenario, accepting(came(loosened), approvals=0))
    assert "0 of the 1" in refused(scenario, Name.NOT_APPROVED).reason


def test_nor_after_settings_that_nobody_can_read(scenario: Scenario) -> None:
    broken = scenario.push_to_main({"params.yaml": "gates: ["})
    number = scenario.open(accepting(broken, approvals=0))
    scenario.world.merge(number)
    unapproved(scenario, DOCS)
    assert f"of #{number} was never commented" in refused(scenario, Name.NO_EVIDENCE).reason


# --- a merge made by hand --------------------------------------------------------------


def merged_by_hand(scenario: Scenario, number: int, files: dict[str, str]) -> str:
    """Merge a pull request with files that it does not have, and push that to main."""
    base, head = scenario.main, scenario.world.pull(number).head_sha
    tree = git(scenario.remote, "merge-tree", "--write-tree", base, head)
    index = {"GIT_INDEX_FILE": str(scenario.folder / "index-by-hand")}
    git(scenario.remote, "read-tree", tree, env=index)
    for name, text in files.items():
        blob = git(scenario.remote, "hash-object", "-w", "--stdin", given=text)
        entry = f"100644,{blob},{name}"
        git(scenario.remote, "update-index", "--add", "--cacheinfo", entry, env=index)
    tree = git(scenario.remote, "write-tree", env=index)
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{key}": "mallory" for role in roles for key in ("NAME", "EMAIL")}
    parents = ("-p", base, "-p", head)
    made = git(scenario.remote, "commit-tree", tree, *parents, "-m", "Merge", env=who)
    git(scenario.remote, "update-ref", "refs/heads/main", made)
    assert scenario.world.pull(number).merge_commit == made
    return made


def test_it_cannot_bring_what_the_pull_request_has_not(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    elsewhere = "registry: {uri: 'https://mallory.example'}\n"
    made = merged_by_hand(scenario, number, {"params.yaml": params(c=0.5, more=elsewhere)})
    assert made[:12] in refused(scenario, Name.DIRECT_PUSH).reason


def test_nor_accept_a_direct_push(scenario: Scenario) -> None:
    pushed = scenario.push_to_main({"evil.txt": "x\n"})
    merged_by_hand(scenario, scenario.ready(BETTER), accepting(pushed))
    refused(scenario, Name.DIRECT_PUSH)


def test_one_that_brings_nothing_else_is_the_pull_request(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.merged(DOCS)
    merged_by_hand(scenario, number, {})
    assert scenario.promote().name is Name.LIVE


# --- a registry that nobody approved ---------------------------------------------------


def opened(scenario: Scenario) -> tuple[list[str], Callable[[Settings], Registry]]:
    """Return what opens the registry, and the addresses that it is asked for."""
    asked: list[str] = []

    def opener(settings: Settings) -> Registry:
        asked.append(settings.registry.uri)
        return scenario.registry

    return asked, opener


ELSEWHERE = "registry: {uri: 'https://mallory.example'}\n"


def test_a_rollback_does_not_go_there(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    scenario.push_to_main({"params.yaml": params(c=0.5, more=ELSEWHERE)})
    asked, opener = opened(scenario)
    assert scenario.rollback(open_registry=opener).name is Name.LIVE
    assert asked
    assert set(asked) == {"sqlite:///.mergeline/registry.db"}


def test_nor_does_what_settles_an_earlier_release(scenario: Scenario) -> None:
    short = params(c=0.5).replace("confirm_seconds: 20", "confirm_seconds: 0.1")
    scenario.merged({"params.yaml": short})
    assert scenario.promote(silent).name is Name.UNCONFIRMED
    live(scenario)
    scenario.push_to_main({"params.yaml": params(c=0.5, more=ELSEWHERE)})
    used: list[str] = []

    def opener(settings: Settings) -> Registry:
        # The registry of main's tip is opened, and not asked anything.
        if "mallory" in settings.registry.uri:
            return Registry(settings.registry.uri, scenario.folder, "leavers")
        used.append(settings.registry.uri)
        return scenario.registry

    assert scenario.promote(open_registry=opener).name is Name.DIRECT_PUSH
    assert set(used) == {"sqlite:///.mergeline/registry.db"}
    assert not [line for line in scenario.said if "aliases" in line]
    assert scenario.registry.aliases() == {"champion": "2", "previous": "1"}
