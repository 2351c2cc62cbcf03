"""The check run at the stand-in: one for a run, added to, replaced where it is not true now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.core.remarks import CheckText, Remark
from mergeline.errors import GitHubError
from mergeline.rehearsal import Rehearsal
from mergeline.review.check_run import NAME, places_in, post_check_run
from report import plans
from review.lines import PATIENCE, commit_files, git


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("checks")) as rehearsal:
        commit_files(Path(rehearsal.remote), "main", {"a.txt": "1"})
        yield rehearsal


@pytest.fixture
def sha(world: Rehearsal, request: pytest.FixtureRequest) -> Iterator[str]:
    branch = "".join(each if each.isalnum() else "-" for each in request.node.name)
    yield commit_files(Path(world.remote), branch, {"a.txt": branch}, onto="main")
    world.world.faults.clear()


@pytest.fixture
def bot(world: Rehearsal) -> GitHub:
    return as_user(world, ACTIONS_USER)


def as_user(world: Rehearsal, login: str, **scopes: str) -> GitHub:
    token = world.token(login, "write", scopes or None)
    where = {"GITHUB_API_URL": world.api_url, "GITHUB_REPOSITORY": world.name}
    return connect(where | {"GITHUB_TOKEN": token}, PATIENCE)


def said(count: int, title: str = "T", start: int = 1) -> CheckText:
    remarks = tuple(
        Remark(path="params.yaml", line=line, level="warning", title=f"t{line}", message="m\nn")
        for line in range(start, start + count)
    )
    return CheckText(conclusion="neutral", title=title, summary="S", remarks=remarks)


def shown(world: Rehearsal, sha: str) -> list[tuple[str, str, list[int]]]:
    """Title, conclusion and remarked lines of each check run of a commit, the oldest first."""
    return [
        (
            run.output["title"],
            str(run.conclusion),
            [one["start_line"] for one in run.output["annotations"]],
        )
        for run in world.repo.check_runs.values()
        if run.sha == sha and run.name == NAME
    ]


@pytest.mark.parametrize("count", [0, 1, 50, 51, 130])
def test_as_many_requests_as_it_takes(world: Rehearsal, sha: str, bot: GitHub, count: int) -> None:
    post_check_run(bot, sha, 7, said(count))
    assert shown(world, sha) == [("T", "neutral", list(range(1, count + 1)))]


def test_no_more_than_two_hundred(world: Rehearsal, sha: str, bot: GitHub) -> None:
    post_check_run(bot, sha, 7, said(900))
    ((_, _, lines),) = shown(world, sha)
    assert lines == list(range(1, 201))


def test_again_for_the_same_run_updates_it(world: Rehearsal, sha: str, bot: GitHub) -> None:
    post_check_run(bot, sha, 7, said(3))
    post_check_run(bot, sha, 7, said(3, title="other words"))
    post_check_run(bot, sha, 7, said(120, title="more"))
    assert shown(world, sha) == [("more", "neutral", list(range(1, 121)))]


def test_another_run_has_its_own(world: Rehearsal, sha: str, bot: GitHub) -> None:
    post_check_run(bot, sha, 7, said(1))
    post_check_run(bot, sha, 8, said(1, title="later"))
    assert [title for title, _, _ in shown(world, sha)] == ["T", "later"]


def test_remarks_that_are_not_true_any_more_are_not_kept(
    world: Rehearsal, sha: str, bot: GitHub
) -> None:
    post_check_run(bot, sha, 7, said(3))
    post_check_run(bot, sha, 7, said(1, title="mended", start=2))
    assert shown(world, sha)[-1] == ("mended", "neutral", [2])
    post_check_run(bot, sha, 7, said(1, title="the same again", start=2))
    assert len(shown(world, sha)) == 2


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("verb", ["POST", "PATCH"])
def test_an_answer_that_was_lost(
    world: Rehearsal, sha: str, bot: GitHub, verb: str, fault: str
) -> None:
    world.fault(verb, "*/check-runs*", "close", after=fault == "after")
    post_check_run(bot, sha, 7, said(130))
    assert shown(world, sha) == [("T", "neutral", list(range(1, 131)))]


def test_a_token_that_may_not(world: Rehearsal, sha: str) -> None:
    with pytest.raises(GitHubError) as caught:
        post_check_run(as_user(world, ACTIONS_USER, statuses="write"), sha, 7, said(1))
    assert "`checks: write`" in caught.value.hint
    assert shown(world, sha) == []


# --- lines -----------------------------------------------------------------------------

SETTINGS = """project: credit-default
data:
  source: data/applications.csv
  target: default
  positive: 1
  noun: defaulter
  sensitive: [sex]
  contract: ./data//contract.yaml
model: {estimator: sklearn.linear_model.LogisticRegression}
gates:
  auc-floor: {metric: roc_auc, at_least: 0.75}

  "equal-odds":
    {fairness: equalized_odds_difference, by: sex, at_most: 0.1}
"""


def test_the_lines_of_gates_and_contract(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", ".")
    files = {"params.yaml": SETTINGS, "data/contract.yaml": "a: 1\nb: 2\nc: 3\n"}
    base = commit_files(tmp_path, "main", files)
    head = commit_files(tmp_path, "change", {"data/contract.yaml": "a: 1\nb: 9\n"}, onto="main")

    def places(base: str | None, head: str) -> object:
        plan = plans.unfair()
        candidate = plan.candidate.model_copy(update={"commit": head, "base": base})
        found = places_in(Git(tmp_path), plan.model_copy(update={"candidate": candidate}))
        lines = {found.gates[name] for name in plans.GATES if name not in SETTINGS}
        return found.gates["auc-floor"], found.gates["equal-odds"], lines, found.contract

    assert places(base, head) == (11, 13, {10}, "data/contract.yaml")
    assert places(base, base)[-1] is None
    assert places(None, head)[-1] is None


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [("a\nb\n", "a\nc\n", 2), ("a\n", "a\nb\n", 2), ("a\nb\nc\n", "a\n", 1), ("a\n", "", 1)],
)
def test_the_first_line_that_differs(tmp_path: Path, before: str, after: str, line: int) -> None:
    git(tmp_path, "init", "--quiet", "--bare", ".")
    contract = "data/contract.yaml"
    base = commit_files(tmp_path, "main", {"params.yaml": SETTINGS, contract: before})
    head = commit_files(tmp_path, "change", {contract: after}, onto="main")
    plan = plans.unfair()
    candidate = plan.candidate.model_copy(update={"commit": head, "base": base})
    found = places_in(Git(tmp_path), plan.model_copy(update={"candidate": candidate}))
    assert (found.contract, found.contract_line) == (contract, line)
