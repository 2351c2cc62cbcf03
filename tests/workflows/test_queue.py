"""A merge queue, driven by the workflows: what was reviewed is let through without a build."""

from collections.abc import Callable

from workflows.line import REVIEWER, Project, git
from workflows.test_refusals import REQUIRED, ended, said


def test_a_group_of_the_reviewed_inputs_passes_without_a_build(
    begun: Callable[..., Project],
) -> None:
    project = begun()
    project.world.add_ruleset("main", [REQUIRED])
    number = project.change("first")
    project.hosted.opened(number)
    project.world.approve(number, REVIEWER)
    before = project.comments(number)
    # Main moves on, where no model comes from.
    project.push("main", {"NOTES.md": "nothing of a model\n"}, alone=True)
    group = project.world.queue(number)
    listed = git(project.clone, "ls-remote", "origin", "gh-readonly-queue/*")
    runs = project.hosted.queued(listed.partition("refs/heads/")[2])
    assert ended(runs) == {"pull-request": "success", "comment": "success"}
    assert "running train" not in runs[0].log
    assert project.status(group).startswith("success: ")
    assert project.comments(number) == before
    assert project.ledger() == ["reviewed"]
    assert project.world.merge_queued(number) == group
    runs = project.hosted.pushed()
    # It is verified and goes on to the registry, which does not answer here.
    assert "REGISTRY_UNAVAILABLE" in said(runs, "promote")
