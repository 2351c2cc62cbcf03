"""CML: a comment through its command line, whose behaviour was measured (0.20.6).

`cml comment update` reads the 30 oldest comments of a pull request, edits the newest of
them that carries its watermark, whoever wrote it, and otherwise makes another one. Whoever
calls it looks before and afterwards; here are the command and what its failures mean.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mergeline.adapters.github_errors import Asked, Said, refusal
from mergeline.adapters.github_place import API, Place
from mergeline.config.problem import printable, shown
from mergeline.errors import CmlFailed

# How many comments it looks at.
SEEN = 30

_SECONDS = 60.0  # it needs one; where GitHub limits requests it would wait for minutes
_LOOK_SECONDS = 0.25
_MOST = 4 << 20  # bytes that it prints; one error holds the whole report twice
_LONGEST = 200
_SERVER = "https://github.com"
_WATERMARK = "https://cml.dev/watermark.png"
_NEEDS = "pull-requests: write"
_REPORT = "report.md"
_REASON = re.compile(r"^request to .* failed, reason: (.+)")
_KIND = re.compile(r"[A-Za-z0-9_]{1,40}")
_PRINTED = re.compile(rb"#issuecomment-([0-9]{1,19})\s*$")
# What it needs of the network's ways besides the token.
_NETWORK = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
_BY_HAND = "see that `cml --version` works in this job"


def watermark_title(marker: str) -> str:
    """Return the title under which CML finds a project's comment again.

    Another one for each project: the only character that a project's name may hold and CML
    changes is the underscore, and no name holds a colon.
    """
    return marker.removeprefix("<!--").removesuffix("-->").strip().replace("_", ":")


def watermark(title: str, commit: str) -> str:
    """Return what CML appends to a report."""
    return f'\n\n![]({_WATERMARK}#{commit} "CML watermark {title}")'


def carries(body: str, title: str) -> bool:
    """Whether CML would take a comment for its own."""
    return re.search(_pattern(title), body) is not None


def without_watermark(body: str, title: str) -> str:
    """Return a comment without the watermark at its end."""
    return re.sub(rf"\s*{_pattern(title)}\s*\Z", "", body)


def _pattern(title: str) -> str:
    return rf'!\[\]\({re.escape(_WATERMARK)}#[0-9a-fA-F]+ "CML watermark {re.escape(title)}"\)'


@dataclass(frozen=True)
class Cml:
    """CML on this machine, for one repository.

    Attributes:
        place: Where GitHub's API is, and who asks.
        server: Address of GitHub's pages, from which CML derives the API's.
        path: Where programs are looked for.
        network: Variables that lead to GitHub: proxies, certificates.
        say: Is told in one line what CML did not do, and why.
        commit: Stands in the watermark; CML never finds one that has none.
        seconds: After which it is ended.
    """

    place: Place
    server: str
    path: str
    network: Mapping[str, str]
    say: Callable[[str], None]
    commit: str = field(default="0" * 40)
    seconds: float = _SECONDS

    def update(self, pull: int, title: str, report: str) -> int | None:
        """Edit the comment that carries the title, or make one.

        Args:
            pull: Number of the pull request.
            title: See `watermark_title`.
            report: Markdown; is posted as it is, with the watermark.

        Returns:
            The id of the comment, None where CML does not say it.

        Raises:
            CmlFailed: It cannot be used, or did not end well: look what it did.
        """
        command = [
            self._program(),
            *("comment", "update", "--driver", "github"),
            *("--repo", f"{self.server}/{self.place.repository}", "--target", f"pr/{pull}"),
            *("--publish=false", "--watermark-title", title, _REPORT),
        ]
        try:
            code, output, errors = self._run(command, report)
        except OSError as error:
            why = f"it cannot be started: {error.strerror}"
            raise CmlFailed(why, hint=_BY_HAND) from error
        if code != 0:
            raise self._failure(code, errors, pull)
        printed = _PRINTED.search(output)
        return int(printed[1]) if printed else None

    def _program(self) -> str:
        """Return the program, where it would talk to the API that we know."""
        program = shutil.which("cml", path=self.path)
        if program is None:
            hint = "install CML in the job (iterative/setup-cml), or set `report.transport: api`"
            raise CmlFailed("there is no `cml` on PATH", hint=hint)
        try:
            host = urlsplit(self.server).netloc.rpartition("@")[2]
        except ValueError:
            host = ""
        api = API if host == "github.com" else f"https://{host}/api/v3"
        if self.server != f"https://{host}" or self.place.address != api:
            raise CmlFailed(
                f"it can only ask {shown(api)}, and the API is {shown(self.place.address)}",
                hint="see GITHUB_SERVER_URL and GITHUB_API_URL, or set `report.transport: api`",
            )
        return os.path.abspath(program)  # noqa: PTH100 -- its working folder is another

    def _run(self, command: list[str], report: str) -> tuple[int, bytes, bytes]:
        """Return exit code, output and errors of a command with a folder of its own.

        It prints to files: Node does not wait for a pipe when it ends, and half an error
        line cannot be read.
        """
        with tempfile.TemporaryDirectory(
            prefix="mergeline-cml-", ignore_cleanup_errors=True
        ) as name:
            folder = Path(name)
            (folder / "home").mkdir()
            (folder / _REPORT).write_text(report, encoding="utf-8", newline="")
            paths = folder / "output", folder / "errors"
            with paths[0].open("wb") as output, paths[1].open("wb") as errors:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=self._environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                )
            try:
                code = _wait(process, paths, self.seconds)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            return code, _read(paths[0]), _read(paths[1])

    def _environment(self, folder: Path) -> dict[str, str]:
        """Return all that it gets to see: none of the job's secrets but the token.

        With CI or GITHUB_SERVER_URL it would ask for more; it writes to HOME.
        """
        return {
            **self.network,
            "PATH": self.path,
            "HOME": os.fspath(folder / "home"),
            "GITHUB_TOKEN": self.place.token,
            "GITHUB_SHA": self.commit,
            "ITERATIVE_DO_NOT_TRACK": "1",
        }

    def _failure(self, code: int, errors: bytes, pull: int) -> CmlFailed:
        """Return what the lines that it printed mean; they hold the report and are not told."""
        said = _last_error(errors)
        response, message = said.get("response"), str(said.get("message", ""))
        if isinstance(response, dict) and isinstance(said.get("status"), int):
            path = f"/repos/{self.place.repository}/issues/{pull}/comments"
            asked = Asked("cml comment update", path, _NEEDS, self.place.workflow)
            error = refusal(asked, _said(said["status"], response))
            return CmlFailed(error.message, hint=error.hint)
        if reason := _REASON.search(message):
            return CmlFailed(
                f"GitHub did not answer it: {printable(reason[1])[:_LONGEST]}",
                hint="see that the network is up; NODE_EXTRA_CA_CERTS names an authority of "
                "one's own, HTTPS_PROXY a proxy",
            )
        if message.startswith("invalid json response"):
            hint = "see whether GitHub has trouble, and whether a proxy is in the way"
            return CmlFailed("GitHub's answer did not reach it whole", hint=hint)
        kinds = (said.get("code"), said.get("name"))
        kind = next((each for each in kinds if isinstance(each, str) and _KIND.fullmatch(each)), "")
        return CmlFailed(f"it ended with exit code {code}{kind and f' ({kind})'}", hint=_BY_HAND)


def connect_cml(environ: Mapping[str, str], place: Place, say: Callable[[str], None]) -> Cml:
    """Return CML as a workflow's environment names it; it need not be there.

    Args:
        environ: `PATH`; `GITHUB_SERVER_URL` where it is not github.com; proxies and
            `NODE_EXTRA_CA_CERTS`, in place of which an authority of the API's place goes.
        place: Where GitHub's API is, and who asks.
        say: Is told in one line what CML did not do, and why.
    """
    network = {name: environ[name] for name in _NETWORK if environ.get(name)}
    authority = environ.get("NODE_EXTRA_CA_CERTS") or place.verify
    if isinstance(authority, str):
        network["NODE_EXTRA_CA_CERTS"] = os.path.abspath(authority)  # noqa: PTH100 -- as above
    server = environ.get("GITHUB_SERVER_URL", "").strip().rstrip("/") or _SERVER
    return Cml(place, server, environ.get("PATH", os.defpath), network, say)


def _wait(process: "subprocess.Popen[bytes]", paths: Iterable[Path], seconds: float) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(min(_LOOK_SECONDS, seconds))
        if any(path.stat().st_size > _MOST for path in paths):
            raise CmlFailed(f"it printed more than {_MOST:,} bytes", hint=_BY_HAND)
    if any(b"Retrying because of" in _read(path) for path in paths):
        said, hint = "GitHub limits requests, and it would wait longer than", "run it again later"
    else:
        said, hint = "it did not end within", "see whether GitHub has trouble"
    raise CmlFailed(f"{said} {seconds:g} seconds", hint=hint)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST)


def _last_error(errors: bytes) -> dict[str, Any]:
    """Return the last of its JSON lines that tells an error; empty without one."""
    for line in reversed(errors.splitlines()):
        with suppress(ValueError, RecursionError):
            said = json.loads(line)
            if isinstance(said, dict) and said.get("level") == "error":
                return said
    return {}


def _said(status: int, response: Mapping[str, Any]) -> Said:
    given = response.get("headers")
    headers = given.items() if isinstance(given, dict) else ()
    text = json.dumps(response.get("data"))
    return Said(status, {str(name).lower(): str(value) for name, value in headers}, text)
