"""What is fetched is what the ledger states, or it is not there at all."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mergeline.adapters.registry import Registry
from mergeline.core.answers import Name
from mergeline.errors import BytesMismatch, MergelineError, RegistryMismatch, ToolError, UnsafeModel
from mergeline.serve.fetch import Outcome, Request, fetch, fetch_release
from mergeline.serve.standing import ReleaseFile, read_release_file
from serve.lines_made import Stock, Stocked

SECONDS = 60


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def request(state: Path, uri: str, stocked: Stocked, **changes: Any) -> Request:
    release = stocked.release.model_copy(update=changes)
    file = ReleaseFile(entry=4, environment="production", release=release)
    return Request(state=str(state), uri=uri, file=file)


def left(state: Path) -> list[str]:
    """Return what lies in the state folder, but for empty folders."""
    found = (path for path in state.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.relative_to(state).as_posix() for path in found)


def test_a_release_is_fetched_with_what_its_digests_cover_and_nothing_else(
    stock: Stock, plain: Stocked, state: Path
) -> None:
    folder = fetch(request(state, stock.uri, plain))
    assert folder == state / f"releases/{plain.release.version}-{plain.release.model[:12]}"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    evidence = {f"evidence/{stage}.json" for stage in ("prepare", "train", "evaluate")}
    model = {f"model/{path.name}" for path in (plain.folder / "model").iterdir()}
    assert files == {"release.json", "probes.json", *evidence, *model}
    for name in files - {"release.json"}:
        assert (folder / name).read_bytes() == (plain.folder / name).read_bytes()
    file = read_release_file(folder)
    assert (file.entry, file.environment, file.release) == (4, "production", plain.release)
    assert len(left(state)) == len(files)


@pytest.mark.parametrize(
    ("field", "message"),
    [("model", "model"), ("inputs", r"key \(K\)"), ("evidence", "evidence")],
)
def test_other_digests_than_the_ledger_states_are_refused(
    stock: Stock, plain: Stocked, state: Path, field: str, message: str
) -> None:
    with pytest.raises(BytesMismatch, match=message):
        fetch(request(state, stock.uri, plain, **{field: "1" * 64}))
    assert left(state) == []


def test_a_version_of_another_key_is_refused(
    stock: Stock, plain: Stocked, forest: Stocked, state: Path
) -> None:
    with pytest.raises(RegistryMismatch, match="the ledger states"):
        fetch(request(state, stock.uri, plain, version=forest.release.version))
    assert left(state) == []


def test_a_version_that_is_a_path_is_not_asked_for(
    stock: Stock, plain: Stocked, state: Path
) -> None:
    with pytest.raises(BytesMismatch, match="no number"):
        fetch(request(state, stock.uri, plain, version="../../../tmp"))


def test_a_version_that_is_not_there_may_come_yet(
    stock: Stock, plain: Stocked, state: Path
) -> None:
    with pytest.raises(ToolError, match="no version 99999") as caught:
        fetch(request(state, stock.uri, plain, version="99999"))
    assert not isinstance(caught.value, RegistryMismatch)


def test_a_model_with_code_is_unsafe_whatever_its_digests(
    stock: Stock, with_code: Stocked, state: Path
) -> None:
    with pytest.raises(UnsafeModel, match="code"):
        fetch(request(state, stock.uri, with_code))
    assert left(state) == []


def test_a_pickled_model_is_unsafe(
    stock: Stock, plain: Stocked, state: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(plain.folder, tmp_path / "pickled")
    (folder / "model/model.skops").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(UnsafeModel):
        fetch(request(state, stock.uri, stock.add(folder)))
    assert left(state) == []


# --- what somebody did to the registry's files -----------------------------------------


def _change(folder: Path) -> None:
    path = folder / "model/model.skops"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(0o444)


def _remove(folder: Path) -> None:
    (folder / "probes.json").unlink()


def _add(folder: Path) -> None:
    (folder / "model/more.py").write_text("print('hello')")


def _link(folder: Path) -> None:
    (folder / "model/model.skops").unlink()
    (folder / "model/model.skops").symlink_to("/etc/hostname")


def _link_folder(folder: Path) -> None:
    shutil.rmtree(folder / "model")
    (folder / "model").symlink_to("/etc")


# MLflow itself does not hand out what lies outside of its folder: that is no answer at all.
@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (_change, BytesMismatch),
        (_remove, BytesMismatch),
        (_add, BytesMismatch),
        (_link, MergelineError),
        (_link_folder, MergelineError),
    ],
)
def test_files_that_somebody_changed_are_refused(
    stock: Stock,
    plain: Stocked,
    state: Path,
    tmp_path: Path,
    harm: Callable[[Path], None],
    kind: type[MergelineError],
) -> None:
    folder = shutil.copytree(plain.folder, tmp_path / "to-be-harmed")
    harmed = stock.add(folder)
    harm(stock.files_of(harmed))
    with pytest.raises(kind):
        fetch(request(state, stock.uri, harmed))
    assert left(state) == []


# --- the process -----------------------------------------------------------------------


def test_the_process_fetches(stock: Stock, plain: Stocked, state: Path) -> None:
    outcome = asyncio.run(fetch_release(request(state, stock.uri, plain), SECONDS))
    assert outcome == Outcome(state="fetched")
    assert read_release_file(next((state / "releases").iterdir())).release == plain.release


def test_the_process_names_what_it_refuses(stock: Stock, with_code: Stocked, state: Path) -> None:
    outcome = asyncio.run(fetch_release(request(state, stock.uri, with_code), SECONDS))
    assert (outcome.state, outcome.answer) == ("refused", Name.UNSAFE_MODEL)
    assert "code" in outcome.message


def test_a_registry_that_is_away_is_no_refusal(plain: Stocked, state: Path) -> None:
    with closed_port() as port:
        uri = f"http://127.0.0.1:{port}"
        outcome = asyncio.run(fetch_release(request(state, uri, plain), SECONDS))
    assert (outcome.state, outcome.answer) == ("failed", None)
    assert str(port) in outcome.message


def test_a_disk_that_refuses_is_no_refusal(stock: Stock, plain: Stocked, state: Path) -> None:
    state.mkdir()
    (state / "releases").write_text("not a folder")
    outcome = asyncio.run(fetch_release(request(state, stock.uri, plain), SECONDS))
    assert (outcome.state, outcome.answer) == ("failed", None)
    assert "releases" in outcome.message


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silent_server() -> Iterator[str]:
    """Listen, and never answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def fetching(parent: int) -> list[int]:
    """Return the processes that fetch and were started by a process."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes()
            owner = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if b"mergeline.serve.fetch" in command and int(owner) == parent:
            found.append(int(folder.name))
    return found


def until(seen: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_registry_that_never_answers_has_an_end(plain: Stocked, state: Path) -> None:
    with silent_server() as uri:
        outcome = asyncio.run(fetch_release(request(state, uri, plain), 0.5))
    assert outcome.state == "failed"
    assert "0.5 seconds" in outcome.message
    assert fetching(os.getpid()) == []


def test_a_fetch_that_is_given_up_leaves_no_process(plain: Stocked, state: Path) -> None:
    async def give_up(uri: str) -> None:
        task = asyncio.ensure_future(fetch_release(request(state, uri, plain), SECONDS))
        while not fetching(os.getpid()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with silent_server() as uri:
        asyncio.run(give_up(uri))
    assert fetching(os.getpid()) == []


STARTER = """
import asyncio, sys
from mergeline.serve.fetch import Request, fetch_release
asyncio.run(fetch_release(Request.model_validate_json(sys.argv[1]), 60))
"""


def test_a_fetch_ends_with_a_starter_that_is_killed(plain: Stocked, state: Path) -> None:
    with silent_server() as uri:
        said = request(state, uri, plain).model_dump_json()
        starter = subprocess.Popen([sys.executable, "-c", STARTER, said])
        try:
            until(lambda: fetching(starter.pid))
            (pid,) = fetching(starter.pid)
        finally:
            starter.kill()
            starter.wait()
        until(lambda: not Path(f"/proc/{pid}").exists())


def test_tags_that_are_not_ours_are_no_version_of_ours(
    stock: Stock, plain: Stocked, state: Path
) -> None:
    """The registry's own tag is not believed: files and ledger decide."""
    made = Registry(stock.uri, stock.place, "toy").create(
        plain.release.key, {"model/MLmodel": json.dumps({}).encode()}, {}
    )
    with pytest.raises(BytesMismatch):
        fetch(request(state, stock.uri, plain, version=made.number))
    assert left(state) == []
