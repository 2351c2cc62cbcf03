"""`cml` for tests: a small local program, and the real one wherever it is on PATH."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mergeline.adapters.cml import Cml
    from mergeline.adapters.github import GitHub
    from mergeline.rehearsal import Rehearsal

PROGRAM = Path(__file__).parent / "cml_program.py"
KINDS = ("standin", "real")


@dataclass
class Installed:
    """A `cml` that can be found on a PATH.

    Attributes:
        path: The PATH.
        folder: Where the stand-in's program is; the real one takes no faults.
        said: What the log was told.
    """

    path: str
    folder: Path
    said: list[str] = field(default_factory=list)

    def connect(self, world: "Rehearsal", github: "GitHub") -> "Cml":
        """Return CML for a repository at the stand-in for GitHub, which listens with TLS."""
        from mergeline.adapters.cml import connect_cml

        environ = {"PATH": self.path, **tls_environ(world)}
        return connect_cml(environ, github.client.place, self.said.append)

    def fault(self, kind: str) -> None:
        """Let each call from now on go wrong in this way."""
        (self.folder / "fault.json").write_text(json.dumps({"kind": kind}))

    def calls(self) -> list[dict[str, Any]]:
        """Return arguments and environment of each call so far."""
        place = self.folder / "calls.jsonl"
        lines = place.read_text().splitlines() if place.exists() else []
        return [json.loads(line) for line in lines]


def tls_environ(world: "Rehearsal") -> dict[str, str]:
    """Return what a workflow's environment says where the stand-in for GitHub is GitHub."""
    return {
        "GITHUB_SERVER_URL": str(world.tls_url),
        "GITHUB_API_URL": f"{world.tls_url}/api/v3",
        "GITHUB_REPOSITORY": world.name,
        "REQUESTS_CA_BUNDLE": str(world.ca_file),
    }


def install(folder: Path, kind: str = "standin") -> Installed:
    """Return an installed `cml`; skips the test where there is no real one."""
    surrounding = os.environ["PATH"]
    if kind == "real":
        if shutil.which("cml") is None:
            pytest.skip("no real `cml` on PATH")
        return Installed(surrounding, folder)
    program = folder / "cml"
    program.write_text(f"#!{sys.executable} -I\n{PROGRAM.read_text()}")
    program.chmod(0o755)
    return Installed(f"{folder}{os.pathsep}{surrounding}", folder)


@pytest.fixture(params=KINDS)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Installed:
    return install(tmp_path, request.param)


@pytest.fixture
def standin(tmp_path: Path) -> Installed:
    return install(tmp_path)


@pytest.fixture
def number(world: "Rehearsal", request: pytest.FixtureRequest) -> Iterator[int]:
    """A pull request of the test's own, at the `world` of its file; no faults remain there."""
    from review.lines import commit_files

    branch = "".join(each if each.isalnum() else "-" for each in request.node.name)
    commit_files(Path(world.remote), branch, {"a.txt": branch}, onto="main")
    yield world.open_pull(branch, login="ann")
    world.world.faults.clear()
