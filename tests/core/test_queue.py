"""The names of a merge queue's branches."""

import pytest

from mergeline.core.queue import QueueBranch, queue_branch, queued

PARENT = "a1" * 20


@pytest.mark.parametrize(
    ("name", "base", "number"),
    [
        (f"gh-readonly-queue/main/pr-12-{PARENT}", "main", 12),
        (f"gh-readonly-queue/release/2.0/pr-1-{PARENT}", "release/2.0", 1),
        (f"gh-readonly-queue/a/pr-3-{PARENT}/pr-4-{PARENT}", f"a/pr-3-{PARENT}", 4),
    ],
)
def test_base_number_and_parent(name: str, base: str, number: int) -> None:
    found = queue_branch(name)
    assert found == QueueBranch(base, number, PARENT)
    assert found.name == name


@pytest.mark.parametrize(
    "name",
    [
        "main",
        f"gh-readonly-queue/pr-1-{PARENT}",
        f"gh-readonly-queue/main/pr-0-{PARENT}",
        f"gh-readonly-queue/main/pr-\u0661-{PARENT}",
        f"gh-readonly-queue/main/pr-1-{PARENT[:-1]}",
        f"gh-readonly-queue/main/pr-1-{PARENT}\n",
        f"gh-readonly-queue/ma in/pr-1-{PARENT}",
        f"gh-readonly-queue/x:refs/heads/main/pr-1-{PARENT}",
        f"gh-readonly-queue/*/pr-1-{PARENT}",
        f"gh-readonly-queue/a\\b/pr-1-{PARENT}",
        f"gh-readonly-queue/a[b/pr-1-{PARENT}",
        f"x/gh-readonly-queue/main/pr-1-{PARENT}",
        f"gh-readonly-queue/main/pr-1-{PARENT}/more",
        f"gh-readonly-queue/main/pr-{'9' * 30}-{PARENT}",
    ],
)
def test_any_other_name_is_none(name: str) -> None:
    assert queue_branch(name) is None


def test_a_job_builds_for_a_queue_only_by_its_event_and_its_ref() -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-7-{PARENT}"
    job = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": ref}
    assert queued(job) == QueueBranch("main", 7, PARENT)
    assert queued({**job, "GITHUB_EVENT_NAME": "push"}) is None
    assert queued({**job, "GITHUB_REF": "refs/pull/7/merge"}) is None
    assert queued({}) is None
