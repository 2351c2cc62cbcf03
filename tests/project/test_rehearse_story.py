"""What Ada opens and when, what is to be tried next, and jobs that are ended."""

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from quick_line import TIME, D

from mergeline.ledger.entries import Live
from mergeline.ledger.history import History
from mergeline.project.process import Watch, finished
from mergeline.project.rehearse.guide import Tried, steps
from mergeline.project.rehearse.lanes import Ended, Jobs
from mergeline.project.rehearse.story import Story
from mergeline.project.story import BETTER_MODEL, BIASED_MODEL, DOCUMENTATION, FIRST_MODEL
from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.state import Pull

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def pull(number: int, branch: str, *, merged: bool = False) -> Pull:
    return Pull(
        number=number,
        id=number,
        login="ada",
        title=branch,
        body=None,
        head_repo=None,
        head_owner="acme",
        head_ref=branch,
        base_ref="main",
        head_sha=D[:40],
        base_sha=D[:40],
        created=NOW,
        updated=NOW,
        state="closed" if merged else "open",
        merged=NOW if merged else None,
    )


# --- the story -----------------------------------------------------------------------------------


def test_pull_requests_come_as_the_story_goes_on(tmp_path: Path) -> None:
    with Rehearsal.start(tmp_path) as github:

        def due(*, rolled_back: bool = False) -> list[str]:
            return [one.branch for one in Story().due(github.repo, rolled_back=rolled_back)]

        assert due() == ["first-model"]
        github.repo.pulls[1] = pull(1, "first-model")
        assert due() == []
        github.repo.pulls[1] = pull(1, "first-model", merged=True)
        assert due() == ["biased-model", "better-model", "lowered-gate"]
        for number, branch in enumerate(due(), start=2):
            github.repo.pulls[number] = pull(number, branch)
        assert due() == []
        assert due(rolled_back=True) == [DOCUMENTATION.branch]


def test_the_guide_names_the_next_step() -> None:
    def following(pulls: list[Pull], history: History, tried: Tried) -> str:
        return next(step.what for step in steps(pulls, history, tried) if not step.done)

    def links(history: History) -> list[str]:
        return [step.link for step in steps(pulls, history, Tried())]

    live = Live(
        time=TIME,
        project="demo",
        by="x",
        environment="production",
        of=1,
        version="1",
        model=D,
        position=None,
        since=TIME,
    )
    tried = Tried()
    assert following([], History(), tried).startswith("Read the comment")
    pulls = [pull(1, FIRST_MODEL.branch, merged=True)]
    assert "ask the model server" in following(pulls, History(), tried)
    assert "/predict" not in links(History())  # there is nobody to ask yet
    history = History((live,))
    assert links(history)[:2] == ["/pulls/1", "/predict"]
    tried.asked.add("1")
    assert "Try to merge the biased model" in following(pulls, history, tried)
    pulls += [pull(2, BIASED_MODEL.branch), pull(3, BETTER_MODEL.branch)]
    tried.refused.add(2)
    assert following(pulls, history, tried) == "Approve and merge the better model."
    pulls[-1] = pull(3, BETTER_MODEL.branch, merged=True)
    assert following(pulls, history, tried).startswith("Roll back")


# --- jobs ----------------------------------------------------------------------------------------


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    made = Jobs(tmp_path / "logs")
    made.start()
    return made


def test_one_job_of_a_lane_comes_after_another(jobs: Jobs) -> None:
    order: list[str] = []
    go = threading.Event()

    def work(name: str) -> Ended:
        go.wait(60)
        order.append(name)
        return Ended(well=name != "b", said=name)

    first, second = (jobs.add("build", name, lambda _, name=name: work(name)) for name in "ab")
    other = jobs.add("comment", "c", lambda _: Ended(well=True, said="c"))
    while other.open:
        pass
    assert (first.open, second.state) == (True, "waits")
    go.set()
    while second.open:
        pass
    assert (order, first.state, second.state) == (["a", "b"], "passed", "failed")
    jobs.stop()


def test_stopping_ends_the_program_that_runs_and_begins_no_other(
    jobs: Jobs, tmp_path: Path
) -> None:
    script = "import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(600)"
    codes: list[int] = []

    def work(watch: Watch) -> Ended:
        codes.append(finished([sys.executable, "-c", script], tmp_path, watch=watch).returncode)
        return Ended(well=False, said="")

    running, waiting = jobs.add("build", "one", work), jobs.add("build", "two", work)
    while "here" not in running.log():
        assert running.open
    jobs.stop()
    assert codes in ([-signal.SIGINT], [1])
    assert (running.last_line(), waiting.state) != ("", "runs")


def test_stopping_does_not_wait_for_one_before_it_ends_the_other(
    jobs: Jobs, tmp_path: Path
) -> None:
    script = "import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(600)"
    other_ended, waited = threading.Event(), []

    def work(watch: Watch) -> Ended:
        finished([sys.executable, "-c", script], tmp_path, watch=watch)
        return Ended(well=False, said="")

    def slow(watch: Watch) -> Ended:
        work(watch)
        waited.append(other_ended.wait(20))
        return Ended(well=False, said="")

    def quick(watch: Watch) -> Ended:
        work(watch)
        other_ended.set()
        return Ended(well=False, said="")

    running = jobs.add("build", "one", slow), jobs.add("comment", "two", quick)
    while not all("here" in job.log() for job in running):
        assert all(job.open for job in running)
    jobs.stop()
    assert waited == [True]


def test_what_a_program_says_can_be_read_afterwards(jobs: Jobs, tmp_path: Path) -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    watch = Watch(tmp_path / "log")
    watch.say("before")
    done = finished([sys.executable, "-c", script], tmp_path, watch=watch)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert watch.log.read_text() == "before\nerr\n"
    jobs.stop()
