"""A small line for the tests of `review`: the stand-in for GitHub, a clone, builds by hand."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from bundle.commits import BASE, HEAD, of_commits
from bundle.parts import Files, evidence_files, sealed
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import ACTIONS_USER, connect
from mergeline.adapters.github_client import Patience
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.cli.comment import words
from mergeline.core.plan import Plan
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.store import Ledger
from mergeline.rehearsal import Rehearsal
from mergeline.review.run import Job, Reviewing, review
from report import plans

TODAY = date(2026, 11, 20)
PATIENCE = Patience(seconds=5, tries=3, pause=0.01)
WORDS = words()


def git(folder: Path, *arguments: str, given: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def commit_files(
    remote: Path, branch: str, files: Mapping[str, str], onto: str | None = None
) -> str:
    """Put a commit with these files (beside those of `onto`) on a branch; return it."""
    start = [f"from {git(remote, 'rev-parse', onto)}"] if onto else []
    lines = [
        f"commit refs/heads/{branch}",
        "author Ann <ann@example.org> 1700000000 +0000",
        "committer Ann <ann@example.org> 1700000000 +0000",
        f"data <<END\n{branch}\nEND",
        *start,
        *(
            f"M 100644 inline {name}\ndata {len(text.encode())}\n{text}"
            for name, text in files.items()
        ),
    ]
    git(remote, "fast-import", "--quiet", "--force", given="\n".join(lines) + "\n")
    return git(remote, "rev-parse", branch)


def zipped(files: Files) -> bytes:
    """An archive as a workflow's upload makes it."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@dataclass
class SmallLine:
    """One project at the stand-in, and the trusted job's clone of it.

    Attributes:
        branches: How many there were; each pull request has a branch of its own.
    """

    world: Rehearsal
    clone: Path
    branches: int = field(default=0)

    @classmethod
    def start(cls, folder: Path, files: Mapping[str, str] | None = None) -> "SmallLine":
        world = Rehearsal.start(folder / "github")
        world.add_user("ann", permission="write")
        commit_files(Path(world.remote), "main", files or BASE)
        git(folder, "clone", "--quiet", world.remote, "clone")
        return cls(world, folder / "clone")

    @property
    def remote(self) -> Path:
        return Path(self.world.remote)

    @property
    def main(self) -> str:
        return git(self.remote, "rev-parse", "main")

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Afterwards main's files are as before, the queue is empty, and nothing goes wrong."""
        main = self.main
        yield
        self.world.world.faults.clear()
        if self.main != main:
            commit_files(self.remote, "main", BASE, onto="main")
        for name in self.world.repo.git.refs("refs/heads/gh-readonly-queue/"):
            git(self.remote, "update-ref", "-d", name)

    def ledger(self) -> tuple[Reviewed, ...]:
        entries = Ledger(Git(self.clone), "origin").read().entries
        assert all(isinstance(entry, Reviewed) for entry in entries)
        return entries  # type: ignore[return-value]

    def job(self, token: str | None = None, **changes: Any) -> Job:
        """The trusted job, as its workflow starts it."""
        clone = Git(self.clone)
        job = Job(
            github=connect(self.environ(token), PATIENCE),
            remote=Remote(clone, "origin"),
            ledger=Ledger(clone, "origin"),
            words=WORDS,
            main="main",
            today=TODAY,
            by="run 1 of acme/credit",
        )
        return replace(job, **changes)

    def environ(self, token: str | None = None) -> dict[str, str]:
        """What the workflow's environment holds."""
        return {
            "GITHUB_API_URL": self.world.api_url,
            "GITHUB_REPOSITORY": self.world.name,
            "GITHUB_TOKEN": token or self.world.token(ACTIONS_USER, "write"),
        }

    def push(self, files: Mapping[str, str] | None = None, *, onto: str = "main") -> str:
        """Push a branch of its own and return its name; by default that of a better model."""
        self.branches += 1
        name = f"change-{self.branches}"
        commit_files(self.remote, name, {"README.md": name, **(files or HEAD)}, onto=onto)
        return name

    def candidate(self, plan: Plan, head: str, base: str | None = None) -> Plan:
        """The plan as a build of this head, compared with this base, states it."""
        onto = base or self.main
        for commit in (onto, head):
            git(self.clone, "fetch", "--quiet", self.world.remote, commit)
        return of_commits(plan, Git(self.clone), head, onto)

    def parts(self, plan: Plan, head: str, base: str | None = None) -> dict[str, bytes]:
        """Both artifacts of a build of this head."""
        plan, model = sealed(self.candidate(plan, head, base))
        return {EVIDENCE_PART: zipped(evidence_files(plan)), MODEL_PART: zipped(model)}

    def run(self, branch: str, artifacts: Mapping[str, bytes], **changes: Any) -> int:
        """A run that has ended, for the tip of a branch."""
        about = {"head_sha": git(self.remote, "rev-parse", branch), "head_branch": branch}
        return self.world.add_run(**{**about, **changes}, artifacts=artifacts)

    def statuses(self) -> list[tuple[str, str, str]]:
        """State, sentence and address of each status that was set so far."""
        found = [write for write in self.world.writes if "/statuses/" in write.path]
        return [
            (each.body["state"], each.body["description"], each.body["target_url"])
            for each in found
            if each.done
        ]


def open_reviewed(line: SmallLine, plan: Plan | None = None, **push: Any) -> tuple[int, Reviewed]:
    """A pull request whose head is reviewed."""
    branch = line.push(**push)
    number = line.world.open_pull(branch, login="ann")
    head = git(line.remote, "rev-parse", branch)
    done = review(line.job(), line.run(branch, line.parts(plan or plans.better(), head)))
    assert isinstance(done, Reviewing), done
    return number, done.entry
