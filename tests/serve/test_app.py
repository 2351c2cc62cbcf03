"""The HTTP side: MLflow's protocol, its bounds, what is shown, and a polite end."""

import asyncio
import json
import os
import re
import signal

import aiohttp
import numpy as np
import pandas as pd
import pytest

from mergeline.serve.app import Limits, make_app
from mergeline.serve.front import Front
from mergeline.serve.listen import bind, serve_http
from mergeline.serve.metrics import Metrics
from mergeline.serve.pool import Pool
from mergeline.serve.standing import read_release_file, standing_alone
from serve.releases_made import BOOSTING, make_release

SECONDS = 120.0
LIMITS = Limits(body_bytes=200_000, body_seconds=1.0, at_once=4)
AS_JSON = {"content-type": "application/json"}
AS_CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("app"), model=BOOSTING, threshold=0.4)


@pytest.fixture(scope="module")
def csv(made):
    return made.table[made.columns].head(3).to_csv(index=False)


class Site:
    """A server in this process, and a client of it."""

    def __init__(self, made, workers=2):
        self.made = made
        self.workers = workers

    async def __aenter__(self):
        folder = self.made.folder
        self.pool = await Pool.start(
            folder, workers=self.workers, seconds=SECONDS, request_seconds=SECONDS
        )
        standing = standing_alone(read_release_file(folder), "2026-01-31T12:00:00Z")
        self.front = Front(standing, Metrics(), live=self.pool)
        self.stop = asyncio.Event()
        taken = bind("127.0.0.1", 0)
        self.port = taken.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = make_app(self.front, LIMITS)
        self.serving = asyncio.ensure_future(serve_http(app, taken, self.stop, grace=SECONDS))
        self.client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS))
        while not await self.listens():
            await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *_):
        self.stop.set()
        await self.client.close()
        await self.serving
        await self.front.close(5)

    async def listens(self):
        try:
            async with self.client.get(f"{self.url}/ping"):
                return True
        except aiohttp.ClientConnectionError:
            return False

    async def get(self, path):
        async with self.client.get(self.url + path) as answer:
            return answer.status, answer.headers, await answer.read()

    async def post(self, body, headers=AS_JSON, **more):
        async with self.client.post(
            f"{self.url}/invocations", data=body, headers=headers, **more
        ) as answer:
            return answer.status, answer.headers, await answer.read()


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def site(made, runner):
    site = Site(made)
    runner.run(site.__aenter__())
    yield site
    runner.run(site.__aexit__())


@pytest.fixture
def frozen(site):
    """The model processes stand still until the test lets them go."""
    pids = site.pool.pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    def thaw():
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    yield thaw
    thaw()


def refusal(answer):
    status, headers, body = answer
    said = json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert said.keys() == {"error_code", "message", "hint"}
    assert "Traceback" not in body.decode()
    return status, said["message"]


# --- scoring ---------------------------------------------------------------------------


def test_the_whole_held_out_table_scores_as_in_evaluation(site, made, runner):
    table = made.table[made.columns]
    plain = table.astype(object).where(table.notna(), None)
    split = json.dumps({"dataframe_split": plain.to_dict("split")}).encode()
    for body, headers in ((split, AS_JSON), (table.to_csv(index=False).encode(), AS_CSV)):
        status, answer, data = runner.run(site.post(body, headers))
        assert status == 200, data
        found = json.loads(data)
        probabilities = [row["probability"] for row in found["predictions"]]
        np.testing.assert_allclose(probabilities, made.scores, rtol=0, atol=1e-12)
        assert found["threshold"] == 0.4
        release = made.release
        assert answer["x-mergeline-release"] == f"{release.version} {release.model[:12]}"
        assert answer["Content-Type"] == "application/json"


def test_mlflows_own_client_works(site, made, runner):
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    frame = made.table[made.columns].head(5)
    client = ScoringServerClient("127.0.0.1", site.port)

    def ask():
        client.wait_server_ready(timeout=30)
        return client.get_version(), client.invoke(frame.astype(object).where(frame.notna(), None))

    version, answer = runner.run(asyncio.to_thread(ask))
    import mlflow

    assert version == mlflow.__version__
    table = answer.get_predictions()
    np.testing.assert_allclose(table["probability"], made.scores[:5], rtol=0, atol=1e-12)
    assert table["positive"].tolist() == (made.scores[:5] >= 0.4).tolist()


def test_a_charset_is_understood(site, csv, runner):
    assert runner.run(site.post(csv, {"content-type": "text/csv; charset=UTF-8"}))[0] == 200


# --- refusals --------------------------------------------------------------------------


def test_what_cannot_be_scored_is_refused(site, csv, runner):
    status, message = refusal(runner.run(site.post(csv.replace("age", "aeg"), AS_CSV)))
    assert (status, message) == (400, "the model has no column 'aeg'; did you mean 'age'?")
    assert refusal(runner.run(site.post(b"")))[0] == 400
    assert refusal(runner.run(site.post(csv, {"content-type": "text/plain"})))[0] == 415
    assert refusal(runner.run(site.post(csv, {"content-type": ""})))[0] == 415
    assert refusal(runner.run(site.get("/invocations")))[0] == 405
    status, message = refusal(runner.run(site.get("/admin<script>")))
    assert (status, message) == (404, "Not Found")


async def pieces(count, size, pause=0.0):
    for _ in range(count):
        await asyncio.sleep(pause)
        yield b" " * size


def test_a_body_that_is_too_large_is_refused_said_or_not(site, csv, runner):
    answer = runner.run(site.post(b" " * 200_001))
    assert refusal(answer) == (413, "the body is larger than 200000 bytes")
    answer = runner.run(site.post(pieces(30, 10_000)))
    assert refusal(answer) == (413, "the body is larger than 200000 bytes")
    # The connection still serves, and so does a body of just that size.
    assert runner.run(site.post(csv + "\n" * (200_000 - len(csv)), AS_CSV))[0] == 200


def test_a_body_that_is_too_slow_is_refused(site, runner):
    async def slow():
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
        said = await reader.read()  # until the server closes
        writer.close()
        return said

    said = runner.run(slow())
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not arrive within 1 seconds" in said


def test_too_many_requests_at_once_are_sent_away(site, csv, frozen, runner):
    async def crowd():
        asked = [asyncio.ensure_future(site.post(csv, AS_CSV)) for _ in range(4)]
        while site.front.metrics.in_flight._value.get() < 4:
            await asyncio.sleep(0.02)
        status, headers, body = await site.post(csv, AS_CSV)
        ping, *_ = await site.get("/ping")
        frozen()
        return status, headers, body, ping, [answer[0] for answer in await asyncio.gather(*asked)]

    status, headers, body, ping, answers = runner.run(crowd())
    assert refusal((status, headers, body)) == (503, "4 requests are being answered already")
    assert int(headers["retry-after"]) >= 1
    assert ping == 200
    assert answers == [200] * 4


# --- what is shown ---------------------------------------------------------------------


def test_it_says_what_is_live(site, made, runner):
    status, headers, body = runner.run(site.get("/release"))
    assert status == 200
    said = json.loads(body)
    release = made.release
    assert said["actual"] == said["desired"]
    assert said["actual"] == {
        "entry": 1,
        "version": "1",
        "model": release.model,
        "key": release.key,
        "commit": release.commit,
        "pull_request": 1,
        "since": "2026-01-31T12:00:00Z",
    }
    assert (said["state"], said["environment"]) == ("live", "production")
    assert headers["x-mergeline-release"] == f"1 {release.model[:12]}"


def test_metrics_count_what_was_answered(site, csv, runner):
    async def ask():
        before = (await site.get("/metrics"))[2].decode()
        await site.post(csv, AS_CSV)
        await site.post(b"{}")
        await site.get("/no/such/page")
        return before, (await site.get("/metrics"))[2].decode()

    before, after = runner.run(ask())

    def more(name):
        pattern = rf"^{re.escape(name)} (\S+)$"
        found = [re.search(pattern, text, re.MULTILINE) for text in (before, after)]
        return float(found[1][1]) - (float(found[0][1]) if found[0] else 0.0)

    assert more('mergeline_requests_total{route="/invocations",status="200"}') == 1
    assert more('mergeline_requests_total{route="/invocations",status="400"}') == 1
    assert more('mergeline_requests_total{route="other",status="404"}') == 1
    assert more('mergeline_request_seconds_count{route="/invocations"}') == 2
    assert more("mergeline_requests_in_flight") == 0
    assert "/no/such/page" not in after


def test_failures_are_counted_as_errors(site, runner):
    async def ask():
        live, site.front.live = site.front.live, None
        try:
            return [await site.post(b"{}"), await site.get("/health"), await site.get("/metrics")]
        finally:
            site.front.live = live

    scored, health, metrics = runner.run(ask())
    assert refusal(scored) == (503, "no release is live yet")
    assert refusal(health) == (503, "no release can answer")
    for route in ("/invocations", "/health"):
        assert f'mergeline_errors_total{{route="{route}"}}' in metrics[2].decode()


def test_it_is_well_again_after_all_processes_died(site, csv, runner):
    async def kill():
        restarts = site.pool.restarts
        for pid in site.pool.pids:
            os.kill(pid, signal.SIGKILL)
        while (await site.get("/ping"))[0] == 200:
            await asyncio.sleep(0.02)
        during = await site.post(csv, AS_CSV)
        async with asyncio.timeout(SECONDS):
            while site.pool.restarts == restarts:
                await asyncio.sleep(0.02)
        return during, await site.get("/ping"), await site.post(csv, AS_CSV)

    during, ping, after = runner.run(kill())
    status, message = refusal(during)
    assert status == 503
    assert "no model process of release 1" in message
    assert during[1]["retry-after"]
    assert (ping[0], after[0]) == (200, 200)


# --- the end ---------------------------------------------------------------------------


def test_requests_in_flight_are_answered_before_the_end(made, csv):
    async def end():
        async with Site(made, workers=1) as site:
            pids = site.pool.pids
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            asked = [asyncio.ensure_future(site.post(csv, AS_CSV)) for _ in range(3)]
            while site.front.metrics.in_flight._value.get() < 3:
                await asyncio.sleep(0.02)
            site.stop.set()
            while await site.listens():
                await asyncio.sleep(0.02)
            assert not site.serving.done()
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            answers = await asyncio.gather(*asked)
            await site.serving
            return answers

    answers = asyncio.run(end())
    assert [status for status, *_ in answers] == [200] * 3


def test_good_and_bad_requests_side_by_side(site, made, runner):
    """Each gets the answer that is its own."""
    table = made.table[made.columns]
    rows = [table.iloc[[row]].to_csv(index=False) for row in range(20)]
    broken = ["", "age\n", "{}", "\x00", "a,b\n1,2\n"]

    async def client(number):
        found = []
        for turn in range(number, number + 10):
            bad = await site.post(broken[turn % 5], AS_CSV)
            good = await site.post(rows[turn % 20], AS_CSV)
            found.append((bad[0], good[0], json.loads(good[2])["predictions"][0]["probability"]))
        return found

    async def both():
        return await asyncio.gather(client(0), client(7))

    for first, found in zip((0, 7), runner.run(both()), strict=True):
        assert [row[:2] for row in found] == [(400, 200)] * 10
        expected = [made.scores[turn % 20] for turn in range(first, first + 10)]
        np.testing.assert_allclose([row[2] for row in found], expected, rtol=0, atol=1e-12)


def test_an_empty_frame_has_no_rows(site, made, runner):
    body = pd.DataFrame(columns=made.columns).to_csv(index=False)
    assert refusal(runner.run(site.post(body, AS_CSV))) == (400, "the request holds no rows")
