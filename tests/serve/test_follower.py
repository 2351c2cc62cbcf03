"""The follower comes to what the ledger declares, from wherever it is; else nothing changes."""

import asyncio
import functools
import json
import os
import shutil
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mergeline.serve.memory import Memory, read_memory
from mergeline.serve.releases import Releases
from serve.lines_made import Line, Running, Stock, Stocked, put, running, settled
from serve.test_fetch import fetching, silent_server


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def is_from(answer: tuple[int, float | None, str], stocked: Stocked) -> bool:
    """Return whether an answer is the score of a release, and says so."""
    status, score, label = answer
    return (status, score) == (200, stocked.score) and label == label_of(stocked)


def label_of(stocked: Stocked) -> str:
    return f"{stocked.release.version} {stocked.release.model[:12]}"


def request_with_a_missing_number(stocked: Stocked) -> bytes:
    body = json.loads(stocked.row)
    split = body["dataframe_split"]
    split["data"][0][split["columns"].index("visits")] = None
    return json.dumps(body).encode()


def folder_of(state: Path, stocked: Stocked) -> Path:
    return Releases(state).folder(stocked.release)


def pids(line: Running) -> tuple[int, ...]:
    assert line.front.live is not None
    return line.front.live.pids


# --- the way things go -----------------------------------------------------------------


@in_loop
async def test_promoted_releases_and_a_rollback_go_live_one_after_the_other(
    line: Line, plain: Stocked, forest: Stocked, state: Path
) -> None:
    async with running(line, state) as follower:
        await follower.until(lambda: "none" in follower.front.standing.reason)
        assert follower.standing == (None, None, "empty")
        assert (await follower.ask(plain.row))[0] == 503
        assert line.report() is None

        first = line.promote(plain)
        await follower.until_live(first)
        assert is_from(await follower.ask(plain.row), plain)
        await follower.until_reported(first, "live")
        report = line.report()
        assert report is not None
        assert (report.entry, report.state, report.serving) == (first, "live", first)
        assert (report.version, report.model) == (plain.release.version, plain.release.model)

        second = line.promote(forest)
        await follower.until_live(second)
        assert is_from(await follower.ask(plain.row), forest)
        releases = Releases(state)
        assert releases.linked("current") == folder_of(state, forest)
        assert releases.linked("previous") == folder_of(state, plain)

        fetched = sum("is fetched" in said for said in follower.said)
        third = line.roll_back(plain, of=forest)
        await follower.until_live(third)
        assert is_from(await follower.ask(plain.row), plain)
        assert releases.linked("current") == folder_of(state, plain)
        assert sum("is fetched" in said for said in follower.said) == fetched

        before = pids(follower)
        fourth = line.promote(plain)
        await follower.until_live(fourth)
        assert pids(follower) == before, "the same bytes are not started again"
        await follower.until_reported(fourth, "live")
        report = line.report()
        assert report is not None
        assert (report.entry, report.state, report.serving) == (fourth, "live", fourth)


@in_loop
async def test_started_again_it_serves_at_once_without_git_and_registry(
    line: Line, plain: Stocked, forest: Stocked, state: Path, tmp_path: Path
) -> None:
    first = settled(state, line, plain)
    live = read_memory(state).live
    assert live is not None
    hidden = line.remote.rename(tmp_path / "hidden.git")
    async with running(line, state) as follower:
        await follower.until(lambda: follower.front.live is not None)
        assert is_from(await follower.ask(plain.row), plain)
        await follower.until(lambda: "ledger" in follower.front.standing.reason)
        assert follower.standing == (first, None, "live")
        assert follower.front.standing.actual.since == live.time
        assert 'follower_state="unreachable"} 1.0' in follower.front.metrics.page().decode()

        hidden.rename(line.remote)
        await follower.until_live(first)
        await follower.until(lambda: "ledger: well again" in follower.said)
        await follower.until_reported(first, "live")
        put(state, line, forest, 1)
        await follower.until_live(line.promote(forest))


# --- what is rejected ------------------------------------------------------------------


@in_loop
async def test_a_model_that_scores_the_probe_rows_otherwise_is_rejected(
    line: Line, plain: Stocked, wrong: Stocked, state: Path
) -> None:
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until_live(first)
        before = pids(follower)

        put(state, line, wrong, 1)
        second = line.promote(wrong)
        await follower.until_rejected(second)
        assert follower.standing == (first, second, "rejected")
        assert is_from(await follower.ask(plain.row), plain)
        assert pids(follower) == before
        await follower.until_reported(second, "rejected")
        report = line.report()
        assert report is not None
        assert (report.entry, report.state, report.serving) == (second, "rejected", first)
        assert "probe" in report.reason
        assert follower.front.standing.reason == report.reason
        assert not folder_of(state, wrong).exists()

        line.reject(second)  # what `promote` makes of that report
        await follower.until_live(first)
        await follower.until_reported(first, "live")
        assert sum("starts version" in said for said in follower.said) == 1

        put(state, line, wrong, 1)
        third = line.promote(wrong)
        await follower.until_rejected(third)
        assert sum("starts version" in said for said in follower.said) == 2
        await follower.until_reported(third, "rejected")

    async with running(line, state) as follower:
        await follower.until(lambda: follower.standing == (first, third, "rejected"))
        assert is_from(await follower.ask(plain.row), plain)
        assert not any("starts version" in said for said in follower.said)
        await asyncio.sleep(0.5)
        assert follower.reported == [], "the remote knows it already"


@in_loop
async def test_a_release_that_fails_a_request_while_it_is_watched_is_rejected(
    line: Line, stock: Stock, plain: Stocked, brittle: Stocked, state: Path
) -> None:
    body = request_with_a_missing_number(plain)
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until_live(first)
        await follower.until_reported(first, "live")
        status, score, _ = await follower.ask(body)
        assert status == 200

        line.configure(stock.uri, watch=600)
        put(state, line, brittle, 1)
        second = line.promote(brittle)
        await follower.until(lambda: follower.standing == (second, second, "trying"))
        assert (await follower.ask(plain.row))[2] == label_of(brittle)
        assert len(follower.reported) == 1, "nothing is reported before the watch is over"
        # The client is answered all the same: by the old release.
        assert await follower.ask(body) == (200, score, label_of(plain))
        await follower.until_rejected(second)
        assert await follower.ask(body) == (200, score, label_of(plain))
        assert is_from(await follower.ask(plain.row), plain)
        assert Releases(state).linked("current") == folder_of(state, plain)
        await follower.until_reported(second, "rejected")
        assert "watched" in line.report().reason


@in_loop
async def test_a_release_whose_process_dies_while_it_is_watched_is_rejected(
    new_line: Callable[..., Line], forest: Stocked, state: Path
) -> None:
    line = new_line(watch=600)
    put(state, line, forest, 1)
    async with running(line, state) as follower:
        first = line.promote(forest)
        await follower.until(lambda: follower.standing == (first, first, "trying"))
        os.kill(pids(follower)[0], signal.SIGKILL)
        await follower.until_rejected(first)
        assert follower.standing == (None, first, "rejected")
        assert (await follower.ask(forest.row))[0] == 503
        await follower.until_reported(first, "rejected")
        assert (line.report().state, line.report().serving) == ("rejected", None)


@in_loop
async def test_what_is_unsafe_or_not_what_the_ledger_states_is_rejected_by_name(
    line: Line, plain: Stocked, with_code: Stocked, state: Path
) -> None:
    async with running(line, state) as follower:
        first = line.promote(with_code)
        await follower.until_rejected(first)
        assert follower.front.standing.reason.startswith("UNSAFE_MODEL: ")
        release = plain.release.model_copy(update={"evidence": "1" * 64})
        second = line.promote(Stocked(plain.folder, release))
        await follower.until_rejected(second)
        assert follower.front.standing.reason.startswith("BYTES_MISMATCH: ")
        assert not any("starts version" in said for said in follower.said)


@in_loop
async def test_a_release_that_ended_the_server_three_times_is_rejected(
    line: Line, forest: Stocked, state: Path
) -> None:
    first = line.promote(forest)
    put(state, line, forest, first)
    memory = Memory()
    for _ in range(3):
        memory = memory.begun(first)
    memory.write(state)
    async with running(line, state) as follower:
        await follower.until_rejected(first)
        assert "3 times" in follower.front.standing.reason
        assert follower.front.live is None
        assert not any("starts version" in said for said in follower.said)


# --- what is away, damaged, or rewritten -----------------------------------------------


@in_loop
async def test_a_registry_that_is_away_is_waited_for(
    line: Line, stock: Stock, plain: Stocked, forest: Stocked, state: Path, tmp_path: Path
) -> None:
    first = settled(state, line, plain)
    away = tmp_path / "away.db"
    line.configure(f"sqlite:///{away}", watch=0)
    async with running(line, state) as follower:
        second = line.promote(forest)
        await follower.until(lambda: "no version" in follower.front.standing.reason)
        assert follower.standing == (first, second, "behind")
        assert is_from(await follower.ask(plain.row), plain)
        shutil.copy(stock.place / "registry.db", tmp_path / "back.db")
        (tmp_path / "back.db").replace(away)
        await follower.until_live(second)
        assert "release: well again" in follower.said


@in_loop
async def test_a_damaged_release_on_disk_is_not_served_and_fetched_again(
    line: Line, plain: Stocked, forest: Stocked, state: Path, tmp_path: Path
) -> None:
    settled(state, line, plain)
    second = settled(state, line, forest)
    damaged = folder_of(state, forest) / "model/model.skops"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    hidden = line.remote.rename(tmp_path / "hidden.git")

    async with running(line, state) as follower:
        await follower.until(lambda: follower.front.live is not None)
        assert is_from(await follower.ask(plain.row), plain)
        assert any("current" in said and "cannot be served" in said for said in follower.said)
        hidden.rename(line.remote)
        await follower.until_live(second)
        assert is_from(await follower.ask(plain.row), forest)
        assert Releases(state).linked("previous") == folder_of(state, plain)
        assert damaged.read_bytes() != bytes(data)


@in_loop
async def test_without_a_whole_release_on_disk_the_ledger_s_is_fetched(
    line: Line, plain: Stocked, state: Path
) -> None:
    first = settled(state, line, plain)
    (folder_of(state, plain) / "probes.json").unlink()
    async with running(line, state) as follower:
        await follower.until_live(first)
        assert is_from(await follower.ask(plain.row), plain)
        assert f"fetches version {plain.release.version}" in follower.said


@in_loop
async def test_a_release_of_another_environment_is_not_served(
    line: Line, plain: Stocked, state: Path
) -> None:
    settled(state, line, plain)
    async with running(line, state, environment="staging") as follower:
        await follower.until(lambda: "no release on disk" in follower.front.standing.reason)
        assert follower.front.live is None
        assert any("is a release for 'production'" in said for said in follower.said)


@in_loop
async def test_a_ledger_that_was_rewritten_is_not_followed(
    line: Line, plain: Stocked, forest: Stocked, state: Path, tmp_path: Path
) -> None:
    other = Line(tmp_path / "other", "sqlite:////nowhere.db")
    other.promote(forest)
    other.promote(forest)
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until_live(first)
        with branch(line.remote, "mergeline/ledger") as ref:
            shutil.copytree(other.remote / "objects", line.remote / "objects", dirs_exist_ok=True)
            ref.write_text((other.remote / "refs/heads/mergeline/ledger").read_text())
            await follower.until(lambda: "rewritten" in follower.front.standing.reason)
            ref.unlink()
            await follower.until(lambda: "is gone" in follower.front.standing.reason)
            assert is_from(await follower.ask(plain.row), plain)
        await follower.until(lambda: follower.front.standing.reason == "")
        assert follower.standing == (first, first, "live")


@contextmanager
def branch(repository: Path, name: str) -> Iterator[Path]:
    """Give the file of a branch, and put it back."""
    ref = repository / "refs/heads" / name
    before = ref.read_text()
    try:
        yield ref
    finally:
        ref.write_text(before)


@in_loop
async def test_a_report_that_the_remote_refuses_is_sent_later_and_stops_nothing(
    line: Line, plain: Stocked, state: Path
) -> None:
    hook = line.remote / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in *follower*) exit 1;; esac\n')
    hook.chmod(0o755)
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until(lambda: "report: " in follower.front.standing.reason)
        second = line.promote(plain)
        await follower.until_live(second)
        assert second != first
        assert is_from(await follower.ask(plain.row), plain)
        assert line.report() is None
        hook.unlink()
        await follower.until_reported(second, "live")
        assert line.report().entry == second
        await follower.until(lambda: follower.front.standing.reason == "")


# --- changes of mind -------------------------------------------------------------------


@in_loop
async def test_a_rollback_while_the_new_release_is_watched_is_obeyed_at_once(
    line: Line, stock: Stock, plain: Stocked, forest: Stocked, state: Path
) -> None:
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until_live(first)
        before = pids(follower)
        line.configure(stock.uri, watch=600)
        put(state, line, forest, 1)
        second = line.promote(forest)
        await follower.until(lambda: follower.standing == (second, second, "trying"))
        assert is_from(await follower.ask(plain.row), forest)

        third = line.roll_back(plain, of=forest)
        await follower.until_live(third)
        assert is_from(await follower.ask(plain.row), plain)
        assert pids(follower) == before
        assert follower.front.fallback is None

        put(state, line, forest, 1)
        fourth = line.promote(forest)
        await follower.until(lambda: follower.standing == (fourth, fourth, "trying"))
        assert read_memory(state).attempts(fourth) == 1
    # Ended in peace, which says nothing against the release.
    assert read_memory(state).attempts(fourth) == 0
    assert Releases(state).linked("current") == folder_of(state, plain)


@in_loop
async def test_a_fetch_is_given_up_when_the_ledger_asks_for_something_else(
    line: Line, stock: Stock, plain: Stocked, forest: Stocked, state: Path
) -> None:
    first = settled(state, line, plain)
    async with running(line, state) as follower:
        await follower.until_live(first)
        with silent_server() as uri:
            line.configure(uri, watch=0.3)
            line.promote(forest)
            await follower.until(lambda: fetching(os.getpid()) != [])
            third = line.promote(plain)
            await follower.until_live(third)
            assert fetching(os.getpid()) == []


@in_loop
async def test_a_path_in_somebody_s_project_is_no_registry_and_the_environment_s_is(
    line: Line, stock: Stock, plain: Stocked, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.configure("sqlite:///.mergeline/registry.db", watch=0.3)
    first = line.promote(plain)
    async with running(line, state) as follower:
        await follower.until(lambda: "MLFLOW_TRACKING_URI" in follower.front.standing.reason)
        assert follower.standing == (None, first, "empty")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stock.uri)
    async with running(line, state) as follower:
        await follower.until_live(first)


def test_what_is_remembered_is_kept_within_bounds(state: Path) -> None:
    memory = Memory()
    for entry in range(1, 300):
        memory = memory.rejecting(entry, "no")
    memory.write(state)
    assert read_memory(state) == memory
    assert min(memory.rejected) == 200
    assert memory.begun(7).begun(7).attempts(7) == 2
    assert memory.begun(7).begun(8).attempts(8) == 1
    assert memory.begun(7).ended().attempts(7) == 0
