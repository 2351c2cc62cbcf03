"""The whole line on one machine: GitHub's stand-in, the jobs of the workflows, a model server."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mergeline.bundle.names import PARTS
from mergeline.bundle.pack import pack
from mergeline.core import layout
from mergeline.errors import ToolError
from mergeline.project.example import Example
from mergeline.project.process import Watch, end, failure, finished, mergeline, run, start
from mergeline.rehearsal import Rehearsal

REPOSITORY = "acme/credit-default"
AUTHOR, REVIEWER = "ada", "grace"
BOT = "github-actions[bot]"
# What main's branch rule asks for: the status that the trusted job sets, and an approval.
_RULES = (
    {
        "type": "required_status_checks",
        "parameters": {"required_status_checks": [{"context": "mergeline"}]},
    },
    {"type": "pull_request", "parameters": {"required_approving_review_count": 1}},
)
_JUDGED = (0, 10, 11)  # exit codes of a check that has a verdict
_START_SECONDS = 60
_LISTENS = re.compile(r"answers at http://127\.0\.0\.1:(\d+)/")


@dataclass(frozen=True)
class Ended:
    """How a job ended: its exit code, and what it printed as JSON."""

    code: int
    said: Any


class Line:
    """One repository with its line, from pull request to model server.

    Args:
        example: The clone that authors work in.
        folder: Holds the stand-in's repositories, the registry and the server's state.

    Attributes:
        port: Of the model server.
    """

    port: int

    def __init__(self, example: Example, folder: Path) -> None:
        self.example = example
        self.folder = folder
        self._registry = f"sqlite:///{folder / 'registry.db'}"

    def __enter__(self) -> Self:
        self.github = Rehearsal.start(self.folder / "github", repository=REPOSITORY)
        try:
            for login in (AUTHOR, REVIEWER):
                email = f"{login}@example.invalid"
                self.github.add_user(login, login.title(), email, permission="write")
            self._token = self.github.token(BOT, "write")
            self.github.add_ruleset("main", _RULES)
            self.example.start(Path(self.github.remote))
            self._runner = self.folder / "runner"
            run(["git", "clone", "--quiet", self.github.remote, str(self._runner)], self.folder)
            self._server = self._start_server()
        except BaseException:
            self.github.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            end(self._server)
        finally:
            self.github.stop()

    # --- what people do ------------------------------------------------------------------

    def open_pull(self, branch: str, title: str) -> int:
        """Push the author's branch and open its pull request."""
        self.example.push(branch)
        return self.github.open_pull(branch, login=AUTHOR, title=title)

    def approve(self, pull: int, login: str = REVIEWER) -> None:
        """Approve as the reviewer, or as somebody else.

        Raises:
            Refusal: It is somebody's own pull request.
        """
        # GitHub's times are whole seconds: an approval in the second of the comment is no
        # earlier than it.
        self.github.approve(pull, login)

    def merge(self, pull: int, method: str, login: str = REVIEWER) -> str:
        """Merge; return the commit that main ends with.

        Raises:
            ValueError: A rule of the branch does not allow it.
        """
        return self.github.merge(pull, method, login=login)

    # --- the jobs of the workflows ---------------------------------------------------------

    def build(self, commit: str, branch: str, *, code: int) -> int:
        """Do the job of a pull request's build; return the run that holds its artifacts."""
        command = mergeline("check", "--base", "origin/main", "--json")
        run(command, self.example.folder, code=code)
        conclusion = "success" if code == 0 else "failure"
        return self.github.add_run(
            commit, head_branch=branch, conclusion=conclusion, artifacts=self._parts()
        )

    def build_run(self, run_id: int, watch: Watch) -> int:
        """Do a build whose run is queued; return its exit code.

        Its artifacts are kept where there is a verdict, whatever it is.
        """
        self.github.begin_run(run_id)
        conclusion = "failure"
        try:
            commit = self.github.repo.runs[run_id].head_sha
            self.example.git("fetch", "--quiet", "origin")
            self.example.git("checkout", "--quiet", "--force", "--detach", commit)
            command = mergeline("check", "--base", "origin/main")
            done = finished(command, self.example.folder, watch=watch)
            watch.say(done.stdout)
            if done.returncode in _JUDGED:
                for part, data in self._parts().items():
                    self.github.upload(run_id, part, data)
            conclusion = "success" if done.returncode == 0 else "failure"
        finally:
            self.github.end_run(run_id, conclusion)
        return done.returncode

    def page(self, run_id: int) -> Path:
        """Return where the report is that the trusted job made of a build; there may be none."""
        return self.folder / "pages" / f"{run_id}.html"

    def _parts(self) -> dict[str, bytes]:
        return {part: pack(self.example.folder, part) for part in PARTS}

    def comment(self, run_id: int, watch: Watch | None = None) -> str:
        """Do the trusted job behind a build; return its comment."""
        self._refresh()
        self.page(run_id).parent.mkdir(exist_ok=True)
        command = mergeline("comment", "--run", str(run_id), "--page", str(self.page(run_id)))
        said = run(command, self._runner, self._secrets(), watch=watch)
        if watch is not None:
            watch.say(said)
        comments = self.github.repo.comments
        return comments[max(comments)].body

    def promote(self, watch: Watch | None = None) -> Ended:
        """Do the job of a push to main."""
        return self._job("promote", "--json", watch=watch)

    def rollback(self, reason: str, to: str | None = None, watch: Watch | None = None) -> Ended:
        """Do the job that somebody starts by hand, to a version or to the one before."""
        version = ["--to", to] if to else []
        return self._job("rollback", "--reason", reason, *version, "--json", watch=watch)

    def audit(self) -> Ended:
        """Ask where the live release comes from."""
        return self._job("audit", "--json")

    def verdict(self) -> Any:
        """Return what the last build's verdict says."""
        return json.loads((self.example.folder / layout.VERDICT).read_bytes())

    def _job(self, *arguments: str, watch: Watch | None = None) -> Ended:
        """Run a verb in a clone of main's tip, as a job on GitHub does."""
        self._refresh()
        done = finished(mergeline(*arguments), self._runner, self._secrets(), watch)
        try:
            return Ended(done.returncode, json.loads(done.stdout))
        except ValueError as error:
            raise failure(done, self._runner, "and printed no JSON") from error

    def _refresh(self) -> None:
        run(["git", "fetch", "--quiet", "origin", "main"], self._runner)
        run(["git", "checkout", "--quiet", "--force", "--detach", "origin/main"], self._runner)

    def _secrets(self) -> dict[str, str]:
        return {
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": self._token,
            "MLFLOW_TRACKING_URI": self._registry,
        }

    # --- the model server --------------------------------------------------------------------

    def _start_server(self) -> "subprocess.Popen[str]":
        command = mergeline("serve", "--follow", self.github.remote, "--interval", "0.5")
        command += ["--state", str(self.folder / "server"), "--port", "0"]
        log = self.folder / "server.log"
        with log.open("wb") as file:
            server = start(
                command, self.folder, {"MLFLOW_TRACKING_URI": self._registry}, log=file.fileno()
            )
        try:
            self.port = _port_of(server, log)
        except BaseException:
            end(server)
            raise
        return server

    def release(self) -> Any:
        """Return what the server says of its release; None while it does not listen."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/release", timeout=5) as got:
                return json.load(got)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return None


def _port_of(server: "subprocess.Popen[str]", log: Path) -> int:
    """Return the port that the model server says, once, that it listens on."""
    last = time.monotonic() + _START_SECONDS
    while time.monotonic() < last and server.poll() is None:
        found = _LISTENS.search(log.read_text(errors="replace"))
        if found is not None:
            return int(found[1])
        time.sleep(0.1)
    said = log.read_text(errors="replace")[-2000:]
    raise ToolError(f"the model server did not start: {said}", hint=f"look into {log}")
