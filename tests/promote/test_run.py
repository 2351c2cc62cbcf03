"""The promotion from merge to live: every way to merge, every way that it can end."""

from pathlib import Path

import pytest

from mergeline.core.answers import Name
from mergeline.core.verdict import Outcome
from mergeline.errors import LedgerInvalid
from mergeline.ledger.entries import Live, Promoted, Rejected, Reviewed, Settled
from mergeline.model.canonical import directory_digest
from mergeline.promote.register import EVIDENCE
from mergeline.rehearsal.faults import Fault
from promote.scenario import (
    AUTHOR,
    PRODUCTION,
    REVIEWER,
    Builds,
    Scenario,
    first_files,
    fresh,
    git,
    live,
    params,
    refused,
    rejecting,
    silent,
)

BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}
# Seconds to wait for a follower that is away.
SHORT = BETTER["params.yaml"].replace("confirm_seconds: 20", "confirm_seconds: 0.1")
AWAY = {"params.yaml": SHORT}


def test_a_merge_takes_the_reviewed_model_live(scenario: Scenario, tmp_path: Path) -> None:
    number = scenario.ready(BETTER)
    tip = scenario.world.merge(number)
    ended = scenario.promote()
    review, declared, answered = (scenario.last(kind) for kind in (Reviewed, Promoted, Live))
    assert (ended.name, ended.entry, ended.version) == (Name.LIVE, declared.number, "2")
    assert (ended.commit, ended.pull_request) == (tip, number)
    assert (declared.position, declared.release.commit) == (tip, tip)
    assert declared.release.tree == scenario.git.tree(tip)
    assert (declared.reviewed, declared.pull_request) == (review.number, number)
    assert (declared.author, declared.approvers) == (AUTHOR, (REVIEWER,))
    assert declared.outcome is Outcome.PASSED
    for name in ("key", "inputs", "model", "evidence"):
        assert getattr(declared.release, name) == getattr(review, name)
    assert (answered.of, answered.position) == (declared.number, tip)
    assert scenario.history.position(PRODUCTION) == tip
    found = scenario.registry.download("2", tmp_path / "version")
    assert directory_digest(found["model/MLmodel"].parent) == review.model
    assert scenario.registry.aliases() == {"champion": "2", "previous": "1"}


def test_merge_squash_and_rebase_give_the_same_model(
    first_line: Path, tmp_path: Path, builds: Builds
) -> None:
    models, tips = set(), set()
    for method in ("merge", "squash", "rebase"):
        for scenario in fresh(first_line, tmp_path / method, builds, 10):
            # Main has moved since the branch was made, and holds another tree.
            number = scenario.ready(BETTER, {"NOTES.md": "x\n"})
            scenario.merged(DOCS)
            tips.add(scenario.world.merge(number, method))
            assert scenario.promote().name is Name.LIVE
            release = scenario.last(Promoted).release
            models.add((release.model, release.inputs, release.key))
    assert (len(models), len(tips)) == (1, 3)


def test_the_first_model_of_all(empty: Scenario) -> None:
    empty.merged(first_files())
    assert empty.promote().name is Name.LIVE
    assert empty.registry.aliases() == {"champion": "1"}


def test_a_model_that_was_live_before_is_the_same_version(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    scenario.merged({"params.yaml": params()})
    assert scenario.promote().version == "1"
    assert [each.number for each in scenario.registry.versions()] == ["1", "2"]
    declared = scenario.last(Promoted)
    assert declared.release.commit == scenario.main
    assert scenario.registry.aliases() == {"champion": "1", "previous": "2"}


def test_a_version_that_stands_keeps_its_own_evidence(scenario: Scenario) -> None:
    """The same model measured again: E of the release is that of the registry's files."""

    def measured_again(root: Path, plan):
        from bundle.parts import with_content
        from promote.scenario import rechained

        return rechained(root, with_content(plan, "train", pinned={"THREADS": "7"}))

    scenario.merged(BETTER)
    scenario.promote(rejecting)
    first = scenario.last(Promoted)
    scenario.merged(DOCS, change=measured_again)
    assert scenario.promote().name is Name.LIVE
    second = scenario.last(Promoted)
    assert scenario.last(Reviewed).evidence != first.release.evidence
    assert second.release.evidence == first.release.evidence
    version = scenario.registry.version(second.release.version)
    assert version is not None
    assert version.tags[EVIDENCE] == second.release.evidence


# --- the follower ----------------------------------------------------------------------


def test_what_the_follower_does_not_take_is_rejected(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    before = scenario.history.desired(PRODUCTION)
    aliases = scenario.registry.aliases()
    ended = scenario.promote(rejecting)
    assert ended.name is Name.REJECTED
    assert "the probe rows\\u000ascore differently" in ended.reason
    history = scenario.history
    assert history.desired(PRODUCTION) == before
    assert isinstance(history.entries[-1], Rejected)
    assert history.position(PRODUCTION) != scenario.main
    assert scenario.registry.aliases() == aliases
    report = scenario.report()
    assert report is not None
    assert before is not None
    assert report.serving == before.number


def test_a_rejected_one_may_be_tried_again(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote(rejecting)
    assert scenario.promote(live).name is Name.LIVE
    assert scenario.last(Promoted).release.version == "2"
    assert len(scenario.registry.versions()) == 2


def test_a_rejected_merge_blocks_nothing(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote(rejecting)
    scenario.merged({"params.yaml": params(c=0.25)})
    ended = scenario.promote()
    assert ended.name is Name.LIVE
    assert scenario.history.position(PRODUCTION) == scenario.main


def test_a_follower_that_is_away_leaves_it_unconfirmed(scenario: Scenario) -> None:
    scenario.merged(AWAY)
    ended = scenario.promote(silent)
    assert (ended.name, ended.entry) == (Name.UNCONFIRMED, scenario.last(Promoted).number)
    assert scenario.history.outcome(scenario.last(Promoted)) is None
    assert scenario.registry.aliases()["champion"] == "1"


@pytest.mark.parametrize("state", ["live", "rejected"])
def test_run_again_it_is_what_the_follower_said_since(scenario: Scenario, state: str) -> None:
    scenario.merged(AWAY)
    scenario.promote(silent)
    {"live": live, "rejected": rejecting}[state](scenario)
    ended = scenario.promote(silent)
    assert ended.name is (Name.LIVE if state == "live" else Name.REJECTED)
    assert scenario.history.entries[-1].kind == state
    assert len(scenario.history.declared(PRODUCTION)) == 2


@pytest.mark.parametrize("state", ["live", "rejected"])
def test_the_next_promotion_settles_what_was_left_open(scenario: Scenario, state: str) -> None:
    scenario.merged(AWAY)
    scenario.promote(silent)
    {"live": live, "rejected": rejecting}[state](scenario)
    scenario.push_to_main(DOCS)
    assert scenario.promote(silent).name is Name.DIRECT_PUSH
    assert scenario.history.entries[-1].kind == state
    champion = "2" if state == "live" else "1"
    assert scenario.registry.aliases()["champion"] == champion


def test_the_same_release_is_not_declared_twice_while_it_is_open(scenario: Scenario) -> None:
    """A documentation merge after one that is unconfirmed waits for the same word."""
    scenario.merged(AWAY)
    scenario.promote(silent)
    declared = scenario.history.declared(PRODUCTION)
    scenario.merged({"README.md": "# More\n"})
    assert scenario.promote(silent).name is Name.UNCONFIRMED
    assert scenario.promote(live).name is Name.ALREADY_LIVE
    assert scenario.history.declared(PRODUCTION) == declared
    assert scenario.last(Settled).position == scenario.main
    assert scenario.history.position(PRODUCTION) == scenario.main


def test_a_declaration_that_was_overtaken_is_superseded(scenario: Scenario) -> None:
    """While one waits for its follower, the next merge is declared and taken."""

    def overtaken(first: Scenario) -> None:
        first.merged({"params.yaml": params(c=0.25)})
        second = Scenario(first.folder, first.world, first.builds, count=5000)
        assert second.promote(live).name is Name.LIVE

    scenario.merged(BETTER)
    old = scenario.main
    ended = scenario.promote(overtaken)
    assert (ended.name, ended.commit) == (Name.SUPERSEDED, old)
    desired = scenario.history.desired(PRODUCTION)
    assert desired is not None
    assert desired.position == scenario.main


def test_the_ledger_does_not_go_back(scenario: Scenario) -> None:
    """A promotion that was slow finds that a later merge was declared."""
    scenario.merged(BETTER)
    job = scenario.job()
    seen: list[str] = []

    def say(line: str) -> None:
        seen.append(line)
        if line.startswith("declare:"):
            scenario.merged({"params.yaml": params(c=0.25)})
            assert scenario.promote().name is Name.LIVE

    from mergeline.promote.run import promote

    ended = promote(job, say)
    assert ended.name is Name.SUPERSEDED
    assert scenario.history.position(PRODUCTION) == scenario.main
    assert not any(line.startswith("confirm:") for line in seen)


def test_a_report_of_something_else_confirms_nothing(scenario: Scenario) -> None:
    from mergeline.adapters.git_remote import Remote
    from mergeline.ledger.report import write_report

    def confused(line: Scenario) -> None:
        live(line)
        report = line.report()
        assert report is not None
        other = report.model_copy(update={"model": "7" * 64})
        write_report(Remote(line.git, "origin"), other)

    scenario.merged(AWAY)
    assert scenario.promote(confused).name is Name.UNCONFIRMED


def test_a_report_that_is_none_hinders_nothing(scenario: Scenario) -> None:
    from mergeline.adapters.git_remote import Remote
    from mergeline.ledger.report import branch_of

    def garbage(line: Scenario) -> None:
        remote = Remote(line.git, "origin")
        commit = remote.commit_files({"follower.json": b"{}"}, None, "x")
        assert remote.push(branch_of(PRODUCTION), commit, remote.tip(branch_of(PRODUCTION)))

    scenario.merged(AWAY)
    ended = scenario.promote(garbage)
    assert ended.name is Name.UNCONFIRMED
    assert "follower.json" in ended.reason
    assert scenario.promote(silent).name is Name.UNCONFIRMED
    assert any("stays open" in line for line in scenario.said)


# --- what fails ------------------------------------------------------------------------


def test_a_registry_that_is_away(scenario: Scenario) -> None:
    from mergeline.adapters.registry import Registry

    scenario.merged(BETTER)
    away = Registry("http://127.0.0.1:9", scenario.folder, "leavers")
    refused(scenario, Name.REGISTRY_UNAVAILABLE, open_registry=lambda _: away)
    assert scenario.promote().name is Name.LIVE


def test_a_registry_that_holds_something_else_under_the_key(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote(rejecting)
    version = scenario.registry.version("2")
    assert version is not None
    (stored,) = (scenario.folder / "registry").rglob(f"{version.digest}/probes.json")
    stored.write_bytes(stored.read_bytes() + b" ")
    refused(scenario, Name.REGISTRY_MISMATCH)


def test_aliases_that_cannot_be_set_do_not_undo_what_is_live(scenario: Scenario) -> None:
    scenario.merged(BETTER)

    def deleting(line: Scenario) -> None:
        live(line)
        line.registry.delete("2")

    ended = scenario.promote(deleting)
    assert ended.name is Name.LIVE
    assert any("aliases are not set" in line for line in scenario.said)


def test_github_that_fails_after_the_declaration_does_not_either(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.world.world.faults.add(Fault("*", "*/deployments*", times=99, status=500))
    assert scenario.promote().name is Name.LIVE
    assert any("GitHub does not show it yet" in line for line in scenario.said)
    scenario.world.world.faults.clear()
    scenario.promote()
    (deployment,) = scenario.world.repo.deployments.values()
    assert [status.state for status in deployment.statuses] == ["success"]


def test_a_ledger_that_cannot_be_believed_stops_everything(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    root = git(scenario.remote, "rev-list", "--max-parents=0", "mergeline/ledger")
    git(scenario.remote, "update-ref", "refs/heads/mergeline/ledger", root)
    with pytest.raises(LedgerInvalid, match="rewritten"):
        scenario.promote()


def test_each_environment_has_a_line_of_its_own(scenario: Scenario) -> None:
    """Nothing was ever delivered there: the merge itself is where the line begins."""
    scenario.merged(BETTER)
    from mergeline.adapters.git_remote import Remote
    from mergeline.ledger.report import FollowerReport, write_report

    def staging(line: Scenario) -> None:
        desired = line.history.desired("staging")
        assert desired is not None
        report = FollowerReport(
            project="leavers",
            environment="staging",
            entry=desired.number,
            version=desired.release.version,
            model=desired.release.model,
            state="live",
            since=desired.time,
            time=desired.time,
            serving=desired.number,
        )
        write_report(Remote(line.git, "origin"), report)

    ended = scenario.promote(staging, environment="staging")
    assert (ended.name, ended.environment) == (Name.LIVE, "staging")
    assert scenario.history.position(PRODUCTION) != scenario.main
    # The aliases speak of the environment that the settings name.
    assert scenario.registry.aliases() == {"champion": "1"}
    assert scenario.promote().version == "2"
