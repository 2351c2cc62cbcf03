"""A whole line for the follower's tests: Git remote, ledger and MLflow registry, all real."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.registry import Registry
from mergeline.core.digest import promotion_key, sha256
from mergeline.core.evidence import EvidenceSet
from mergeline.core.verdict import Outcome
from mergeline.ledger.entries import (
    Declared,
    Entry,
    Promoted,
    Rejected,
    Release,
    RolledBack,
    utc_now,
)
from mergeline.ledger.report import FollowerReport, read_report
from mergeline.ledger.store import Ledger
from mergeline.model.canonical import directory_digest
from mergeline.serve.follower import Follower
from mergeline.serve.front import Front
from mergeline.serve.memory import read_memory
from mergeline.serve.metrics import Metrics
from mergeline.serve.releases import Releases, write_release_file
from mergeline.serve.report import Outlook, standing_of
from mergeline.serve.serving import FollowSettings
from mergeline.serve.standing import ReleaseFile

LONGEST = 60.0  # seconds until a test gives up
STAGES = ("prepare", "train", "evaluate")
SETTINGS = """\
project: toy
data: {{source: data.csv, target: left, positive: "yes"}}
model: {{estimator: sklearn.linear_model.LogisticRegression}}
registry: {{uri: "{uri}"}}
deploy: {{watch_seconds: {watch}}}
"""


@dataclass(frozen=True)
class Stocked:
    """A version in the registry, and the folder that its files came from."""

    folder: Path
    release: Release

    def file(self, line: "Line", entry: int) -> ReleaseFile:
        """Return what `release.json` says of it as that line declares it."""
        return ReleaseFile(entry=entry, environment="production", release=line.release(self))

    @property
    def row(self) -> bytes:
        """A request with the first probe row."""
        probes = json.loads((self.folder / "probes.json").read_bytes())
        split = {"columns": probes["columns"], "data": probes["rows"][:1]}
        return json.dumps({"dataframe_split": split}).encode()

    @property
    def score(self) -> float:
        """What this model makes of that row."""
        return float(json.loads((self.folder / "probes.json").read_bytes())["scores"][0][0])


@dataclass
class Stock:
    """One registry, used by all tests of a session."""

    place: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.place}/registry.db"

    def add(self, folder: Path, **changes: Any) -> Stocked:
        """Register the release folder of `releases_made` as a new version.

        Args:
            folder: With `model/`, `probes.json` and `evidence/`.
            changes: What the ledger is to say of the release otherwise.
        """
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "release.json"
        }
        evidence = EvidenceSet.parse({name: files[f"evidence/{name}.json"] for name in STAGES})
        model = directory_digest(folder / "model")
        inputs = sha256(str(folder).encode())
        key = promotion_key("toy", inputs, model)
        files |= {"card.md": b"# A card\n", "evidence/verdict.json": b"{}"}
        version = Registry(self.uri, self.place, "toy").create(key, files, {})
        release = Release(
            project="toy",
            version=version.number,
            key=key,
            inputs=inputs,
            model=model,
            evidence=evidence.digest(),
            commit="0" * 40,
            tree="0" * 40,
            pull_request=1,
        )
        return Stocked(folder, release.model_copy(update=changes))

    def files_of(self, stocked: Stocked) -> Path:
        """Return where the registry keeps a version's files."""
        version = Registry(self.uri, self.place, "toy").version(stocked.release.version)
        assert version is not None
        assert version.digest is not None
        return next(self.place.rglob(f"{version.run}/artifacts/{version.digest}"))


class Line:
    """The Git remote of a project, with its settings and its ledger."""

    def __init__(self, folder: Path, uri: str, *, watch: float = 0.3) -> None:
        self.remote, self._writer = folder / "remote.git", folder / "writer.git"
        for path in (self.remote, self._writer):
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        self._there = Remote(Git(self._writer), str(self.remote))
        self._ledger = Ledger(Git(self._writer), str(self.remote))
        self.commit: str | None = None
        self.configure(uri, watch=watch)

    def configure(self, uri: str, *, watch: float) -> None:
        """Commit other settings to main; they hold for releases that are declared later."""
        files = {"params.yaml": SETTINGS.format(uri=uri, watch=watch).encode()}
        commit = self._there.commit_files(files, self.commit, "settings")
        assert self._there.push("main", commit, self.commit)
        self.commit = commit

    def release(self, stocked: Stocked) -> Release:
        """Return a release as this line's promotion would declare it."""
        tree = Git(self._writer).tree(str(self.commit))
        return stocked.release.model_copy(update={"commit": self.commit, "tree": tree})

    def promote(self, stocked: Stocked) -> int:
        """Declare a release; return the number of the entry."""
        return self._append(
            Promoted(
                time=utc_now(),
                project="toy",
                by="test",
                environment="production",
                release=self.release(stocked),
                reviewed=1,
                pull_request=1,
                author="somebody",
                approvers=("somebody else",),
                outcome=Outcome.PASSED,
                source="reused",
                position=str(self.commit),
            )
        )

    def roll_back(self, to: Stocked, of: Stocked) -> int:
        """Declare an earlier release; return the number of the entry."""
        return self._append(
            RolledBack(
                time=utc_now(),
                project="toy",
                by="test",
                environment="production",
                release=self.release(to),
                replaces=of.release.version,
                bars=of.release.model,
                reason="it is worse",
                main=str(self.commit),
                position=str(self.commit),
            )
        )

    def reject(self, number: int) -> None:
        """Append what `promote` does when the follower reported a rejection."""
        declared = self._ledger.read().entries[number - 1]
        assert isinstance(declared, Declared)
        release = declared.release
        self._append(
            Rejected(
                time=utc_now(),
                project="toy",
                by="test",
                environment="production",
                of=number,
                version=release.version,
                model=release.model,
                reason="the follower said so",
            )
        )

    def _append(self, entry: Entry) -> int:
        return len(self._ledger.append(lambda _: entry).entries)

    def report(self) -> FollowerReport | None:
        """Return what the follower reported last."""
        return read_report(self._there, "production")


def put(state: Path, line: Line, stocked: Stocked, entry: int) -> Path:
    """Put a release into a follower's folder as if it was fetched; return its folder there."""
    releases = Releases(state)
    made = state / "made"
    shutil.copytree(stocked.folder, made)
    write_release_file(made, stocked.file(line, entry))
    return releases.keep(made, stocked.release)


def settled(state: Path, line: Line, stocked: Stocked) -> int:
    """Declare a release, and leave it in a follower's folder as if it was live there."""
    entry = line.promote(stocked)
    folder = put(state, line, stocked, entry)
    releases = Releases(state)
    releases.settle(folder, stocked.file(line, entry), releases.linked("current"))
    read_memory(state).settling(entry, utc_now()).write(state)
    return entry


@dataclass
class Running:
    """A follower at work in this process."""

    front: Front
    follower: Follower
    said: list[str] = field(default_factory=list)

    async def ask(self, body: bytes) -> tuple[int, float | None, str]:
        """Return status, probability of the positive class, and who answered."""
        answer = await self.front.answer("application/json", body)
        if answer.reply.status != 200:
            return answer.reply.status, None, answer.label
        said = json.loads(answer.reply.body)["predictions"][0]
        return 200, float(said["probability"]), answer.label

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        try:
            async with asyncio.timeout(LONGEST):
                while not seen():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError("\n".join(["it never came to it:", *self.said])) from None

    async def until_live(self, entry: int) -> None:
        """Wait until an entry is live."""
        await self.until(lambda: self.standing == (entry, entry, "live"))

    async def until_rejected(self, entry: int) -> None:
        """Wait until an entry is rejected."""
        await self.until(lambda: self.standing[1:] == (entry, "rejected"))

    @property
    def reported(self) -> list[str]:
        """The reports that this follower wrote."""
        begin = "reported: entry "
        return [said.removeprefix(begin) for said in self.said if said.startswith(begin)]

    async def until_reported(self, entry: int, state: str) -> None:
        """Wait until the remote holds a report of this follower."""
        await self.until(lambda: self.reported[-1:] == [f"{entry} is {state}"])

    @property
    def standing(self) -> tuple[int | None, int | None, str]:
        """What answers, what is desired, and how that is."""
        standing = self.front.standing
        entries = [shown.entry if shown else None for shown in (standing.actual, standing.desired)]
        return entries[0], entries[1], standing.state


@asynccontextmanager
async def running(
    line: Line, state: Path, *, environment: str = "production", interval: float = 0.1
) -> AsyncIterator[Running]:
    """Run a follower in this process until the block ends."""
    said: list[str] = []
    front = Front(standing_of(Outlook(environment)), Metrics())
    settings = FollowSettings(
        str(line.remote),
        state,
        environment=environment,
        interval=interval,
        workers=1,
        start_seconds=LONGEST,
    )
    follower = Follower(settings, front, said.append)
    task = asyncio.ensure_future(follower.run())
    try:
        yield Running(front, follower, said)
    finally:
        assert not task.done(), task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await front.close(0)
