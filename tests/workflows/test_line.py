"""The whole line, driven by its workflows alone: from `mergeline init` to a rollback.

Each job sets Mergeline up by the real action, in an empty folder with an empty home: the first
with the same inputs from nothing, the others find what it set up.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cmls import install
from mergeline.rehearsal import Rehearsal
from projects import make_frame
from registries import server
from workflows.act import COMMIT, FRAMEWORK, Runner
from workflows.follower import ModelServer, following
from workflows.hosted import Hosted, Ran
from workflows.line import AUTHOR, REVIEWER, Project, git
from workflows.transcript import keep

REQUIRED = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "mergeline"}]},
}
# Two builds of everything and two set-ups: minutes, on a busy machine many.
pytestmark = pytest.mark.timeout(1500)
REASON = "it's worse; $(exit 9) `exit 9` ::error::x <b>@bob</b>"


@dataclass(frozen=True)
class Team:
    """A repository of a team, its registry's address and its model server."""

    project: Project
    follower: ModelServer
    store: Path


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        world = stack.enter_context(Rehearsal.start(folder / "github", tls=True))
        for login in (AUTHOR, REVIEWER):
            world.add_user(login, login.title(), f"{login}@example.org", permission="write")
        world.add_ruleset("main", [REQUIRED])
        assert world.tls_url is not None
        assert world.ca_file is not None
        (folder / "cml").mkdir()
        install(folder / "cml")
        runner = Runner(
            folder / "runner",
            world.tls_url.removeprefix("https://"),
            world.ca_file,
            cml=folder / "cml",
        )
        hosted = Hosted(world, runner)
        (folder / "mlflow").mkdir()
        store = f"sqlite:///{folder / 'mlflow/registry.db'}"
        registry = stack.enter_context(server(store, folder / "mlflow"))
        hosted.environments["production"] = {"MLFLOW_TRACKING_URI": registry}
        follower = stack.enter_context(following(folder / "host", world.remote, registry))
        project = Project(world, hosted, folder / "clone")
        begin(project, folder / "store")
        yield Team(project, follower, folder / "store")


def begin(project: Project, store: Path) -> None:
    """Do what `mergeline init` says: the workflows straight to main, the rest by a pull request."""
    clone = project.clone
    (clone / "data").mkdir(parents=True)
    git(clone, "init", "--quiet", "--initial-branch=main")
    git(clone, "remote", "add", "origin", project.world.remote)
    for key, value in {"name": AUTHOR.title(), "email": f"{AUTHOR}@example.org"}.items():
        git(clone, "config", f"user.{key}", value)
    make_frame(1500).to_csv(clone / "data/customers.csv", index=False)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "The table")
    mergeline(
        clone, "init", "--data", "data/customers.csv", "--target", "left", "--yes",
        "--framework", f"{FRAMEWORK}@{COMMIT}",
    )  # fmt: skip
    git(clone, "add", ".github", "requirements")
    git(clone, "commit", "--quiet", "-m", "Workflows of Mergeline")
    git(clone, "push", "--quiet", "origin", "main")
    # A folder stands for the team's bucket.
    store.mkdir()
    dvc = [
        sys.executable,
        "-m",
        "dvc",
        "remote",
        "add",
        "--quiet",
        "--default",
        "store",
        str(store),
    ]
    subprocess.run(dvc, cwd=clone, check=True, capture_output=True, timeout=60)
    settings = clone / "params.yaml"
    since, text = git(clone, "rev-parse", "HEAD"), settings.read_text()
    text, changed = re.subn('since: "[0-9a-f]{40}"', f'since: "{since}"', text)
    assert changed == 1
    settings.write_text(text + "deploy: {confirm_seconds: 90, watch_seconds: 1}\n")


def mergeline(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mergeline", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def propose(project: Project, branch: str) -> int:
    """Commit what lies in the author's checkout to a branch, and open its pull request."""
    git(project.clone, "switch", "--quiet", "--create", branch)
    git(project.clone, "add", "--all")
    git(project.clone, "commit", "--quiet", "-m", f"Change {branch}")
    git(project.clone, "push", "--quiet", "origin", branch)
    return project.world.open_pull(branch, login=AUTHOR, title=f"Change {branch}")


def well(runs: Sequence[Ran], *names: str) -> None:
    """Assert that these workflows ran, one after the other, and ended well."""
    logs = "\n".join(ran.log for ran in runs if not ran.ok)
    assert [(ran.name, ran.ok) for ran in runs] == [(name, True) for name in names], logs


def deliver(team: Team, branch: str) -> list[str]:
    """Take a change from a branch to the model server; return what the comment said on the way."""
    project, hosted = team.project, team.project.hosted
    number = propose(project, branch)
    well(hosted.opened(number), "pull-request", "comment")
    said = [comment for (comment,) in [project.comments(number)]]
    project.world.approve(number, REVIEWER)
    well(hosted.reviewed(number), "review", "comment")
    said += [comment for (comment,) in [project.comments(number)]]
    well(project.merge(number), "promote")
    said += [comment for (comment,) in [project.comments(number)]]
    git(project.clone, "fetch", "--quiet", "origin")
    git(project.clone, "switch", "--quiet", "--detach", "origin/main")
    return said


def test_a_team_goes_from_a_pull_request_to_production_and_back(team: Team) -> None:
    project, hosted, follower = team.project, team.project.hosted, team.follower
    assert follower.release()["state"] == "empty"

    opened, approved, merged = deliver(team, "first")
    assert "NOT_APPROVED" in opened
    assert "cml.dev/watermark.png" in opened
    assert "NOT_APPROVED" not in approved
    assert "**PROMOTE as version 1**" in approved
    assert "LIVE" in merged
    assert follower.release()["actual"]["version"] == "1"
    # What was published is what was approved: DVC's remote has it.
    assert any(path.is_file() for path in team.store.rglob("*"))

    settings = project.clone / "params.yaml"
    text = settings.read_text()
    assert "max_iter: 100" in text
    settings.write_text(text.replace("max_iter: 100", "max_iter: 60"))
    opened, _, merged = deliver(team, "second")
    assert follower.release()["actual"]["version"] == "2"

    well(hosted.dispatched("rollback.yml", version="", reason=REASON), "rollback")
    release = follower.release()
    assert (release["actual"]["version"], release["state"]) == ("1", "live")
    ledger = git(Path(project.world.remote), "show", "mergeline/ledger:ledger.jsonl")
    assert json.loads(ledger.splitlines()[-2])["reason"] == REASON
    kinds = project.ledger()
    assert kinds == [
        *("reviewed", "promoted", "live"),
        *("reviewed", "promoted", "live"),
        *("rolled_back", "live"),
    ]
    keep(hosted.runs)
