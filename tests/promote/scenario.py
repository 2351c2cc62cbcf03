"""A line for the tests of `promote`: real Git, the stand-in for GitHub, SQLite registry, ledger.

Evidence comes from the real stages, once a run for each set of inputs; commits, reviews
and merges take milliseconds. The follower is a function that writes the report.
"""

import copy
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from bundle.parts import with_content
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_client import Patience
from mergeline.adapters.registry import Registry
from mergeline.bundle.judged import Head, Measured, base_settings, judged_plan, without_baseline
from mergeline.bundle.names import PARTS
from mergeline.bundle.pack import pack
from mergeline.check.run import read_evidence, verdict_json
from mergeline.cli.comment import words
from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.core.answers import Name
from mergeline.core.digest import sha256
from mergeline.core.plan import Plan
from mergeline.core.verdict import Baseline, Stage
from mergeline.inputs.digest import inputs_digest
from mergeline.ledger.entries import BundlePart, Entry, Reviewed
from mergeline.ledger.history import History
from mergeline.ledger.report import FollowerReport, branch_of, read_report, write_report
from mergeline.ledger.store import BRANCH, Ledger
from mergeline.project.template import PINS
from mergeline.promote.line import Ended
from mergeline.promote.rollback import RollbackEnded, RollbackJob, Wish, rollback
from mergeline.promote.run import Job, promote
from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.state import Run
from mergeline.report.markdown import marker
from mergeline.review.run import Job as ReviewJob
from mergeline.review.run import Reviewing, review
from projects import make_frame, run_stages
from shared import made_once

TODAY = date(2026, 11, 20)
PRODUCTION = "production"
# Relative, so that a copy of the folder has files of its own.
REGISTRY = "sqlite:///registry/registry.db"
PATIENCE = Patience(seconds=5, tries=2, pause=0.01)
MEASURED_STAGES = ("prepare", "train", "evaluate")
WORDS = words()
AUTHOR, REVIEWER, OTHER = "ann", "bob", "eve"

GATES = "gates:\n  auc-floor: {metric: roc_auc, at_least: 0.6}\n"
PROMOTION = "promotion: {approvals: 1}\n"
# The weakest regularisation of all models here is the first one's.
MODEL = "model: {estimator: sklearn.linear_model.LogisticRegression, params: {C: 1.0}}\n"
FIXED = """project: leavers
data:
  source: data/customers.csv
  target: left
  positive: "yes"
  noun: leaver
  id: customer
  exclude: [sex, joined]
split: {test: 0.3}
evaluate: {bootstrap: 100}
deploy: {confirm_seconds: 20}
"""
# The stages that are run here; the others are left out.
PIPELINE = f"""stages:
  prepare:
    cmd: mergeline stage prepare
    deps: [{PINS}, "${{data.source}}"]
    params: [data, split]
    outs: [data/prepared/train.parquet, data/prepared/test.parquet, reports/prepare.json]
  train:
    cmd: mergeline stage train
    deps: [{PINS}, data/prepared/train.parquet]
    params: [data, model]
    outs: [reports/model, reports/train.json]
  evaluate:
    cmd: mergeline stage evaluate
    deps: [{PINS}, data/prepared/test.parquet, reports/model]
    params: [data, model, evaluate]
    outs: [reports/predictions.parquet, reports/probes.json, reports/evaluate.json]
"""


def params(
    *, c: float = 1.0, gates: str = GATES, promotion: str = PROMOTION, more: str = ""
) -> str:
    """Return a `params.yaml`."""
    return FIXED + MODEL.replace("1.0", str(c)) + gates + promotion + more


def first_files() -> dict[str, str]:
    """Return all files of the project as it begins."""
    return {
        "params.yaml": params(),
        "dvc.yaml": PIPELINE,
        "data/customers.csv": make_frame(400).to_csv(index=False),
    }


def git(folder: Path, *arguments: str, given: str | None = None, env: Any = None) -> str:
    """Run Git and return what it prints."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=given,
        env=None if env is None else {**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def commit_files(
    remote: Path,
    branch: str,
    files: Mapping[str, str],
    onto: str | None,
    *,
    author: str = AUTHOR,
    message: str = "",
) -> str:
    """Put a commit with these files, beside those of `onto`, on a branch; return it."""
    text = message or f"Change {branch}"
    who = f"{author.title()} <{author}@example.org> 1700000000 +0000"
    lines = [
        f"commit refs/heads/{branch}",
        f"author {who}",
        f"committer {who}",
        f"data {len(text.encode())}",
        text,
        *([f"from {onto}"] if onto else []),
        *(f"M 100644 inline {name}\ndata {len(t.encode())}\n{t}" for name, t in files.items()),
    ]
    git(remote, "fast-import", "--quiet", "--force", given="\n".join(lines) + "\n")
    return git(remote, "rev-parse", branch)


Change = Callable[[Path, Plan], Plan]


# --- builds ----------------------------------------------------------------------------


@dataclass
class Builds:
    """What stages measured, once a run for each I; a folder each, like a project's root."""

    folder: Path

    def measured(self, repository: Git, commit: str) -> Path:
        """Return the folder of a commit's evidence and model; the stages run where it is new."""

        def make(root: Path) -> None:
            for name in ("params.yaml", "data/customers.csv"):
                data = repository.read(commit, name)
                assert data is not None
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(data)
            run_stages(root, *MEASURED_STAGES)

        return made_once(self.folder / inputs_digest(repository, commit), make)

    def build(
        self,
        repository: Git,
        commit: str,
        base: str | None,
        into: Path,
        change: Change | None = None,
    ) -> tuple[Path, Plan]:
        """Make what a build of a commit leaves: a project's root, and its plan.

        Args:
            repository: Holds commit and base.
            commit: What was built.
            base: What it is compared with.
            into: A folder that is not there yet.
            change: Changes files and plan before candidate and verdict are written.
        """
        shutil.copytree(self.measured(repository, commit), into)
        plan = self._plan(repository, commit, base, into)
        if change is not None:
            plan = change(into, plan)
        candidate = plan.candidate.model_dump_json(indent=1)
        (into / layout.CANDIDATE).write_text(candidate + "\n")
        (into / layout.VERDICT).write_text(verdict_json(plan))
        return into, plan

    def _plan(self, repository: Git, commit: str, base: str | None, root: Path) -> Plan:
        baseline = Baseline(status="none")
        if base is not None:
            baseline = without_baseline(repository, base) or Baseline(
                status="not_available", commit=base, reason="No cache here."
            )
        baseline, before = base_settings(repository, baseline)
        stages = tuple(Stage(name=name, action="ran", seconds=1.0) for name in MEASURED_STAGES)
        measured = Measured(
            evidence=read_evidence(root),
            baseline=baseline,
            baseline_evidence=read_evidence(root / "nowhere"),
            comparison=None,
            stages=stages,
        )
        text = (repository.read(commit, "params.yaml") or b"").decode()
        head = Head(
            commit=commit,
            settings=parse_settings(text, origin="params.yaml"),
            inputs=inputs_digest(repository, commit),
            contract=None,
        )
        return judged_plan(repository, head, before, measured, today=TODAY)


def other_model(root: Path, plan: Plan, line: bytes = b"# made on another machine\n") -> Plan:
    """Change a byte of the model that no score depends on."""
    path = root / layout.MODEL / "requirements.txt"
    path.write_bytes(path.read_bytes() + line)
    return rechained(root, plan)


def rechained(root: Path, plan: Plan) -> Plan:
    """Return the plan, and write the evidence, with the digests that the files have now."""
    from bundle.parts import chained
    from mergeline.files import file_sha256
    from mergeline.model.canonical import directory_bytes, directory_digest

    size, digest = directory_bytes(root / layout.MODEL), directory_digest(root / layout.MODEL)
    plan = with_content(plan, "train", model_sha256=digest, model_bytes=size)
    predictions = file_sha256(root / layout.PREDICTIONS)
    plan = with_content(plan, "evaluate", model_bytes=size, predictions_sha256=predictions)
    for stage in MEASURED_STAGES:
        text = getattr(plan.evidence, stage).model_dump_json(indent=1)
        (root / layout.evidence(stage)).write_text(text + "\n")
    return chained(plan)


# --- the line --------------------------------------------------------------------------


class Clock:
    """A second passes each time that somebody looks."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(frozen=True)
class Snapshot:
    """What a refused promotion may not change, byte for byte."""

    ledger: str
    report: str
    registry: str


Follow = Callable[["Scenario"], None]


@dataclass
class Scenario:
    """One project at the stand-in, with its registry, and the jobs of its line.

    Attributes:
        folder: Holds `github/`, `clone/` and `registry/`.
        said: What the last job said.
    """

    folder: Path
    world: Rehearsal
    builds: Builds
    said: list[str] = field(default_factory=list)
    count: int = 0

    @classmethod
    def start(cls, folder: Path, builds: Builds, *, first_number: int = 1) -> "Scenario":
        """Start the stand-in over a folder: an empty one, or a copy of one that was used."""
        world = Rehearsal.start(folder / "github", clock=Clock())
        world.repo.next_number = first_number
        for login in (AUTHOR, REVIEWER, OTHER):
            world.add_user(login, login.title(), f"{login}@example.org", permission="write")
        made = cls(folder, world, builds, count=first_number * 100)
        if not (folder / "clone").exists():
            pins = {PINS: "scikit-learn==1.9.1\n", "README.md": "# Leavers\n"}
            commit_files(made.remote, "main", pins, None)
            git(folder, "clone", "--quiet", world.remote, "clone")
        git(made.clone, "remote", "set-url", "origin", world.remote)
        return made

    # --- where things are --------------------------------------------------------------

    @property
    def remote(self) -> Path:
        return Path(self.world.remote)

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def git(self) -> Git:
        return Git(self.clone)

    @property
    def main(self) -> str:
        return git(self.remote, "rev-parse", "main")

    @property
    def history(self) -> History:
        return self.ledger.read()

    @cached_property
    def ledger(self) -> Ledger:
        """Remembers what it read last; whether that is still so it asks each time."""
        return Ledger(self.git, "origin")

    @property
    def registry(self) -> Registry:
        return Registry(REGISTRY, self.folder, "leavers")

    def last(self, kind: type[Entry]) -> Any:
        """Return the last entry of a kind."""
        return next(entry for entry in reversed(self.history.entries) if isinstance(entry, kind))

    def fetch(self) -> None:
        """Bring everything into the clone."""
        git(self.clone, "fetch", "--quiet", "origin", "+refs/*:refs/seen/*")

    # --- what people do ----------------------------------------------------------------

    def push(self, *commits: Mapping[str, str], onto: str = "main", **about: Any) -> str:
        """Push a branch of its own with a commit for each of the files; return its name."""
        self.count += 1
        name, parent = f"change-{self.count}", git(self.remote, "rev-parse", onto)
        for number, files in enumerate(commits, start=1):
            about.setdefault("message", "")
            text = about["message"] or f"Change {self.count}.{number}"
            more = {**about, "message": text}
            parent = commit_files(self.remote, name, files, parent, **more)
        return name

    def open(self, *commits: Mapping[str, str], onto: str = "main", **about: Any) -> int:
        """Open a pull request with these commits; return its number."""
        return self.world.open_pull(self.push(*commits, onto=onto, **about), login=AUTHOR)

    def push_again(self, branch: str, files: Mapping[str, str], **about: Any) -> str:
        """Push one more commit to a branch; return it."""
        return commit_files(self.remote, branch, files, self.tip(branch), **about)

    def tip(self, branch: str) -> str:
        return git(self.remote, "rev-parse", branch)

    def tip_in_clone(self) -> str:
        """Bring main's tip into the clone; return it."""
        self.fetch()
        return self.main

    def push_to_main(self, files: Mapping[str, str]) -> str:
        """Push straight to main, around every pull request."""
        return commit_files(self.remote, "main", files, self.main, message="a direct push")

    # --- the jobs ----------------------------------------------------------------------

    def run(self, number: int, change: Change | None = None) -> int:
        """Do the build's job for a pull request; return the run."""
        return self._built(number, change)[0].id

    def _built(self, number: int, change: Change | None) -> tuple[Run, Plan]:
        self.fetch()
        pull = self.world.pull(number)
        root, plan = self.builds.build(
            self.git, pull.head_sha, self.main, self._scratch(f"build-{number}"), change
        )
        parts = {part: pack(root, part) for part in PARTS}
        where = pull.head_repo.full_name if pull.head_repo else None
        run = self.world.add_run(
            pull.head_sha, artifacts=parts, head_branch=pull.head_ref, head_repository=where
        )
        return self.world.repo.runs[run], plan

    def check(self, number: int, change: Change | None = None) -> Reviewed:
        """Do the build's job, and leave what the comment's job would; return the entry."""
        run, plan = self._built(number, change)
        candidate, comment, commented = plan.candidate, *self._commented(number, plan)
        entry = Reviewed(
            time=commented,
            project=plan.project,
            by="run 1 of acme/credit",
            pull_request=number,
            commit=candidate.commit,
            tree=candidate.tree,
            base=candidate.base,
            inputs=candidate.inputs,
            model=candidate.model,
            evidence=candidate.evidence,
            key=candidate.key,
            outcome=plan.judgement.outcome,
            answer=plan.judgement.answer,
            run=run.id,
            parts=tuple(
                BundlePart(name=each.name, artifact=each.id, sha256=sha256(each.data))
                for each in run.artifacts
            ),
            head_repository=run.head_repo,
            comment=comment,
            commented=commented,
        )
        self.ledger.append(lambda _: entry)
        return entry

    def _commented(self, number: int, plan: Plan) -> tuple[int, str]:
        """Make a comment, or edit the one that says something else; its id, and when."""
        body = f"{marker(plan.project)}\n\n## {plan.candidate.key} {plan.candidate.evidence}\n"
        with self.world.world.lock:
            ours = (one for one in self.world.repo.comments.values() if one.number == number)
            comment = next(ours, None)
            if comment is None:
                made = self.world.comment(number, ACTIONS_USER, body)
                comment = self.world.repo.comments[made]
            elif comment.body != body:
                comment.body, comment.updated = body, self.world.world.clock()
            return comment.id, comment.updated.strftime("%Y-%m-%dT%H:%M:%SZ")

    def review(self, number: int) -> Reviewed:
        """Do the build's and the comment's job, as they are; return the entry."""
        done = review(self.review_job(), self.run(number))
        assert isinstance(done, Reviewing), done
        return done.entry

    def review_job(self) -> ReviewJob:
        """The job that follows a build."""
        return ReviewJob(
            github=self.github,
            remote=Remote(self.git, "origin"),
            ledger=self.ledger,
            words=WORDS,
            main="main",
            today=TODAY,
            by="run 1 of acme/credit",
        )

    def ready(self, *commits: Mapping[str, str], change: Change | None = None, **about: Any) -> int:
        """Open a pull request, check it and approve it."""
        number = self.open(*commits, **about)
        self.check(number, change)
        self.world.approve(number, REVIEWER)
        return number

    def merged(self, *commits: Mapping[str, str], method: str = "merge", **about: Any) -> str:
        """Do all of that and merge; return main's new tip."""
        return self.world.merge(self.ready(*commits, **about), method)

    def merged_unchecked(self, *commits: Mapping[str, str]) -> str:
        """Merge a pull request that no job of ours has seen; return main's new tip."""
        return self.world.merge(self.open(*commits))

    @property
    def github(self) -> GitHub:
        return connect(self.environ, PATIENCE)

    @property
    def environ(self) -> dict[str, str]:
        """What the environment of a job holds."""
        return {
            "GITHUB_API_URL": self.world.api_url,
            "GITHUB_REPOSITORY": self.world.name,
            "GITHUB_TOKEN": self.world.token(ACTIONS_USER, "write"),
        }

    def job(self, **changes: Any) -> Job:
        """The job of a push to main."""
        self.fetch()
        job = Job(
            git=self.git,
            remote=Remote(self.git, "origin"),
            github=self.github,
            commit=self.main,
            environment=None,
            by="run 2 of acme/credit",
            url="",
            today=TODAY,
            open_registry=lambda _: self.registry,
            render_card=lambda plan: f"# {plan.project}\n",
            interval=0.02,
        )
        return replace(job, **changes)

    def promote(self, follow: Follow | None = None, **changes: Any) -> Ended:
        """Promote main's tip; the follower acts while the promotion waits for it."""
        return promote(self.job(**changes), self._saying(follow or live))

    def rollback(
        self, reason: str = "it is worse", follow: Follow | None = None, **changes: Any
    ) -> RollbackEnded:
        """Roll back; the follower acts while the rollback waits for it."""
        self.fetch()
        return rollback(self.rollback_job(reason, **changes), self._saying(follow or live))

    def rollback_job(self, reason: str, to: str | None = None, **changes: Any) -> RollbackJob:
        """The job that somebody starts by hand."""
        job = RollbackJob(
            git=self.git,
            remote=Remote(self.git, "origin"),
            github=self.github,
            may_open=True,
            wish=Wish(reason, to),
            environment=None,
            by="run 3 of acme/credit",
            url="",
            open_registry=lambda _: self.registry,
            interval=0.02,
        )
        return replace(job, **changes)

    def _saying(self, follow: Follow) -> Callable[[str], None]:
        self.said.clear()

        def say(line: str) -> None:
            self.said.append(line)
            if line.startswith("confirm:"):
                follow(self)

        return say

    def rebuilt(self, change: Change | None = None) -> Path:
        """Do the build's job on main's tip; return the project's root."""
        self.fetch()
        base = self.git.first_parent(self.main)
        return self.builds.build(self.git, self.main, base, self._scratch("main"), change)[0]

    def _scratch(self, name: str) -> Path:
        self.count += 1
        return self.folder / "builds" / f"{name}-{self.count}"

    # --- what there is -----------------------------------------------------------------

    def report(self) -> FollowerReport | None:
        return read_report(Remote(self.git, "origin"), PRODUCTION)

    def snapshot(self) -> Snapshot:
        """Return what a refused promotion may not change."""
        refs = git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")
        tips = dict(line.split() for line in refs.splitlines())
        return Snapshot(
            ledger=tips.get(f"refs/heads/{BRANCH}", ""),
            report=tips.get(f"refs/heads/{branch_of(PRODUCTION)}", ""),
            registry=digest_of(self.folder / "registry"),
        )


def digest_of(folder: Path) -> str:
    """Return the digest of all files below a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


# --- followers -------------------------------------------------------------------------


def live(scenario: Scenario) -> None:
    """A follower that takes what is desired."""
    _report(scenario, "live")


def rejecting(scenario: Scenario) -> None:
    """A follower that does not."""
    _report(scenario, "rejected", "the probe rows\nscore differently")


def silent(scenario: Scenario) -> None:
    """A follower that is away."""


def _report(scenario: Scenario, state: Any, reason: str = "") -> None:
    follow(scenario.ledger, state, reason)


def follow(ledger: Ledger, state: Any, reason: str = "") -> None:
    """Report on what is desired now, as a follower does."""
    remote = Remote(ledger.git, "origin")
    desired = ledger.read().desired(PRODUCTION)
    assert desired is not None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = read_report(remote, PRODUCTION)
    report = FollowerReport(
        project=desired.release.project,
        environment=PRODUCTION,
        entry=desired.number,
        version=desired.release.version,
        model=desired.release.model,
        state=state,
        reason=reason,
        since=now,
        time=now,
        serving=desired.number if state == "live" else before and before.serving,
    )
    write_report(remote, report)


@contextmanager
def following(scenario: Scenario, state: str = "live") -> Iterator[None]:
    """Let a follower with a clone of its own look at each new entry, until the block ends."""
    home = scenario.folder / "follower"
    git(scenario.folder, "clone", "--quiet", "--bare", scenario.world.remote, str(home))
    ledger, over = Ledger(Git(home), "origin"), threading.Event()
    tip, seen = scenario.remote / "refs/heads" / BRANCH, None

    def look() -> None:
        nonlocal seen
        while not over.wait(0.05):
            # Git is asked only when there is something new.
            now = tip.read_text() if tip.exists() else ""
            if now == seen:
                continue
            seen = now
            desired = ledger.read().desired(PRODUCTION)
            report = read_report(Remote(ledger.git, "origin"), PRODUCTION)
            if desired is not None and (report is None or report.entry != desired.number):
                follow(ledger, state)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def refused(scenario: Scenario, name: Name, **changes: Any) -> Ended:
    """Promote, and see that it is refused and that nothing has changed."""
    before = scenario.snapshot()
    ended = scenario.promote(**changes)
    assert ended.name is name, ended
    assert scenario.snapshot() == before
    return ended


@dataclass(frozen=True)
class Checkpoint:
    """What a promotion may change, kept to begin from it again and again."""

    kept: Path
    branches: Mapping[str, str]
    records: Mapping[str, Any]

    @classmethod
    def of(cls, scenario: Scenario) -> "Checkpoint":
        kept = scenario.folder / "kept"
        for name in ("clone", "registry"):
            shutil.copytree(scenario.folder / name, kept / name, symlinks=True)
        return cls(kept, _branches(scenario), copy.deepcopy(_records(scenario)))

    def restore(self, scenario: Scenario) -> None:
        """Make everything as it was."""
        for name in ("clone", "registry"):
            shutil.rmtree(scenario.folder / name)
            shutil.copytree(self.kept / name, scenario.folder / name, symlinks=True)
        for name in _branches(scenario).keys() - self.branches.keys():
            git(scenario.remote, "update-ref", "-d", name)
        for name, commit in self.branches.items():
            git(scenario.remote, "update-ref", name, commit)
        with scenario.world.world.lock:
            for name, value in copy.deepcopy(dict(self.records)).items():
                setattr(scenario.world.repo, name, value)


def _branches(scenario: Scenario) -> dict[str, str]:
    where = "refs/heads/mergeline"
    refs = git(scenario.remote, "for-each-ref", "--format=%(refname) %(objectname)", where)
    return dict(line.split() for line in refs.splitlines())


def _records(scenario: Scenario) -> dict[str, Any]:
    names = ("check_runs", "comments", "deployments")
    return {name: getattr(scenario.world.repo, name) for name in names}


def fresh(base: Path, folder: Path, builds: Builds, number: int) -> Iterator[Scenario]:
    """Give a copy of a folder that a scenario has left, running; nothing of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    scenario = Scenario.start(folder, builds, first_number=number)
    with scenario.world:
        yield scenario
