"""A line for tests of the rehearsal: real Git and the stand-in for GitHub; its jobs are quick."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.core import layout
from mergeline.errors import ToolError
from mergeline.files import write_whole
from mergeline.ledger.entries import Entry, Reviewed
from mergeline.ledger.store import Ledger
from mergeline.project.example import Example
from mergeline.project.line import _RULES, AUTHOR, REPOSITORY, REVIEWER, Ended, Line
from mergeline.project.process import Watch, run
from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.state import Status

D = "0123456789abcdef" * 4
COLUMNS = {"income": "number", "purpose": "category", "owner": "boolean"}
SAID = "## Good enough to release\n\n| Gate | Outcome |\n| --- | --- |\n| `auc` | passed |\n"
TIME = "2026-11-22T01:00:00Z"


class QuickLine(Line):
    """Judges by the branch's name: one that begins with `bad` fails, `broken` cannot be built.

    Attributes:
        hold: Clear it, and jobs wait; they go on once it is set.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(Example(folder, folder / "project", folder / "cache"), folder)
        self.hold = threading.Event()
        self.hold.set()
        self.comment_text = SAID
        self.answer = {"name": "LIVE", "reason": "Version 1 answers.", "next_step": ""}

    def __enter__(self) -> "QuickLine":
        self.github = Rehearsal.start(self.folder / "github", repository=REPOSITORY)
        for login in (AUTHOR, REVIEWER):
            self.github.add_user(login, login.title(), f"{login}@example.invalid", "write")
        self.github.add_ruleset("main", _RULES)
        self.example.folder.mkdir(parents=True)
        for command in (
            ("init", "--quiet", "--initial-branch=main"),
            ("config", "commit.gpgsign", "false"),
            ("remote", "add", "origin", self.github.remote),
        ):
            self.example.git(*command)
        write_whole(self.example.folder / layout.SETTINGS, b"project: demo\nmodel: {depth: 3}\n")
        self.example.commit("A start", author=AUTHOR)
        self.example.push("main")
        self._server = ModelServer()
        self.port = self._server.port
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self._server.stop()
        self.github.stop()

    def propose(self, branch: str, title: str, files: dict[str, str], body: str = "") -> int:
        """Open a pull request of Ada's."""
        self.example.branch(branch)
        for name, text in files.items():
            write_whole(self.example.folder / name, text.encode())
        self.example.commit(title, author=AUTHOR)
        self.example.push(branch)
        return self.github.open_pull(branch, login=AUTHOR, title=title, body=body)

    # --- the jobs ------------------------------------------------------------------------------

    def build_run(self, run_id: int, watch: Watch) -> int:
        self.github.begin_run(run_id)
        watch.say("running train <b>now</b>")
        self.hold.wait(60)
        branch = self.github.repo.runs[run_id].head_branch or ""
        if branch.startswith("broken"):
            self.github.end_run(run_id, "failure")
            return 3
        bad = branch.startswith("bad")
        self.github.upload(run_id, "evidence", {"a": b"1"})
        write_whole(self.page(run_id), b"<!doctype html><title>Report</title><script>1</script>")
        self.github.end_run(run_id, "failure" if bad else "success")
        return 10 if bad else 0

    def comment(self, run_id: int, _watch: Watch | None = None) -> str:
        self.hold.wait(60)
        run = self.github.repo.runs[run_id]
        pull = next(p for p in self.github.repo.pulls.values() if p.head_sha == run.head_sha)
        self.github.comment(pull.number, "github-actions[bot]", self.comment_text)
        bad = pull.head_ref.startswith("bad")
        state, said = ("failure", "1 of 2 gates failed") if bad else ("success", "All is well")
        self.set_status(run.head_sha, state, said)
        self.append(reviewed(pull.number, run.head_sha, run_id))
        return self.comment_text

    def promote(self, _watch: Watch | None = None) -> Ended:
        self.hold.wait(60)
        return Ended(0, self.answer)

    def rollback(self, reason: str, *_: object) -> Ended:
        self.hold.wait(60)
        if reason == "break":
            raise ToolError("the registry is <away>", hint="start it")
        return Ended(0, {**self.answer, "reason": "Version 1 is back.", "revert": None})

    # --- what stands in GitHub, the ledger and the server -----------------------------------------

    def set_status(self, sha: str, state: str, said: str) -> None:
        world = self.github.world
        with world.lock:
            self.github.repo.statuses.append(
                Status(world.next_id(), sha, "bot", state, "mergeline", said, None, world.clock())
            )

    def append(self, entry: Entry) -> None:
        """Append to the ledger."""
        clone = self.folder / "appending"
        if not clone.exists():
            clone.mkdir()
            run(["git", "init", "--quiet", "--bare", "."], clone)
        Ledger(Git(clone), self.github.remote).append(lambda _: entry)

    def serve_release(self) -> None:
        """Let the model server have a release, with its form."""
        made = self.folder / "server/releases/1-0123456789ab"
        features = [{"name": name, "kind": kind} for name, kind in COLUMNS.items()]
        about = {"schema_version": 1, "task": "binary", "target": "default", "positive": "1"}
        about |= {"classes": ["0", "1"], "features": features, "missing": []}
        probes = {"schema_version": 1, "columns": list(COLUMNS), "scores": [[0.5], [0.6]]}
        probes["rows"] = [[1000.5, '"><b>car', True], [2000.0, "boat", None]]
        described = json.dumps({"metadata": {"mergeline": about}})
        write_whole(made / "model/MLmodel", described.encode())
        write_whole(made / "probes.json", json.dumps(probes).encode())
        (self.folder / "server/current").symlink_to("releases/1-0123456789ab")


def reviewed(pull: int, commit: str, run_id: int) -> Reviewed:
    about = {"schema_version": 1, "time": TIME, "project": "demo", "by": "run 1"}
    return Reviewed.model_validate(
        {
            **about,
            "pull_request": pull,
            "commit": commit,
            "tree": commit,
            "base": None,
            **dict.fromkeys(("inputs", "model", "evidence", "key"), D),
            "outcome": "PASSED",
            "answer": "PROMOTE",
            "run": run_id,
            "parts": (),
            "head_repository": REPOSITORY,
            "comment": 1,
            "commented": TIME,
        }
    )


class ModelServer:
    """Answers as the model server does: what it was asked is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, {"state": "live", "reason": "", "actual": None, "desired": None})

            def do_POST(self) -> None:
                row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(row["dataframe_records"][0])
                if isinstance(server.asked[-1]["income"], str):
                    self._send(400, {"error": "income is <no> number"})
                    return
                said = {"probability": 0.25, "label": "<1>", "positive": False}
                self._send(200, {"predictions": [said], "threshold": 0.5})

            def _send(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("X-Mergeline-Release", "7 0123456789ab")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
