"""A merge queue's job: whether a review in the clone's ledger makes a build needless."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bundle.commits import HEAD, PIPELINE
from mergeline.adapters.git import Git
from mergeline.check.queue import group_of, serving_review
from mergeline.core.queue import QueueBranch
from mergeline.ledger.entries import Reviewed
from mergeline.review.run import Reviewing, review
from report import plans
from review.lines import SmallLine, commit_files, git, open_reviewed

TRAIN = PIPELINE["stages"]["train"] | {"cmd": "mergeline  stage train"}
OTHER_INPUTS = {"dvc.yaml": json.dumps({"stages": PIPELINE["stages"] | {"train": TRAIN}})}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("queue"))
    with made.world:
        yield made


@pytest.fixture(autouse=True)
def as_before(line: SmallLine) -> Iterator[None]:
    """The tests share one line."""
    with line.borrowed():
        yield


@dataclass(frozen=True)
class Built:
    """What the queue's job has: a whole clone with the group checked out, and its environment."""

    git: Git
    branch: QueueBranch
    environ: dict[str, str]

    @property
    def group(self) -> QueueBranch | None:
        return group_of(self.git, self.environ)

    @property
    def review(self) -> Reviewed | None:
        return serving_review(self.git, self.branch)


def queued(line: SmallLine, folder: Path, number: int, method: str = "merge") -> Built:
    branch = QueueBranch("main", number, line.main)
    commit = line.world.queue(number, method)
    git(folder, "clone", "--quiet", line.world.remote, f"at-{commit}")
    clone = folder / f"at-{commit}"
    git(clone, "checkout", "--quiet", "--detach", commit)
    environ = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": f"refs/heads/{branch.name}"}
    return Built(Git(clone), branch, environ)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_passing_review_of_the_same_inputs(line: SmallLine, tmp_path: Path, method: str) -> None:
    number, entry = open_reviewed(line)
    built = queued(line, tmp_path, number, method)
    assert built.group == built.branch
    assert built.review == entry


def test_main_may_have_changed_what_is_no_input(line: SmallLine, tmp_path: Path) -> None:
    number, entry = open_reviewed(line)
    commit_files(line.remote, "main", {"NEWS.md": "moved"}, onto="main")
    assert queued(line, tmp_path, number).review == entry


def test_not_where_main_has_changed_an_input(line: SmallLine, tmp_path: Path) -> None:
    number, _ = open_reviewed(line)
    commit_files(line.remote, "main", OTHER_INPUTS, onto="main")
    built = queued(line, tmp_path, number)
    assert built.group == built.branch
    assert built.review is None


def test_not_a_review_that_fails(line: SmallLine, tmp_path: Path) -> None:
    number, entry = open_reviewed(line, plans.better(fairness=plans.fairness(0.31)))
    assert entry.outcome.blocks
    assert queued(line, tmp_path, number).review is None


def test_not_a_review_of_an_older_head(line: SmallLine, tmp_path: Path) -> None:
    number, entry = open_reviewed(line)
    name = line.world.pull(number).head_ref
    commit_files(line.remote, name, {"README.md": "more words"}, onto=name)
    assert line.world.pull(number).head_sha != entry.commit
    assert queued(line, tmp_path, number, "squash").review is None


def test_not_the_review_of_another_pull_request(line: SmallLine, tmp_path: Path) -> None:
    open_reviewed(line)
    number = line.world.open_pull(line.push(), login="ann")
    assert queued(line, tmp_path, number).review is None


def test_not_the_review_of_an_earlier_group(line: SmallLine, tmp_path: Path) -> None:
    """The trusted job takes the head's review alone; without a build there would be nothing."""
    number, _ = open_reviewed(line)
    commit_files(line.remote, "main", OTHER_INPUTS, onto="main")
    first = queued(line, tmp_path, number)
    commit = first.git.head()
    parts = line.parts(plans.better(), commit, first.branch.parent)
    about = {"event": "merge_group", "head_branch": first.branch.name}
    assert isinstance(
        review(line.job(), line.world.add_run(commit, **about, artifacts=parts)), Reviewing
    )
    commit_files(line.remote, "main", {"NEWS.md": "moved"}, onto="main")
    assert line.ledger()[-1].commit == commit
    assert queued(line, tmp_path, number).review is None


def test_a_forks_head_is_known_by_the_merge(line: SmallLine, tmp_path: Path) -> None:
    line.world.add_user("eve")
    line.world.add_fork("eve")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "eve")
    head = commit_files(fork.git.path, "theirs", HEAD | {"README.md": "hello"}, onto="main")
    number = line.world.open_pull("eve:theirs", login="eve")
    about = {"head_branch": "theirs", "head_repository": "eve/credit"}
    run = line.world.add_run(head, **about, artifacts=line.parts(plans.better(), head))
    done = review(line.job(), run)
    assert isinstance(done, Reviewing)
    assert queued(line, tmp_path, number).review == done.entry
    assert queued(line, tmp_path, number, "squash").review is None, "built, to be sure"


@pytest.mark.parametrize("text", ["", "{}\n", "no entry", '{"schema_version":1}\n'])
def test_a_ledger_that_cannot_be_believed_saves_nothing(
    line: SmallLine, tmp_path: Path, text: str
) -> None:
    number, _ = open_reviewed(line)
    built = queued(line, tmp_path, number)
    bad = commit_files(line.remote, "bad", {"ledger.jsonl": text})
    git(built.git.root, "fetch", "--quiet", "origin", bad)
    git(built.git.root, "update-ref", "refs/remotes/origin/mergeline/ledger", bad)
    assert built.review is None
    git(built.git.root, "update-ref", "-d", "refs/remotes/origin/mergeline/ledger")
    assert built.review is None


def test_only_in_a_queues_job_on_top_of_what_its_branch_names(
    line: SmallLine, tmp_path: Path
) -> None:
    number, _ = open_reviewed(line)
    built = queued(line, tmp_path, number)
    assert group_of(built.git, {**built.environ, "GITHUB_EVENT_NAME": "push"}) is None
    assert group_of(built.git, {}) is None
    for parent in ("f" * 40, commit_files(line.remote, "side", {"a": "1"}, onto="main")):
        git(built.git.root, "fetch", "--quiet", "origin")
        name = QueueBranch("main", number, parent).name
        ref = {"GITHUB_REF": f"refs/heads/{name}"}
        assert group_of(built.git, built.environ | ref) is None


@pytest.mark.parametrize("options", [(), ("--base", ""), ("--json",)], ids=str)
def test_the_verb_says_why_in_one_line_and_builds_nothing(
    line: SmallLine, tmp_path: Path, options: tuple[str, ...]
) -> None:
    number, entry = open_reviewed(line)
    built, summary = queued(line, tmp_path, number), tmp_path / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "mergeline", "check", *options],
        cwd=built.git.root,
        env={**os.environ, **built.environ, "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = (
        f"Nothing is built: the review of #{number} at {entry.commit[:12]} (PASSED, entry "
        f"{entry.number} of the ledger) was made from the same inputs, {entry.inputs[:12]}.\n"
    )
    assert (done.stdout, done.stderr) == (("", said) if options == ("--json",) else (said, ""))
    assert summary.read_text() == said
    assert git(built.git.root, "status", "--porcelain", "--ignored") == ""
