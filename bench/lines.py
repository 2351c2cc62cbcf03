"""A line on this machine whose jobs are disturbed; `job_kills`, `races` and `faults` share it.

The line is that of the tests: GitHub's stand-in, real Git, an embedded MLflow registry, and
models of the real stages, made once. The jobs are the real verbs, `mergeline promote` and the
others, each in a process of its own: forked from one that has imported everything, so that a
disturbance strikes the work and not the start of Python.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from mergeline.core.answers import Name  # noqa: E402 -- the tests' line is a real one
from mergeline.ledger.store import Ledger  # noqa: E402
from mergeline.promote.aliases import aliases_of  # noqa: E402
from promote.scenario import (  # noqa: E402
    PRODUCTION,
    Builds,
    Checkpoint,
    Scenario,
    first_files,
    follow,
    git,
    params,
)

LONGEST = 180.0  # seconds of one job
TICK = 0.02
# Imported before anything is forked; none of them starts a thread.
PRELOADED = (
    *("jobs", "mlflow.tracking", "sqlalchemy.dialects.sqlite", "mergeline.cli.app"),
    *("mergeline.promote.run", "mergeline.promote.rollback", "mergeline.review.run"),
    *("mergeline.report.card", "mergeline.report.comment", "mergeline.adapters.github_transport"),
)
# Nothing of a surrounding CI job or of this machine's settings speaks into a line.
_OTHERS = ("MLFLOW_", "GITHUB_", "MERGELINE_")
# What two runs of the same may differ in.
_PASSING = {"time", "since", "previous", "commented", "by", "comment"}
_SINCE = " since "


def set_apart() -> None:
    """Take what is this machine's own out of the environment, of later processes too."""
    for name in [name for name in os.environ if name.startswith(_OTHERS)]:
        del os.environ[name]
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    # The registry file is put back now and then; a kept connection would read the old one.
    os.environ["MLFLOW_SQLALCHEMYSTORE_POOLCLASS"] = "NullPool"
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    get_context("forkserver").set_forkserver_preload(list(PRELOADED))


def settings(c: float, folder: Path) -> dict[str, str]:
    """Return the settings of a model of the line; another `c` makes another one."""
    registry = f'registry: {{uri: "sqlite:///{folder}/registry/registry.db"}}\n'
    text = params(c=c, more=registry)
    patient = text.replace("confirm_seconds: 20", "confirm_seconds: 90, watch_seconds: 0.5")
    assert patient != text
    return {"params.yaml": patient}


def files_of(c: float, folder: Path, *, first: bool) -> dict[str, str]:
    """Return what a pull request changes; the first one brings the whole project."""
    return {**(first_files() if first else {}), **settings(c, folder)}


# --- jobs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        code: Its exit code; negative for a signal.
        out: What it printed; `err` what it said meanwhile.
    """

    code: int
    out: str
    err: str

    @property
    def name(self) -> str:
        """The named answer; empty where there is none."""
        try:
            said = str(json.loads(self.out)["name"])
        except (ValueError, LookupError, TypeError):
            said = self.out.partition(":")[0]
        return said if said in Name.__members__ else ""

    @property
    def step(self) -> str:
        """What it was about last."""
        steps = ("identify", "approvals", "verify", "register", "declare", "confirm")
        said = [line.partition(":")[0] for line in self.err.splitlines()]
        return next((word for word in reversed(said) if word in steps), "start")

    @property
    def wrong(self) -> str:
        """Why nobody may end like this; empty where one may."""
        if self.code not in (0, 2, 3, 4, 12):
            return f"exit code {self.code}"
        if "Traceback" in self.err:
            return "a traceback"
        told = self.out.strip() or ("ERROR" in self.err and "TIP" in self.err)
        return "" if told else "no message"


@dataclass
class Job:
    """A verb at work in a process of its own."""

    process: BaseProcess
    out: Path
    err: Path

    def kill(self) -> None:
        """Kill it, and none of the programs that it started."""
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)

    def ended(self, seconds: float = LONGEST) -> Ended:
        """Wait for its end; it is killed when it takes too long."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        assert code is not None
        return Ended(code, self.out.read_text(), self.err.read_text())


def _work(
    folder: Path, arguments: Sequence[str], environ: Mapping[str, str], out: Path, err: Path
) -> None:
    """Be `mergeline`, in a process that was forked for it."""
    from mergeline.cli import main

    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.update(environ)
    sys.argv = ["mergeline", *arguments]
    main()


@contextmanager
def began(folder: Path, builds: Builds) -> Iterator[Scenario]:
    """Give a line at its very beginning, as long as the block lasts."""
    folder.mkdir(parents=True)
    scenario = Scenario.start(folder, builds)
    with scenario.world:
        scenario.registry.versions()
        yield scenario


@contextmanager
def merged(folder: Path, builds: Builds, models: Sequence[float]) -> Iterator[Scenario]:
    """Give a line as `Line.start` has it."""
    with began(folder, builds) as scenario:
        for number, model in enumerate(models):
            if number:
                assert scenario.promote().name is Name.LIVE
            scenario.merged(files_of(model, folder, first=not number))
        yield scenario


# --- the line --------------------------------------------------------------------------


@dataclass
class Line:
    """A line with something to do, which can be brought back to that again and again."""

    scenario: Scenario
    checkpoint: Checkpoint
    tip: str
    _pulls: Mapping[int, Any]
    _statuses: int
    _next: int
    _jobs: int = 0

    @classmethod
    @contextmanager
    def start(cls, folder: Path, builds: Builds, models: Sequence[float]) -> Iterator["Line"]:
        """Make a line whose models are live, one after the other, but for the last one.

        Args:
            folder: For the line; not there yet.
            builds: Shared by all lines.
            models: Another number makes another model. The last one is merged only.
        """
        with merged(folder, builds, models) as scenario:
            yield cls.at(scenario)

    @classmethod
    def at(cls, scenario: Scenario) -> "Line":
        """Remember a line as it is now."""
        scenario.fetch()
        git(scenario.clone, "gc", "--quiet")
        checkpoint = Checkpoint.of(scenario)
        repo = scenario.world.repo
        known = (dict(repo.pulls), len(repo.statuses), repo.next_number)
        return cls(scenario, checkpoint, scenario.main, *known)

    def again(self) -> None:
        """Make everything as it was."""
        self.checkpoint.restore(self.scenario)
        repo = self.scenario.world.repo
        with self.scenario.world.world.lock:
            del repo.statuses[self._statuses :]
            for number in repo.pulls.keys() - self._pulls.keys():
                del repo.pulls[number]
            repo.next_number = self._next
            self.scenario.world.world.faults.clear()
            self.scenario.world.world.recorder.requests.clear()

    def start_job(self, *arguments: str, clone: Path | None = None) -> Job:
        """Start a verb, e.g. `promote`."""
        self._jobs += 1
        logs = self.scenario.folder / "logs"
        logs.mkdir(exist_ok=True)
        out, err = (logs / f"{self._jobs}-{arguments[0]}.{name}" for name in ("out", "err"))
        out.touch()
        err.touch()
        scratch = self.scenario.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        environ = {**self.scenario.environ, "TMPDIR": str(scratch)}
        given = (clone or self.scenario.clone, arguments, environ, out, err)
        process = get_context("forkserver").Process(target=_work, args=given)
        process.start()
        return Job(process, out, err)

    def promote(self, clone: Path | None = None) -> Job:
        """Start the promotion of the last merge."""
        return self.start_job("promote", "--commit", self.tip, "--json", clone=clone)

    def another_clone(self, name: str) -> Path:
        """Return a clone of its own, as another job has one."""
        path = self.scenario.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return shutil.copytree(self.scenario.clone, path, symlinks=True)

    # --- what came of it ---------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return everything that a promotion leaves, but for times."""
        scenario, repo = self.scenario, self.scenario.world.repo
        report = scenario.report()
        return {
            "ledger": [each.model_dump(exclude=_PASSING) for each in scenario.history.entries],
            "versions": [(v.number, v.key, v.tags) for v in scenario.registry.versions()],
            "aliases": scenario.registry.aliases(),
            "deployments": [
                (each.sha, each.environment, [status.state for status in each.statuses])
                for each in repo.deployments.values()
            ],
            "comments": [(one.number, timeless(one.body)) for one in repo.comments.values()],
            "pulls": [(one.number, one.state, one.head_ref) for one in repo.pulls.values()],
            "statuses": [(one.sha, one.context, one.state) for one in repo.statuses][-1:],
            "report": report and report.model_dump(exclude=_PASSING),
        }

    def disagreements(self) -> list[str]:
        """Return what ledger, aliases, registry and follower say against each other."""
        scenario, history = self.scenario, self.scenario.history
        found, desired, report = [], history.desired(PRODUCTION), scenario.report()
        versions = scenario.registry.versions()
        keys = [version.key for version in versions]
        if len(set(keys)) != len(keys):
            found.append(f"{len(keys)} versions of {len(set(keys))} keys")
        wanted, aliases = aliases_of(history, PRODUCTION), scenario.registry.aliases()
        if aliases != wanted:
            found.append(f"aliases {aliases}, the ledger says {wanted}")
        if desired is None or history.outcome(desired) is None:
            found.append("what is desired is left open")
        elif report is None or report.serving != desired.number:
            found.append(f"entry {desired.number} is desired, {report and report.serving} served")
        elif report.model != desired.release.model:
            found.append(f"model {desired.release.model} is desired, {report.model} served")
        elif desired.release.version not in {version.number for version in versions}:
            found.append(f"version {desired.release.version} is not in the registry")
        return found


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Return what is not as it should be, a line each."""
    return [
        f"{name}: {found[name]!r}\n      expected {expected[name]!r}"
        for name in expected
        if found[name] != expected[name]
    ]


def timeless(body: str) -> str:
    """Return a comment without the time since which something is live."""
    head, found, rest = body.partition(_SINCE)
    return head + rest.partition("\n")[2] if found else body


# --- followers -------------------------------------------------------------------------


class Follower:
    """Stands for a model server: it reports that it serves whatever is desired."""

    def __init__(self, line: Line, chance: random.Random) -> None:
        """Begin in a clone of its own.

        Args:
            line: What to follow.
            chance: How long it takes each time, up to a fifth of a second.
        """
        scenario = line.scenario
        folder = Path(tempfile.mkdtemp(prefix="follower-", dir=scenario.folder))
        git(folder, "clone", "--quiet", "--bare", str(scenario.remote), ".")
        self._git = type(scenario.git)(folder)
        self._folder, self._chance = folder, chance
        self._ref = scenario.remote / "refs/heads/mergeline/ledger"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self.trouble = ""

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        shutil.rmtree(self._folder)

    def _follow(self) -> None:
        seen, reported = "", 0
        ledger = Ledger(self._git, "origin")
        while not self._ended.wait(TICK):
            tip = self._ref.read_text() if self._ref.exists() else ""
            if tip == seen:
                continue
            try:
                desired = ledger.read().desired(PRODUCTION)
                if desired is not None and desired.number != reported:
                    self._ended.wait(self._chance.uniform(0, 0.2))
                    follow(ledger, "live")
                    reported = desired.number
                    continue  # perhaps more was declared meanwhile
            except Exception as error:  # noqa: BLE001 -- it is shown with the round
                self.trouble = repr(error)
            seen = tip


# --- scripts ---------------------------------------------------------------------------


@contextmanager
def workshop(name: str) -> Iterator[Path]:
    """Give a folder that is removed at the end, unless something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"mergeline-{name}-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def note(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


def seconds_of(line: Line, chance: random.Random) -> tuple[float, dict[str, Any]]:
    """Promote without a disturbance; return how long it took, and what it left."""
    line.again()
    with Follower(line, chance) as follower:
        start = time.monotonic()
        ended = line.promote().ended()
        seconds = time.monotonic() - start
    if ended.name != "LIVE" or follower.trouble:
        raise SystemExit(f"the promotion ended with {ended} {follower.trouble}")
    return seconds, line.state()
