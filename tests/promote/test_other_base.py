"""Builds that may have run by the workflows of another branch than main."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bundle.parts import with_content
from mergeline.core import layout
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.ledger.entries import Promoted
from mergeline.promote.run import build_needed
from mergeline.review.run import Reviewing, review
from promote.scenario import (
    AUTHOR,
    REVIEWER,
    Change,
    Scenario,
    commit_files,
    params,
    rechained,
    refused,
)

BETTER = {"params.yaml": params(c=0.5)}
WORKFLOW = ".github/workflows/pull-request.yml"
BANNER = "other-base"


def side_branch(scenario: Scenario, name: str = "side") -> str:
    """A branch with workflows of its own, which anybody who may push can make."""
    commit_files(scenario.remote, name, {WORKFLOW: "on: push\n"}, scenario.main)
    return name


def same_branch_to(scenario: Scenario, number: int, base: str) -> int:
    return scenario.world.open_pull(scenario.world.pull(number).head_ref, base, login=AUTHOR)


def elsewhere_model(scenario: Scenario) -> Change:
    """A build that hands over a model fitted elsewhere, with numbers made up.

    The predictions stay those of the honest model: equivalence would be read from them.
    """
    files = {"params.yaml": params(c=0.001)}
    commit = commit_files(scenario.remote, "elsewhere", files, scenario.main)
    scenario.fetch()
    other = scenario.builds.measured(scenario.git, commit)

    def change(root: Path, plan: Plan) -> Plan:
        shutil.rmtree(root / layout.MODEL)
        shutil.copytree(other / layout.MODEL, root / layout.MODEL)
        return nicer(root, plan)

    return change


def nicer(root: Path, plan: Plan) -> Plan:
    """The model that the commit makes, with numbers made up."""
    metrics = dict(plan.evidence.evaluate.content.metrics)
    better = {"value": 0.97, "low": 0.96, "high": 0.98}
    metrics["roc_auc"] = metrics["roc_auc"].model_copy(update=better)
    return rechained(root, with_content(plan, "evaluate", metrics=metrics))


def worse(root: Path, plan: Plan) -> Plan:
    """As a build of a model that does not pass measures it."""
    metrics = dict(plan.evidence.evaluate.content.metrics)
    poor = {"value": 0.55, "low": 0.5, "high": 0.6}
    metrics["roc_auc"] = metrics["roc_auc"].model_copy(update=poor)
    return rechained(root, with_content(plan, "evaluate", metrics=metrics))


def after_a_review(scenario: Scenario, number: int) -> Reviewing:
    """Do the comment's job as any review, or a remark, starts it."""
    pull = scenario.world.pull(number)
    run = scenario.world.add_run(
        pull.head_sha, event="pull_request_review", head_branch=pull.head_ref, name="review"
    )
    done = review(scenario.review_job(), run)
    assert isinstance(done, Reviewing), done
    return done


def kinds(done: Reviewing) -> list[str]:
    return [each.kind for each in done.plan.judgement.banners]


def forged_under(scenario: Scenario, change: Change, settings: Any = None) -> int:
    """An honest pull request, approved with what the build of a second one handed over."""
    number = scenario.open(settings or BETTER)
    honest = scenario.review(number)
    second = same_branch_to(scenario, number, side_branch(scenario))
    run = scenario.run(second, change)
    both = review(scenario.review_job(), run)
    assert isinstance(both, Answer)
    assert both.name is Name.AMBIGUOUS
    scenario.world.close_pull(second)
    done = after_a_review(scenario, number)
    assert (done.entry.run, done.entry.evidence == honest.evidence) == (run, False)
    (banner,) = (each for each in done.plan.judgement.banners if each.kind == BANNER)
    assert f'#{second} takes the same branch to "side".' in banner.text
    assert "only the same bytes pass" in banner.text
    assert done.comment is not None
    assert "takes the same branch to" in done.comment.body
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    return second


# --- a second pull request with the same head ----------------------------------------------


@pytest.mark.parametrize("policy", ["auto", "reuse"])
def test_what_its_build_handed_over_is_not_released(scenario: Scenario, policy: str) -> None:
    promotion = f"promotion: {{approvals: 1, build: {policy}}}\n"
    settings = {"params.yaml": params(promotion=promotion)}
    scenario.merged(settings)
    scenario.promote()
    better = {"params.yaml": params(c=0.5, promotion=promotion)}
    second = forged_under(scenario, elsewhere_model(scenario), better)
    assert build_needed(scenario.job()).build == "rebuild"
    assert f"#{second} takes the same branch" in refused(scenario, Name.UNDECIDED).reason
    ended = refused(scenario, Name.DRIFTED, rebuilt=scenario.rebuilt())
    assert "another branch's workflows" in ended.reason


def test_nor_the_honest_model_with_numbers_made_up(scenario: Scenario) -> None:
    forged_under(scenario, nicer)
    ended = refused(scenario, Name.DRIFTED, rebuilt=scenario.rebuilt())
    assert "measured something else" in ended.reason
    assert "roc_auc.value' 0.97 as reviewed" in ended.reason


def test_what_the_second_build_says_of_the_gates_counts(scenario: Scenario) -> None:
    forged_under(scenario, nicer)
    ended = refused(scenario, Name.POLICY_FAILED, rebuilt=scenario.rebuilt(worse))
    assert "The second build: auc-floor" in ended.reason


def test_the_same_bytes_go_live(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.world.close_pull(same_branch_to(scenario, number, side_branch(scenario)))
    scenario.world.merge(number)
    refused(scenario, Name.UNDECIDED)
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE
    assert scenario.last(Promoted).source == "rebuilt"


def test_one_that_went_to_main_in_the_end(scenario: Scenario) -> None:
    """It is closed, went to the side branch first, and its run is of that time."""
    number = scenario.ready(BETTER)
    second = same_branch_to(scenario, number, side_branch(scenario))
    scenario.world.close_pull(second)
    place = f"/repos/{scenario.world.name}/pulls/{second}"
    scenario.github.client.write("PATCH", place, {"base": "main"}, needs="")
    scenario.world.merge(number)
    assert f"#{second} went to another branch" in refused(scenario, Name.UNDECIDED).reason


def test_one_that_was_closed_and_the_first_opened_again(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    scenario.review(number)
    scenario.world.close_pull(number)
    second = same_branch_to(scenario, number, side_branch(scenario))
    run = scenario.run(second, nicer)
    scenario.world.close_pull(second)
    place = f"/repos/{scenario.world.name}/pulls/{number}"
    scenario.github.client.write("PATCH", place, {"state": "open"}, needs="")
    done = after_a_review(scenario, number)
    assert (done.entry.run, kinds(done)) == (run, [BANNER])
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    refused(scenario, Name.UNDECIDED)


def test_one_whose_base_is_gone(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    second = same_branch_to(scenario, number, side_branch(scenario))
    scenario.world.world.find_repo(scenario.world.name).git.text("branch", "-D", "side")
    assert scenario.world.pull(second).state == "closed"
    scenario.world.merge(number)
    refused(scenario, Name.UNDECIDED)


def test_a_fork_with_a_branch_of_that_name_is_another_head(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    head = scenario.world.pull(number)
    scenario.world.add_user("carol")
    fork = Path(scenario.world.add_fork("carol"))
    commit_files(fork, head.head_ref, {"x": "y\n"}, scenario.main)
    scenario.world.open_pull(f"carol:{head.head_ref}", side_branch(scenario), login="carol")
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_one_that_was_over_before_is_no_matter(scenario: Scenario) -> None:
    """Branches such as `develop` go to main and elsewhere, again and again."""
    branch = scenario.push(BETTER)
    old = scenario.world.open_pull(branch, side_branch(scenario), login=AUTHOR)
    run = scenario.run(old, nicer)
    scenario.world.close_pull(old)
    scenario.world.world.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    number = scenario.world.open_pull(branch, login=AUTHOR)
    # It began before the pull request did, and is none of its builds.
    stale = review(scenario.review_job(), run)
    assert isinstance(stale, Answer)
    assert stale.name is Name.STALE_RUN
    done = review(scenario.review_job(), scenario.run(number))
    assert isinstance(done, Reviewing)
    assert kinds(done) == []
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).source == "reused"


# --- one that went elsewhere itself ----------------------------------------------------------


def test_github_takes_it_to_main_where_its_base_was_merged(scenario: Scenario) -> None:
    first = scenario.ready({"NOTES.md": "words\n"})
    below = scenario.world.pull(first).head_ref
    branch = scenario.push(BETTER, onto=below)
    number = scenario.world.open_pull(branch, below, login=AUTHOR)
    scenario.world.merge(first)
    scenario.world.world.find_repo(scenario.world.name).git.text("branch", "-D", below)
    assert scenario.world.pull(number).base_ref == "main"
    done = review(scenario.review_job(), scenario.run(number))
    assert isinstance(done, Reviewing)
    (banner,) = (each for each in done.plan.judgement.banners if each.kind == BANNER)
    assert f"#{number} went to another branch before" in banner.text
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert build_needed(scenario.job()).build == "rebuild"
    assert "went to another branch" in refused(scenario, Name.UNDECIDED).reason


# --- its own workflows -------------------------------------------------------------------------


@pytest.mark.parametrize("build", ["auto", "rebuild"])
def test_its_own_workflows_cannot_make_another_model_equivalent(
    scenario: Scenario, build: str
) -> None:
    promotion = f"promotion: {{approvals: 1, build: {build}}}\n"
    files = {"params.yaml": params(c=0.5, promotion=promotion), WORKFLOW: "on: push\n"}
    number = scenario.ready(files, change=elsewhere_model(scenario))
    scenario.world.merge(number)
    ended = refused(scenario, Name.DRIFTED, rebuilt=scenario.rebuilt())
    assert "own workflows" in ended.reason
