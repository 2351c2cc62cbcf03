"""GitHub Actions on one machine: what happens at the stand-in starts workflows, which act runs."""

import http.client
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.state import Pull
from workflows.act import COMMIT, FRAMEWORK, ROOT, Ended, Runner

BOT = "github-actions[bot]"
_FOLDER = ".github/workflows"
_CALLED = re.compile(rf"{FRAMEWORK}/{_FOLDER}/([a-z-]+\.yml)@{COMMIT}")


@dataclass(frozen=True)
class Started:
    """What happened, and where.

    Attributes:
        event: GitHub's name of it.
        commit: Whose workflow files run (`GITHUB_SHA`).
        ref: `GITHUB_REF`.
        payload: Of the event.
        pull: The pull request that it is about.
        head: The pull request's own commit at that time.
    """

    event: str
    commit: str
    ref: str
    payload: Mapping[str, Any]
    pull: Pull | None = None
    head: str | None = None


@dataclass(frozen=True)
class Ran:
    """One run of a workflow.

    Attributes:
        id: Of the run at the stand-in.
        attempt: The first, or a later one.
        name: Of the workflow.
        started: What started it.
        file: Of the workflow; `text` is what it held.
    """

    id: int
    attempt: int
    name: str
    ended: Ended
    started: Started
    file: str
    text: str

    @property
    def log(self) -> str:
        return self.ended.log

    @property
    def ok(self) -> bool:
        return self.ended.code == 0


@dataclass
class Hosted:
    """A repository at the stand-in whose workflows run.

    Attributes:
        secrets: Of the repository; forks get none.
        environments: Secrets by name of the environment.
        runs: All so far.
    """

    world: Rehearsal
    runner: Runner
    secrets: dict[str, str] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    runs: list[Ran] = field(default_factory=list)

    # --- events ------------------------------------------------------------------------------

    def opened(self, number: int, action: str = "opened") -> list[Ran]:
        """A pull request was opened, or its branch pushed to (`synchronize`)."""
        return self._start(self._of_pull("pull_request", number, {"action": action}))

    def reviewed(self, number: int) -> list[Ran]:
        """A review of a pull request was submitted."""
        review = self.world.pull(number).reviews[-1]
        about = {"id": review.id, "state": review.state.lower(), "user": {"login": review.login}}
        payload = {"action": "submitted", "review": about}
        return self._start(self._of_pull("pull_request_review", number, payload))

    def _of_pull(self, event: str, number: int, payload: Mapping[str, Any]) -> Started:
        pull, ref = self.world.pull(number), f"refs/pull/{number}/merge"
        about = {**payload, **_about_pull(pull, self.world.name)}
        return Started(event, self._git("rev-parse", ref), ref, about, pull, pull.head_sha)

    def pushed(self) -> list[Ran]:
        """Something was pushed to main, by a merge or directly."""
        payload = {"ref": "refs/heads/main", "after": self.main, "deleted": False}
        return self._start(Started("push", self.main, "refs/heads/main", payload))

    def queued(self, branch: str) -> list[Ran]:
        """A merge queue made a group."""
        ref = f"refs/heads/{branch}"
        commit = self._git("rev-parse", ref)
        group = {"head_sha": commit, "head_ref": ref, "base_ref": "refs/heads/main"}
        payload = {"action": "checks_requested", "merge_group": group}
        return self._start(Started("merge_group", commit, ref, payload))

    def dispatched(self, file: str, **inputs: str) -> list[Ran]:
        """Somebody started a workflow by hand."""
        payload = {"inputs": inputs, "ref": "refs/heads/main", "workflow": file}
        started = Started("workflow_dispatch", self.main, "refs/heads/main", payload)
        return self._start(started, only=file)

    def again(self, ran: Ran) -> list[Ran]:
        """Somebody pressed "Re-run all jobs": the old commit and file, once more."""
        attempt = ran.attempt + 1
        run = self.world.repo.runs[ran.id]
        run.attempt, run.status, run.conclusion = attempt, "in_progress", None
        return self._attempt(ran.id, attempt, ran.started, ran.file, ran.text)

    @property
    def main(self) -> str:
        """The tip of main."""
        return self._git("rev-parse", "refs/heads/main")

    # --- running -----------------------------------------------------------------------------

    def _start(self, started: Started, only: str | None = None) -> list[Ran]:
        """Run what an event starts, then what the end of those starts."""
        done = []
        for file, text in self._workflows(started.commit):
            about = YAML(typ="safe").load(text)
            if (only is None or only == file) and _starts(about, started.event, started.payload):
                done += self._run(started, file, text, about)
        return done

    def _run(self, started: Started, file: str, text: str, about: Mapping[str, Any]) -> list[Ran]:
        pull = started.pull
        head = pull.head_repo if pull else None
        run = self.world.add_run(
            started.head or started.commit,
            event=started.event,
            head_branch=pull.head_ref if pull else started.ref.removeprefix("refs/heads/"),
            head_repository=head.full_name if head else self.world.name,
            status="in_progress",
            name=about["name"],
            path=f"{_FOLDER}/{file}",
        )
        return self._attempt(run, 1, started, file, text)

    def _attempt(self, run: int, attempt: int, started: Started, file: str, text: str) -> list[Ran]:
        about = YAML(typ="safe").load(text)
        pull = started.pull
        of_fork = pull is not None and pull.head_repo is not self.world.repo
        token = self.world.token(BOT, "read" if of_fork else "write", _granted(about))
        # What act must be told, since no job starts in a checkout.
        variables = {
            "GITHUB_RUN_ID": str(run),
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_REPOSITORY": self.world.name,
            "GITHUB_ACTOR": pull.login if pull else self.world.repo.owner,
            "GITHUB_REF": started.ref,
            "SHA_REF": started.commit,
            "RUNNER_STORE": self.world.url,
            "RUNNER_STORE_KEY": self.world.world.secret,
        }
        repository = {"full_name": self.world.name, "default_branch": "main"}
        secrets = {} if of_fork else {**self.secrets, **self._of_environments(started.ref, about)}
        ended = self.runner.run(
            started.event,
            file,
            text,
            {**started.payload, "repository": repository},
            variables=variables,
            secrets={**secrets, "GITHUB_TOKEN": token},
        )
        self.world.end_run(run, ended.conclusion)
        ran = Ran(run, attempt, about["name"], ended, started, file, text)
        self.runs.append(ran)
        follow = {"action": "completed", "workflow_run": self._shown(run)}
        return [ran, *self._start(Started("workflow_run", self.main, "refs/heads/main", follow))]

    def _of_environments(self, ref: str, about: Mapping[str, Any]) -> dict[str, str]:
        """Return the secrets of the environments that a workflow's jobs name.

        Their rule lets in main's jobs alone. act knows the secrets of a run, not of a job.
        """
        if ref != "refs/heads/main":
            return {}
        named = {name for job in _jobs(about) for name in _environment(job)}
        given = [self.environments[name] for name in sorted(named & self.environments.keys())]
        return {key: value for secrets in given for key, value in secrets.items()}

    def _workflows(self, commit: str) -> Iterator[tuple[str, str]]:
        for path in self._git("ls-tree", "--name-only", commit, f"{_FOLDER}/").splitlines():
            yield Path(path).name, self._git("show", f"{commit}:{path}") + "\n"

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", self.world.remote, *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout.rstrip("\n")

    def _shown(self, run: int) -> Any:
        """Return a run as the API shows it."""
        host = self.world.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            path = f"/api/v3/repos/{self.world.name}/actions/runs/{run}"
            token = self.world.token(BOT, "read")
            connection.request("GET", path, headers={"Authorization": f"token {token}"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def _about_pull(pull: Pull, name: str) -> dict[str, Any]:
    head_repo = {"full_name": pull.head_repo.full_name} if pull.head_repo else None
    head = {"sha": pull.head_sha, "ref": pull.head_ref, "repo": head_repo}
    base = {"sha": pull.base_sha, "ref": pull.base_ref, "repo": {"full_name": name}}
    about = {"number": pull.number, "head": head, "base": base, "title": pull.title}
    return {"number": pull.number, "pull_request": about}


def _starts(about: Mapping[str, Any], event: str, payload: Mapping[str, Any]) -> bool:
    """Whether an event starts a workflow, by its `on`."""
    on = about["on"]
    named = {on: None} if isinstance(on, str) else dict.fromkeys(on) if isinstance(on, list) else on
    if event not in named:
        return False
    how = named[event] or {}
    if event == "workflow_run":
        return payload["workflow_run"]["name"] in how["workflows"]
    if event == "push" and "branches" in how:
        return payload["ref"].removeprefix("refs/heads/") in how["branches"]
    return payload.get("action") in how.get("types", [payload.get("action")])


def _jobs(about: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return a workflow's jobs, those of the workflows of Mergeline that it calls included."""
    for job in about["jobs"].values():
        called = _CALLED.fullmatch(job.get("uses", ""))
        if called is None:
            yield job
        else:
            text = (ROOT / _FOLDER / called[1]).read_text()
            yield from YAML(typ="safe").load(text)["jobs"].values()


def _environment(job: Mapping[str, Any]) -> list[str]:
    named = job.get("environment")
    return [] if named is None else [named if isinstance(named, str) else named["name"]]


def _granted(about: Mapping[str, Any]) -> dict[str, str]:
    """Return all that a workflow's jobs are granted together: act knows one token for all."""
    given: dict[str, str] = {}
    for job in about["jobs"].values():
        for name, level in (job.get("permissions", about.get("permissions")) or {}).items():
            key = name.replace("-", "_")
            given[key] = max(level, given.get(key, "none"), key=["none", "read", "write"].index)
    return given
