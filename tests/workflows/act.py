"""Running one workflow with `act` on this machine, as a hosted runner would.

Every job begins in an empty folder with an empty home and with nothing of the environment
of the tests. The first job with the same inputs of the set-up action runs its `make job` from
nothing, in a copy beside the jobs' folders; the next ones run it there again, and it finds that
all is made. Actions of third parties are replaced by the small ones
beside this file.

What act 0.2.89 does not know is written for it as GitHub reads it: `$/PATH` as the
repository and commit that the file is of; `queue: max` and `deployment: false` are left
out (act runs one job at a time and makes no deployments).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FRAMEWORK, COMMIT = "acme/mergeline", f"{1:040x}"
_ACTIONS = {
    "actions/checkout": "checkout",
    "actions/setup-python": "setup-python",
    "actions/upload-artifact": "upload-artifact",
    "iterative/setup-cml": "setup-cml",
}
_USES = re.compile(r"uses: ([\w.-]+/[\w.-]+)[\w./-]*@([0-9a-f]{40})")
_SECONDS = 600
# What keeps a job from the network's packages, or is needed to reach them, and no more.
_PASSED = (
    "PATH",
    "PIP_FIND_LINKS",
    "PIP_DEFAULT_TIMEOUT",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_SHELL = """#!/bin/sh
# Each job has a home of its own, and it is empty when the job begins.
HOME="$RUNNER_TEMP/home"
export HOME
mkdir -p "$HOME"
exec /bin/bash "$@"
"""
_MAKE = """#!/bin/sh
# make --silent -C ACTION job, at a place that outlives the job.
kept="$RUNNER_SETUPS/$(printf %s "$CHECKS,$REMOTE,$EXTRAS,$REQUIREMENTS" | sha256sum | cut -c1-16)"
test -d "$kept" || cp -r "$3" "$kept"
exec MAKE "$1" "$2" "$kept" "$4"
"""


def program() -> str | None:
    """Return where `act` is; None where it is not installed."""
    return shutil.which("act") or shutil.which("act", path=str(Path.home() / "go/bin"))


@dataclass(frozen=True)
class Ended:
    """How a workflow ended, and all that it printed."""

    code: int
    log: str

    @property
    def conclusion(self) -> str:
        """As GitHub names it."""
        return "success" if self.code == 0 else "failure"


@dataclass
class Runner:
    """A machine that runs workflows.

    Attributes:
        folder: For everything that it leaves.
        server: `HOST:PORT` of the stand-in, with TLS.
        ca_file: By which that server is known.
        variables: Of every job's environment.
        cml: A folder with a `cml`; None for none.
        quick: Whether jobs use the Mergeline of the tests, instead of setting one up each.
    """

    folder: Path
    server: str
    ca_file: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    cml: Path | None = None
    quick: bool = False

    def __post_init__(self) -> None:
        self.framework = self.folder / "framework"
        _export(self.framework, only=(".github",) if self.quick else ())
        if self.quick:
            setup = HERE / "actions/setup/action.yml"
            shutil.copy(setup, self.framework / ".github/actions/setup/action.yml")
        shell = self.folder / "bin/bash"
        shell.parent.mkdir()
        shell.write_text(_SHELL)
        shell.chmod(0o755)
        make = self.folder / "shared/make"
        make.parent.mkdir()
        make.write_text(_MAKE.replace("MAKE", str(shutil.which("make"))))
        make.chmod(0o755)
        (self.folder / "set-ups").mkdir()
        # Not a shim that looks for its interpreter under the home that is empty.
        (self.folder / "bin/python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
        # The machine's own certificates, for packages, and the stand-in's.
        known = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
        bundle = known.read_bytes() if known.is_file() else b""
        self.bundle = self.folder / "certificates.pem"
        self.bundle.write_bytes(bundle + b"\n" + self.ca_file.read_bytes())

    def run(
        self,
        event: str,
        workflow: str,
        text: str,
        payload: Mapping[str, Any],
        *,
        variables: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> Ended:
        """Run a workflow file to its end.

        Args:
            event: That starts it.
            workflow: The file's name.
            text: What it holds.
            payload: Of the event.
            variables: `GITHUB_*` of this run.
            secrets: By name; `GITHUB_TOKEN` is the token of its jobs.
        """
        name = f"{variables['GITHUB_RUN_ID']}-{variables['GITHUB_RUN_ATTEMPT']}"
        place = self.folder / "runs" / name
        (place / "work").mkdir(parents=True)
        (place / "work" / workflow).write_text(for_act(text))
        (place / "event.json").write_text(json.dumps(payload))
        (place / "secrets").write_text(
            "".join(f"{k}={json.dumps(v)}\n" for k, v in secrets.items())
        )
        actions = {found: HERE / "actions" / _ACTIONS[found[0]] for found in self._third_parties()}
        actions[FRAMEWORK, COMMIT] = self.framework
        command = [
            *(str(program()), event, "--workflows", workflow, "--directory", str(place / "work")),
            *("--eventpath", str(place / "event.json"), "--secret-file", str(place / "secrets")),
            *("--platform", "ubuntu-24.04=-self-hosted", "--no-skip-checkout", "--no-cache-server"),
            *("--github-instance", self.server, "--action-cache-path", str(place / "jobs")),
            *("--var-file", os.devnull, "--input-file", os.devnull, "--env-file", os.devnull),
            *(f"--local-repository={name}@{ref}={at}" for (name, ref), at in actions.items()),
            *(f"--env={name}={value}" for name, value in variables.items()),
        ]
        with (place / "log").open("wb") as log:
            code = subprocess.run(
                command,
                cwd=place,
                env=self._environment(place),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            ).returncode
        return Ended(code, (place / "log").read_text(errors="replace"))

    def _environment(self, place: Path) -> dict[str, str]:
        (place / "home").mkdir()
        passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
        caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        programs = (self.folder / "shared", self.folder / "bin")
        certificates = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT")
        return {
            **dict.fromkeys(certificates, str(self.bundle)),
            **self.variables,
            "NODE_EXTRA_CA_CERTS": str(self.ca_file),
            **passed,
            "PATH": os.pathsep.join([*map(str, programs), _path()]),
            "HOME": str(place / "home"),
            # Packages are downloaded once for all jobs.
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(caches / "uv")),
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(caches / "pip")),
            "COMPILE": "",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "RUNNER_CML": str(self.cml or ""),
            "RUNNER_SETUPS": str(self.folder / "set-ups"),
            "RUNNER_MERGELINE": str(Path(sys.executable).parent),
        }

    def _third_parties(self) -> set[tuple[str, str]]:
        """Return repository and commit of every action that the framework's files use."""
        files = (self.framework / ".github").rglob("*.yml")
        found = {pair for file in files for pair in _USES.findall(file.read_text())}
        return found - {(FRAMEWORK, COMMIT)}


def _path() -> str:
    """Return where programs are, without those of the environment that runs the tests."""
    places = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(one for one in places if not Path(one).is_relative_to(sys.prefix))


def for_act(text: str) -> str:
    """Write a workflow or an action as act understands it."""
    text = re.sub(r"uses: \$/(\S+)", rf"uses: {FRAMEWORK}/\1@{COMMIT}", text)
    return re.sub(r"^ *(queue: max|deployment: false).*\n", "", text, flags=re.MULTILINE)


def _export(into: Path, only: tuple[str, ...] = ()) -> None:
    """Copy what Git knows of this repository, or some of it, as an action is downloaded."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *only],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, into / name)
    for file in (into / ".github").rglob("*.yml"):
        file.write_text(for_act(file.read_text()))
