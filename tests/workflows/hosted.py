"""GitHub Actions on one machine: what happens at the stand-in starts workflows, which act runs."""

import http.client
import json
import os
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


@dataclass(frozen=True)
class Ran:
    """One run of a workflow.

    Attributes:
        id: Of the run at the stand-in.
        name: Of the workflow.
    """

    id: int
    name: str
    ended: Ended

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
        environments: Secrets by name of the environment; jobs of main get them.
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
        pull = self.world.pull(number)
        payload = {"action": action, **self._about_pull(pull)}
        merge = self._git("rev-parse", f"refs/pull/{number}/merge")
        return self._start("pull_request", merge, f"refs/pull/{number}/merge", payload, pull)

    def reviewed(self, number: int) -> list[Ran]:
        """A review of a pull request was submitted."""
        pull = self.world.pull(number)
        review = pull.reviews[-1]
        about = {"id": review.id, "state": review.state.lower(), "user": {"login": review.login}}
        payload = {"action": "submitted", "review": about, **self._about_pull(pull)}
        merge = self._git("rev-parse", f"refs/pull/{number}/merge")
        return self._start("pull_request_review", merge, f"refs/pull/{number}/merge", payload, pull)

    def pushed(self) -> list[Ran]:
        """Something was pushed to main, by a merge or directly."""
        commit = self.main
        payload = {"ref": "refs/heads/main", "after": commit, "deleted": False}
        return self._start("push", commit, "refs/heads/main", payload)

    def queued(self, branch: str) -> list[Ran]:
        """A merge queue made a group."""
        commit = self._git("rev-parse", f"refs/heads/{branch}")
        group = {"head_sha": commit, "head_ref": f"refs/heads/{branch}", "base_ref": "main"}
        payload = {"action": "checks_requested", "merge_group": group}
        return self._start("merge_group", commit, f"refs/heads/{branch}", payload)

    def dispatched(self, workflow: str, **inputs: str) -> list[Ran]:
        """Somebody started a workflow by hand."""
        payload = {"inputs": inputs, "ref": "refs/heads/main", "workflow": workflow}
        return self._start(
            "workflow_dispatch", self.main, "refs/heads/main", payload, only=workflow
        )

    def again(self, ran: Ran) -> Ran:
        """Somebody pressed "Re-run all jobs": the old commit, once more."""
        raise NotImplementedError(ran)

    @property
    def main(self) -> str:
        """The tip of main."""
        return self._git("rev-parse", "refs/heads/main")

    # --- running -----------------------------------------------------------------------------

    def _start(
        self,
        event: str,
        commit: str,
        ref: str,
        payload: Mapping[str, Any],
        pull: Pull | None = None,
        only: str | None = None,
    ) -> list[Ran]:
        """Run what an event starts, then what the end of those starts."""
        done = []
        for file, text in self._workflows(commit):
            about = YAML(typ="safe").load(text)
            if (only is None or only == file) and _starts(about, event, payload):
                done += self._run(event, commit, ref, payload, pull, file, text, about)
        return done

    def _run(
        self,
        event: str,
        commit: str,
        ref: str,
        payload: Mapping[str, Any],
        pull: Pull | None,
        file: str,
        text: str,
        about: Mapping[str, Any],
    ) -> list[Ran]:
        name = about["name"]
        branch = ref.removeprefix("refs/heads/")
        of_fork = pull is not None and pull.head_repo is not self.world.repo
        head_repo = pull.head_repo.full_name if pull and pull.head_repo else self.world.name
        run = self.world.add_run(
            pull.head_sha if pull else commit,
            event=event,
            head_branch=pull.head_ref if pull else branch,
            head_repository=head_repo,
            status="in_progress",
            name=name,
            path=f"{_FOLDER}/{file}",
        )
        token = self.world.token(BOT, "read" if of_fork else "write", _granted(about))
        # What act must be told, since no job starts in a checkout.
        variables = {
            "GITHUB_RUN_ID": str(run),
            "GITHUB_REPOSITORY": self.world.name,
            "GITHUB_ACTOR": pull.login if pull else self.world.repo.owner,
            "GITHUB_REF": ref,
            "SHA_REF": commit,
            "RUNNER_STORE": self.world.url,
            "RUNNER_STORE_KEY": self.world.world.secret,
        }
        everything = {
            **payload,
            "repository": {"full_name": self.world.name, "default_branch": "main"},
        }
        secrets = {} if of_fork else {**self.secrets, **self._of_environments(ref)}
        ended = self.runner.run(
            event,
            file,
            text,
            everything,
            variables=variables,
            secrets={**secrets, "GITHUB_TOKEN": token},
        )
        self.world.end_run(run, ended.conclusion)
        ran = Ran(run, name, ended)
        self.runs.append(ran)
        follow = {"action": "completed", "workflow_run": self._shown(run)}
        return [ran, *self._start("workflow_run", self.main, "refs/heads/main", follow)]

    def _of_environments(self, ref: str) -> dict[str, str]:
        """Return the secrets of environments, whose rule lets in main's jobs alone."""
        if ref != "refs/heads/main":
            return {}
        return {k: v for given in self.environments.values() for k, v in given.items()}

    def _workflows(self, commit: str) -> Iterator[tuple[str, str]]:
        for path in self._git("ls-tree", "--name-only", commit, f"{_FOLDER}/").splitlines():
            yield Path(path).name, self._git("show", f"{commit}:{path}") + "\n"

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", self.world.remote, *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout.rstrip("\n")

    def _about_pull(self, pull: Pull) -> dict[str, Any]:
        head_repo = {"full_name": pull.head_repo.full_name} if pull.head_repo else None
        head = {"sha": pull.head_sha, "ref": pull.head_ref, "repo": head_repo}
        base = {"sha": pull.base_sha, "ref": pull.base_ref}
        about = {"number": pull.number, "head": head, "base": base, "title": pull.title}
        return {"number": pull.number, "pull_request": about}

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


def _granted(about: Mapping[str, Any]) -> dict[str, str]:
    """Return all that a workflow's jobs are granted together: act knows one token for all."""
    given: dict[str, str] = {}
    for job in about["jobs"].values():
        for name, level in (job.get("permissions", about.get("permissions")) or {}).items():
            key = name.replace("-", "_")
            given[key] = max(level, given.get(key, "none"), key=["none", "read", "write"].index)
    return given


def callers(root: Path) -> dict[str, str]:
    """Return the workflow files of a project that uses this checkout of Mergeline."""
    from mergeline.project.callers import workflow_files

    return workflow_files(FRAMEWORK, COMMIT)
