"""Switching between releases: every request has an answer, of one release or the other."""

import asyncio
import json
import os
import re
import signal
from itertools import pairwise

import pytest

from mergeline.serve.front import Front
from mergeline.serve.metrics import FOLLOWER_STATES, Metrics
from mergeline.serve.pool import Pool
from mergeline.serve.replies import JSON
from mergeline.serve.standing import Standing, read_release_file, shown, standing_alone
from serve.releases_made import BRITTLE, FOREST, make_release, whole_frame

SECONDS = 120.0
SINCE = "2026-01-31T12:00:00Z"
EMPTY = Standing(project="toy", environment="production", actual=None, desired=None, state="empty")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two good releases, and one that fails a request with a missing number."""
    frame = whole_frame()
    models = {"1": None, "2": BRITTLE, "3": FOREST}
    return {
        version: make_release(
            tmp_path_factory.mktemp(f"v{version}"), version=version, model=model, frame=frame
        )
        for version, model in models.items()
    }


@pytest.fixture(scope="module")
def bodies(made):
    """A request that every release answers, and one that the brittle one fails."""
    row = json.loads((made["1"].folder / "probes.json").read_bytes())["rows"][0]
    good = dict(zip(made["1"].columns, row, strict=True))
    return {
        "good": json.dumps({"inputs": good}).encode(),
        "hard": json.dumps({"inputs": {**good, "visits": None}}).encode(),
        "wrong": json.dumps({"inputs": {**good, "visits": "many"}}).encode(),
    }


class Lane:
    """A front under test: releases are started as they are asked for."""

    def __init__(self, made, bodies):
        self.made = made
        self.bodies = bodies
        self.metrics = Metrics()
        self.front = Front(EMPTY, self.metrics)

    async def start(self, version):
        return await Pool.start(self.made[version].folder, workers=1, seconds=SECONDS)

    def standing(self, version):
        return standing_alone(read_release_file(self.made[version].folder), SINCE)

    async def replace(self, version):
        self.front.replace(await self.start(version), self.standing(version))

    async def ask(self, body="good"):
        answer = await self.front.answer(JSON, self.bodies[body])
        return answer.reply.status, answer.label.split(" ")[0]


@pytest.fixture
def lane(made, bodies):
    """Run a coroutine over a fresh front, and close it."""

    def run(scenario):
        async def whole():
            lane = Lane(made, bodies)
            try:
                async with asyncio.timeout(SECONDS):
                    return await scenario(lane)
            finally:
                await lane.front.close(5)

        return asyncio.run(whole())

    return run


def sample(metrics, name):
    """Return a sample of the metrics page by its name and labels."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.page().decode(), re.MULTILINE)
    return None if found is None else float(found[1])


def test_a_failing_release_is_covered_until_it_is_settled_or_undone(lane):
    async def scenario(lane):
        front = lane.front
        assert await lane.ask() == (503, "")
        assert not front.alive
        await lane.replace("1")
        assert front.alive
        assert await lane.ask() == (200, "1")
        old = front.live
        await lane.replace("2")
        new = front.live
        assert await lane.ask() == (200, "2")
        assert await lane.ask("wrong") == (400, "2")
        assert new.failures == 0
        # What the new one fails the old one answers, and it is counted.
        assert await lane.ask("hard") == (200, "1")
        assert (new.failures, old.failures) == (1, 0)
        assert sample(lane.metrics, "mergeline_fallback_answers_total") == 1
        # So is a death.
        os.kill(new.pids[0], signal.SIGKILL)
        assert await lane.ask() == (200, "1")
        assert new.failures == 2
        front.restore(lane.standing("1"))
        assert front.live is old
        assert front.standing.actual.version == "1"
        assert await lane.ask("hard") == (200, "1")
        # A second attempt is settled: nothing covers it any more, and it covers a third.
        (pid,) = old.pids
        await lane.replace("2")
        front.settle(lane.standing("2"))
        assert front.fallback is None
        assert await lane.ask("hard") == (500, "2")
        await lane.replace("3")
        assert await lane.ask("hard") == (200, "3")
        assert front.fallback.label.startswith("2 ")
        await front.close(5)
        assert await lane.ask() == (503, "")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    lane(scenario)


def test_a_request_ends_with_the_release_that_it_began_with(lane):
    async def scenario(lane):
        await lane.replace("1")
        (pid,) = lane.front.live.pids
        new = await lane.start("3")
        os.kill(pid, signal.SIGSTOP)
        asked = [asyncio.ensure_future(lane.ask()) for _ in range(5)]
        await asyncio.sleep(0.1)
        lane.front.replace(new, lane.standing("3"))
        lane.front.settle(lane.standing("3"))
        assert await lane.ask() == (200, "3")
        assert not any(each.done() for each in asked)
        os.kill(pid, signal.SIGCONT)
        assert await asyncio.gather(*asked) == [(200, "1")] * 5

    lane(scenario)


def test_switches_under_load_fail_no_request(lane):
    async def scenario(lane):
        await lane.replace("1")
        seen, stop = [], asyncio.Event()

        async def load():
            while not stop.is_set():
                seen.append(await lane.ask())

        clients = [asyncio.ensure_future(load()) for _ in range(4)]
        for version in ("3", "1"):
            await lane.replace(version)
            await asyncio.sleep(0.1)
            lane.front.settle(lane.standing(version))
        stop.set()
        await asyncio.gather(*clients)
        return seen

    seen = lane(scenario)
    assert set(seen) == {(200, "1"), (200, "3")}
    assert sum(before != after for before, after in pairwise(seen)) >= 2


def test_one_death_fails_no_request_while_another_process_lives(lane, made):
    async def scenario(lane):
        pool = await Pool.start(made["1"].folder, workers=2, seconds=SECONDS)
        lane.front.replace(pool, lane.standing("1"))
        first, second = pool.pids
        os.kill(first, signal.SIGSTOP)
        os.kill(second, signal.SIGSTOP)
        asked = [asyncio.ensure_future(lane.ask()) for _ in range(2)]
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGCONT)
        answers = await asyncio.gather(*asked)
        while pool.restarts == 0:
            await asyncio.sleep(0.02)
        return answers, sample(lane.metrics, "mergeline_worker_restarts_total")

    assert lane(scenario) == ([(200, "1"), (200, "1")], 1)


# --- what is shown ---------------------------------------------------------------------


def test_metrics_name_the_release_that_answers(made):
    metrics = Metrics()
    front = Front(EMPTY, metrics)
    file = read_release_file(made["1"].folder)
    model = file.release.model
    info = f'mergeline_release_info{{model="{model}",version="1"}}'
    info_turned = f'mergeline_release_info{{version="1",model="{model}"}}'
    state = 'mergeline_release_state{mergeline_release_state="%s"}'
    assert "mergeline_release_info{" not in metrics.page().decode()
    assert sample(metrics, state % "empty") == 1
    front.show(standing_alone(file, SINCE))
    assert 1 in (sample(metrics, info), sample(metrics, info_turned))
    assert (sample(metrics, state % "live"), sample(metrics, state % "empty")) == (1, 0)
    other = shown(file, SINCE).model_copy(update={"version": "7"})
    front.show(front.standing.model_copy(update={"desired": other, "state": "behind"}))
    assert 1 in (sample(metrics, info), sample(metrics, info_turned))
    assert sample(metrics, state % "behind") == 1
    front.show(EMPTY)
    assert "mergeline_release_info{" not in metrics.page().decode()


@pytest.mark.parametrize("name", FOLLOWER_STATES)
def test_metrics_name_what_the_follower_does(name):
    metrics = Metrics()
    metrics.follower(name)
    found = {
        each: sample(metrics, f'mergeline_follower_state{{mergeline_follower_state="{each}"}}')
        for each in FOLLOWER_STATES
    }
    assert found == {each: float(each == name) for each in FOLLOWER_STATES}
