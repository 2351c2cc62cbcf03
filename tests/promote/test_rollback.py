"""Rollback: an earlier release answers again, nothing is trained, and main is brought along."""

import pytest

from mergeline.adapters.registry import Registry
from mergeline.core.answers import Name
from mergeline.errors import UsageError
from mergeline.inputs.digest import inputs_digest
from mergeline.inputs.settings import require_settings_at
from mergeline.ledger.entries import Promoted, RolledBack
from mergeline.promote.attribute import merge_at
from mergeline.promote.line import Line
from mergeline.promote.revert import branch_of, open_revert, revert_commands
from mergeline.promote.rollback import rollback
from mergeline.rehearsal.faults import Fault
from promote.scenario import (
    AUTHOR,
    PRODUCTION,
    Scenario,
    first_files,
    git,
    live,
    params,
    rejecting,
    silent,
)

BETTER = {"params.yaml": params(c=0.5)}
BEST = {"params.yaml": params(c=0.25)}
DOCS = {"README.md": "# More\n"}


@pytest.fixture
def two(scenario: Scenario) -> Scenario:
    """A line with a second model live."""
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.LIVE
    return scenario


def desired(scenario: Scenario) -> str:
    found = scenario.history.desired(PRODUCTION)
    assert found is not None
    return found.release.version


def nothing_changes(scenario: Scenario, name: Name, **options: object) -> None:
    before = scenario.snapshot()
    assert scenario.rollback(**options).name is name  # type: ignore[arg-type]
    assert scenario.snapshot() == before


def test_the_release_before_answers_again(two: Scenario) -> None:
    versions, before = two.registry.versions(), two.history
    ended = two.rollback("too many leavers are missed")
    entry = two.last(RolledBack)
    assert (ended.name, ended.version, ended.entry) == (Name.LIVE, "1", entry.number)
    assert entry.release == before.declared(PRODUCTION)[0].release
    assert entry.bars == before.declared(PRODUCTION)[1].release.model
    assert (entry.replaces, entry.reason) == ("2", "too many leavers are missed")
    assert two.history.position(PRODUCTION) == before.position(PRODUCTION) == two.main
    assert two.registry.versions() == versions
    assert two.registry.aliases() == {"champion": "1"}


def test_a_version_may_be_named(two: Scenario) -> None:
    two.merged(BEST)
    two.promote()
    assert two.rollback(to="1").version == "1"
    # Somebody who names it may go to what was barred: it is no promotion.
    assert two.rollback("that was worse", to="3").version == "3"
    assert [entry.bars for entry in two.history.declared(PRODUCTION)[3:]] == [
        two.history.declared(PRODUCTION)[2].release.model,
        two.history.declared(PRODUCTION)[0].release.model,
    ]


def test_further_back_it_passes_over_what_was_barred(two: Scenario) -> None:
    two.merged(BEST)
    two.promote()
    assert two.rollback("the third").version == "2"
    assert two.rollback("the second too").version == "1"
    with pytest.raises(UsageError, match="was live before this one is not barred"):
        two.rollback("and the first")


def test_what_is_live_already_is_not_declared_again(two: Scenario) -> None:
    nothing_changes(two, Name.ALREADY_LIVE, to="2")


@pytest.mark.parametrize("version", ["3", "1 ", "x", "-1"])
def test_a_version_that_was_never_live(two: Scenario, version: str) -> None:
    with pytest.raises(UsageError, match="was never live") as caught:
        two.rollback(to=version)
    assert "1, 2" in caught.value.hint


def test_one_that_was_rejected_was_never_live(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote(rejecting)
    with pytest.raises(UsageError, match="was never live"):
        scenario.rollback(to="2")


def test_where_nothing_is_declared(empty: Scenario) -> None:
    empty.merged(first_files())
    with pytest.raises(UsageError, match="nothing is declared for production"):
        empty.rollback()


def test_an_unconfirmed_release_is_rolled_back_to_what_is_live(scenario: Scenario) -> None:
    short = params(c=0.5).replace("confirm_seconds: 20", "confirm_seconds: 0.1")
    scenario.merged({"params.yaml": short})
    scenario.promote(silent)
    ended = scenario.rollback()
    assert (ended.name, ended.version) == (Name.LIVE, "1")
    assert scenario.last(RolledBack).replaces == "2"


def test_a_follower_that_refuses_keeps_what_it_has(two: Scenario) -> None:
    assert two.rollback(follow=rejecting).name is Name.REJECTED
    assert desired(two) == "2"
    assert not two.history.barred(PRODUCTION) & {two.last(Promoted).release.model}


def test_the_same_wish_again_finishes_what_was_begun(two: Scenario) -> None:
    short = BEST["params.yaml"].replace("confirm_seconds: 20", "confirm_seconds: 0.1")
    two.merged({"params.yaml": short})
    two.promote()
    assert two.rollback("why", silent).name is Name.UNCONFIRMED
    live(two)
    assert two.rollback("why", silent).name is Name.LIVE
    assert two.rollback("why", silent).name is Name.LIVE
    assert desired(two) == "2"
    assert len(two.history.declared(PRODUCTION)) == 4


def test_what_is_declared_in_between_is_not_overrun(two: Scenario) -> None:
    before = two.history.declared(PRODUCTION)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("verify:"):
            two.merged(BEST)
            assert two.promote().name is Name.LIVE

    two.fetch()
    found = rollback(two.rollback_job("why"), say)
    assert found.name is Name.UNDECIDED
    assert len(two.history.declared(PRODUCTION)) == len(before) + 1
    assert desired(two) == "3"


# --- bytes -----------------------------------------------------------------------------


def stored(scenario: Scenario, version: str, name: str):
    """The path of a file that the registry keeps."""
    found = scenario.registry.version(version)
    assert found is not None
    (path,) = (scenario.folder / "registry").rglob(f"{found.digest}/{name}")
    return path


@pytest.mark.parametrize("name", ["model/model.skops", "probes.json", "evidence/train.json"])
def test_bytes_that_changed_in_the_registry(two: Scenario, name: str) -> None:
    path = stored(two, "1", name)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    nothing_changes(two, Name.BYTES_MISMATCH)


def test_a_version_that_is_gone(two: Scenario) -> None:
    two.registry.delete("1")
    nothing_changes(two, Name.REGISTRY_MISMATCH)


def test_a_registry_that_is_away(two: Scenario) -> None:
    away = Registry("http://127.0.0.1:9", two.folder, "leavers")
    nothing_changes(two, Name.REGISTRY_UNAVAILABLE, open_registry=lambda _: away)


# --- without what a good day has -------------------------------------------------------


def test_without_github_it_stands(two: Scenario) -> None:
    ended = two.rollback(github=None)
    assert ended.name is Name.LIVE
    assert ended.revert is None
    assert "GitHub cannot be asked" in ended.left
    assert any(line.startswith("git revert") for line in ended.commands)


def test_with_github_down_too(two: Scenario) -> None:
    two.world.world.faults.add(Fault("*", "*", times=999, status=500))
    ended = two.rollback()
    assert ended.name is Name.LIVE
    assert ended.revert is None
    assert ended.commands


def test_with_settings_that_are_broken_on_main(two: Scenario) -> None:
    two.push_to_main({"params.yaml": "project: [\n"})
    assert two.rollback().name is Name.LIVE


# --- the pull request that reverts -----------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_it_opens_the_pull_request_that_takes_the_merge_back(
    scenario: Scenario, method: str
) -> None:
    first = inputs_digest(scenario.git, scenario.main)
    files = {"params.yaml": params(c=0.75)}
    number = scenario.ready(files, BETTER, DOCS, author=AUTHOR)
    scenario.world.merge(number, method)
    scenario.promote()
    scenario.merged({"NOTES.md": "x\n"})
    ended = scenario.rollback("because")
    assert ended.revert is not None
    pull = scenario.world.pull(ended.revert)
    assert pull.head_ref == branch_of(scenario.last(Promoted))
    assert pull.base_ref == "main"
    assert f"#{number}" in pull.title
    assert "    because" in (pull.body or "")
    scenario.fetch()
    assert inputs_digest(scenario.git, pull.head_sha) == first
    changed = git(scenario.remote, "diff", "--name-only", "main", pull.head_sha)
    assert changed.split() == ["README.md", "params.yaml"]
    # Checked, approved and merged, main agrees with what is live. Its commit is of no account at
    # GitHub, so that one approval more is needed.
    scenario.check(ended.revert)
    scenario.world.approve(ended.revert, "bob")
    scenario.world.approve(ended.revert, "eve")
    scenario.world.merge(ended.revert)
    assert scenario.promote().name is Name.ALREADY_LIVE


def test_done_again_it_finds_what_was_done(two: Scenario) -> None:
    first = two.rollback("because")
    assert two.rollback("because").revert == first.revert is not None


def test_a_pull_request_whose_answer_was_lost_is_found(two: Scenario) -> None:
    two.world.world.faults.add(Fault("POST", "*/pulls", "close", after=True))
    assert two.rollback().revert == max(two.world.repo.pulls)


def test_a_conflict_is_left_to_people(two: Scenario) -> None:
    two.merged(BEST)
    two.promote(rejecting)
    ended = two.rollback()
    assert ended.name is Name.LIVE
    assert ended.revert is None
    assert "stands in its way" in ended.left
    assert not two.world.repo.pulls.get(12)


def test_what_main_does_not_hold_any_more_needs_none(two: Scenario) -> None:
    two.merged({"params.yaml": params()})
    two.promote(rejecting)
    ended = two.rollback()
    assert (ended.revert, ended.commands) == (None, ())
    assert "does not hold it any more" in ended.left


def test_what_would_not_be_checked_is_not_opened(two: Scenario) -> None:
    pulls = dict(two.world.repo.pulls)
    ended = two.rollback(may_open=False)
    assert ended.name is Name.LIVE
    assert two.world.repo.pulls == pulls
    branch = branch_of(two.last(Promoted))
    assert ended.commands == (
        "git fetch origin main",
        f"git switch --create {branch} FETCH_HEAD",
        f"git revert --no-edit -m 1 {two.last(Promoted).position}",
        f"git push origin {branch}",
        f"gh pr create --base main --head {branch} --fill",
    )


def test_the_commands_do_what_they_say(scenario: Scenario) -> None:
    """Typed in a clone, after a rebase of two commits."""
    number = scenario.ready({"params.yaml": params(c=0.75)}, BETTER)
    scenario.world.merge(number, "rebase")
    scenario.promote()
    scenario.rollback(may_open=False)
    line = line_of(scenario)
    merge = merge_at(line, scenario.github, scenario.main)
    *commands, open_pull = revert_commands(line, scenario.last(Promoted), merge)
    for key in ("user.name", "user.email"):
        git(scenario.clone, "config", key, "x@example.org")
    for command in commands:
        git(scenario.clone, *command.split()[1:])
    tip = scenario.tip(branch_of(scenario.last(Promoted)))
    assert b"C: 1.0" in (scenario.git.read(tip, "params.yaml") or b"")
    assert open_pull.startswith("gh pr create")


def line_of(scenario: Scenario) -> Line:
    return scenario.job().line("main", require_settings_at(scenario.git, scenario.main))


def test_a_remote_that_refuses_the_branch_leaves_it_to_people(two: Scenario) -> None:
    two.rollback(may_open=False)
    hook = two.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no; exit 1\n")
    hook.chmod(0o755)
    line, of = line_of(two), two.last(Promoted)
    found = open_revert(line, two.github, two.last(RolledBack), of)
    assert found.pull_request is None
    assert "does not let us" in found.why
    assert found.commands == revert_commands(line, of, None)
