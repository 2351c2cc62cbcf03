"""The processes of a release: fresh, bounded, replaced when they die, ended when unused."""

import asyncio
import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from mergeline.errors import ModelError, ToolError
from mergeline.serve.pool import Pool
from mergeline.serve.process import WorkerGone, environment
from mergeline.serve.replies import JSON
from serve.releases_made import change_scores, make_release

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")

SECONDS = 120.0  # for what takes a few


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("pool"))


@pytest.fixture(scope="module")
def body(made):
    return made.table[made.columns].head(3).to_csv(index=False).encode()


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def pool(made, runner):
    """Two processes; a test that kills one waits until there are two again."""
    os.environ["SOME_NAME"] = "known"
    try:
        start = Pool.start(made.folder, workers=2, seconds=SECONDS, request_seconds=2.0)
        pool = runner.run(start)
    finally:
        del os.environ["SOME_NAME"]
    yield pool
    pids = pool.pids
    runner.run(pool.close(5))
    assert not any(map(runs, pids))


def runs(pid):
    return Path(f"/proc/{pid}").exists()


async def until(condition):
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def probabilities(reply):
    assert reply.status == 200, reply.body
    return [row["probability"] for row in json.loads(reply.body)["predictions"]]


def children():
    """Return the processes that this one started and that still run."""
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


# --- scoring ---------------------------------------------------------------------------


def test_more_requests_than_processes_are_all_answered(pool, made, body, runner):
    async def ask():
        return await asyncio.gather(*(pool.score("text/csv", body) for _ in range(40)))

    for reply in runner.run(ask()):
        np.testing.assert_allclose(probabilities(reply), made.scores[:3], rtol=0, atol=1e-12)


def test_answers_belong_to_their_requests(pool, made, runner):
    lines = made.table[made.columns].head(30).to_csv(index=False).splitlines()

    async def ask():
        bodies = ("\n".join([lines[0], line]).encode() for line in lines[1:])
        return await asyncio.gather(*(pool.score("text/csv", each) for each in bodies))

    found = [probabilities(reply)[0] for reply in runner.run(ask())]
    np.testing.assert_allclose(found, made.scores[:30], rtol=0, atol=1e-12)


def test_a_clients_fault_is_no_failure_of_the_release(pool, runner):
    before = pool.failures
    assert runner.run(pool.score(JSON, b"{}")).status == 400
    assert pool.failures == before


# --- the processes ---------------------------------------------------------------------


def test_a_process_knows_nothing_of_the_world_around_it(pool):
    homes = set()
    for pid in pool.pids:
        said = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        known = dict(line.split("=", 1) for line in said if line)
        assert "SOME_NAME" not in known
        assert known["OMP_NUM_THREADS"] == "1"
        home = known["HOME"]
        assert home != os.environ.get("HOME")
        assert Path(f"/proc/{pid}/cwd").readlink() == Path(home)
        assert Path(home).stat().st_mode & 0o077 == 0
        homes.add(home)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        assert command[1:4] == ["-P", "-m", "mergeline.serve.worker"]
        files = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
        assert sum(name.startswith("socket:") for name in files) == 1
    assert len(homes) == 2


def test_the_environment_is_a_short_list(monkeypatch, tmp_path):
    for name in ("GITHUB_TOKEN", "MLFLOW_TRACKING_URI", "PYTHONPATH", "LD_PRELOAD", "AWS_PROFILE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = environment(tmp_path)
    assert found["LANG"] == "C.UTF-8"
    assert found["HOME"] == str(tmp_path)
    assert not {"GITHUB_TOKEN", "MLFLOW_TRACKING_URI", "PYTHONPATH", "LD_PRELOAD"} & found.keys()
    assert "AWS_PROFILE" not in found


# --- deaths ----------------------------------------------------------------------------


def test_a_process_that_dies_is_replaced_and_counted(pool, body, runner):
    failures, restarts = pool.failures, pool.restarts
    victim = pool.pids[0]

    async def kill():
        os.kill(victim, signal.SIGKILL)
        await until(lambda: pool.failures == failures + 1)
        during = await pool.score("text/csv", body)
        await until(lambda: pool.restarts == restarts + 1)
        return during

    assert runner.run(kill()).status == 200
    assert len(pool.pids) == 2
    assert victim not in pool.pids
    assert not runs(victim)


def test_a_death_while_it_scores_is_told(pool, body, runner):
    restarts = pool.restarts

    async def kill():
        for pid in pool.pids:
            os.kill(pid, signal.SIGSTOP)
        asked = [asyncio.ensure_future(pool.score("text/csv", body)) for _ in range(3)]
        await asyncio.sleep(0.1)
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert not pool.alive
        with pytest.raises(WorkerGone, match=r"no model process of release 1 .* is running"):
            await pool.score("text/csv", body)
        await until(lambda: pool.restarts == restarts + 2)
        return answers, await pool.score("text/csv", body)

    answers, after = runner.run(kill())
    assert [type(answer) for answer in answers] == [WorkerGone] * 3
    assert after.status == 200


def test_a_process_that_hangs_is_ended_and_counted(pool, body, runner):
    failures, restarts, pids = pool.failures, pool.restarts, pool.pids

    async def hang():
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        asked = (pool.score("text/csv", body) for _ in range(3))
        answers = await asyncio.gather(*asked)
        await until(lambda: pool.restarts == restarts + 2)
        return answers

    answers = runner.run(hang())
    messages = sorted(json.loads(answer.body)["message"] for answer in answers)
    assert [answer.status for answer in answers] == [504, 504, 504]
    assert messages[0] == "no model process was free for 2 seconds"
    assert messages[1:] == ["the model did not answer within 2 seconds"] * 2
    assert pool.failures == failures + 2
    assert not any(map(runs, pids))


# --- beginning and end -----------------------------------------------------------------


def start(runner, folder, seconds=SECONDS):
    """Try to start a pool; return the error, with nothing left behind."""
    before = children()
    with pytest.raises((ModelError, ToolError)) as caught:
        runner.run(Pool.start(folder, workers=2, seconds=seconds))
    # A process that was killed is a child until the system has buried it.
    deadline = time.monotonic() + 10
    while children() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children() == before
    return caught.value


def test_a_release_that_scores_otherwise_is_not_started(made, tmp_path, runner):
    folder = shutil.copytree(made.folder, tmp_path / "release")
    change_scores(folder)
    error = start(runner, folder)
    assert isinstance(error, ModelError)
    assert "scores 20 of 20 probe rows otherwise than evaluation did: row 1 is" in error.message


def test_a_release_that_is_slow_to_start_is_given_up(made, runner):
    error = start(runner, made.folder, seconds=0.05)
    assert isinstance(error, ToolError)
    assert "was not ready after 0.05 seconds" in error.message


def test_a_folder_that_is_no_release(tmp_path, runner):
    assert "is not the description of a release" in start(runner, tmp_path).message


def test_closing_lets_requests_end_first(made, body, runner):
    async def close():
        pool = await Pool.start(made.folder, workers=1, seconds=SECONDS)
        (pid,) = pool.pids
        home = Path(f"/proc/{pid}/cwd").readlink()
        os.kill(pid, signal.SIGSTOP)
        with pool.in_use():
            asked = asyncio.ensure_future(pool.score("text/csv", body))
            closing = asyncio.ensure_future(pool.close(SECONDS))
            await asyncio.sleep(0.2)
            assert not closing.done()
            os.kill(pid, signal.SIGCONT)
            reply = await asked
        await closing
        return reply, pid, home

    reply, pid, home = runner.run(close())
    assert reply.status == 200
    assert not runs(pid)
    assert not home.exists()


def test_closing_does_not_wait_for_ever(made, body, runner):
    async def close():
        pool = await Pool.start(made.folder, workers=1, seconds=SECONDS)
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        with pool.in_use():
            asked = asyncio.ensure_future(pool.score("text/csv", body))
            await pool.close(0.1)
            return await asyncio.gather(asked, return_exceptions=True), pid

    (error,), pid = runner.run(close())
    assert isinstance(error, WorkerGone)
    assert not runs(pid)
