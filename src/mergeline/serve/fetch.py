"""A process that fetches one release from the registry, verifies it and gives it its place.

    python -m mergeline.serve.fetch        a request as one line of JSON on standard input

It has the follower's credentials and MLflow, and it ends: what MLflow loads never stays in
the process that answers requests. It ends as well when whoever started it is gone.
"""

import asyncio
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mergeline.bundle.release_files import EVIDENCE, MOST_BYTES, regular_files, verify
from mergeline.core.answers import Name
from mergeline.core.base import Frozen
from mergeline.errors import (
    BytesMismatch,
    MergelineError,
    RegistryMismatch,
    ToolError,
    UnsafeModel,
    first_line,
)
from mergeline.serve.releases import Releases, write_release_file
from mergeline.serve.standing import MODEL_FOLDER, PROBES_FILE, ReleaseFile

_REFUSALS: Mapping[type[MergelineError], Name] = {
    BytesMismatch: Name.BYTES_MISMATCH,
    UnsafeModel: Name.UNSAFE_MODEL,
    RegistryMismatch: Name.REGISTRY_MISMATCH,
}


class Request(Frozen):
    """What to fetch.

    Attributes:
        state: The follower's state folder.
        uri: Of the registry.
        file: What the release's `release.json` is to say.
    """

    state: str
    uri: str
    file: ReleaseFile


class Outcome(Frozen):
    """What came of it.

    Attributes:
        state: `fetched`: the folder is there, and verified. `refused`: these bytes are not
            the release, or not safe. `failed`: try again later.
        answer: The name of a refusal.
    """

    state: Literal["fetched", "refused", "failed"]
    answer: Name | None = None
    message: str = ""
    hint: str = ""


async def fetch_release(request: Request, seconds: float) -> Outcome:
    """Run the process to its end; cancelled, it is killed.

    Args:
        request: What to fetch.
        seconds: The longest time.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mergeline.serve.fetch"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for whoever started it
    )
    assert process.stdin is not None  # noqa: S101 -- PIPE above
    assert process.stdout is not None  # noqa: S101
    try:
        async with asyncio.timeout(seconds):
            process.stdin.write(request.model_dump_json().encode() + b"\n")
            said = await process.stdout.read()
            code = await process.wait()
    except TimeoutError:
        message = f"it was not fetched within {seconds:g} seconds"
        return Outcome(state="failed", message=message, hint="look at the registry's network")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process.stdin.close()
    if code == 0:
        return Outcome.model_validate_json(said)
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    message = f"the process that fetches ended with {ended}"
    return Outcome(state="failed", message=message, hint="look at the log above this line")


def fetch(request: Request) -> Path:
    """Download, verify and place a release; return its folder.

    Raises:
        BytesMismatch: The files are not those that the ledger states the digests of.
        UnsafeModel: The model could do more than score.
        RegistryMismatch: The version is another promotion's.
        ToolError: The registry is away, or has no such version (any more, or yet).
        OSError: The disk is full.
    """
    release = request.file.release
    releases = Releases(Path(request.state))
    releases.folder(release)  # a version that is no name is not asked for
    releases.scratch().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=releases.scratch()) as scratch:
        made = Path(scratch, "made")
        _take(_download(request, Path(scratch, "download")), made)
        verify(made, release)
        _require_safe(made / MODEL_FOLDER, release.trusted)
        write_release_file(made, request.file)
        return releases.keep(made, release)


def _download(request: Request, folder: Path) -> Path:
    from mergeline.adapters.registry import Registry

    release = request.file.release
    # A relative path can only come from the environment of whoever started the follower.
    registry = Registry(request.uri, Path.cwd(), release.project)
    version = registry.version(release.version)
    if version is None:
        raise ToolError(
            f"the registry has no version {release.version} of {release.project}",
            hint="point MLFLOW_TRACKING_URI at the registry that `promote` writes to",
        )
    if version.key != release.key:
        raise RegistryMismatch(
            f"version {release.version} has the key {version.key[:12] or 'of nobody'}, "
            f"the ledger states {release.key[:12]}",
            hint="somebody else's version stands there; promote again",
        )
    try:
        registry.download(release.version, folder)
    except RegistryMismatch as error:
        raise BytesMismatch(error.message, hint=error.hint) from error
    return folder


def _take(download: Path, made: Path) -> None:
    """Take what the ledger's digests cover; the rest of a version is not for serving."""
    for name, path in regular_files(download).items():
        if name.startswith(f"{MODEL_FOLDER}/") or name in (PROBES_FILE, *EVIDENCE):
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(made / name)
    made.mkdir(exist_ok=True)


def _require_safe(model: Path, trusted: tuple[str, ...]) -> None:
    from mergeline.model.safety import read_files, require_safe

    require_safe(read_files(model), trusted)


# --- the process -----------------------------------------------------------------------


def main() -> None:
    """Read the request, do it, and say what came of it on standard output."""
    # What else is printed is not the answer.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        with os.fdopen(os.dup(0), "rb", buffering=0) as requests:
            line = requests.readline()
        threading.Thread(target=_end_with_starter, daemon=True).start()
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too large is an OSError
        answer.write(_outcome(Request.model_validate_json(line)).model_dump_json().encode())


def _outcome(request: Request) -> Outcome:
    try:
        fetch(request)
    except tuple(_REFUSALS) as error:
        name = next(name for kind, name in _REFUSALS.items() if isinstance(error, kind))
        return Outcome(state="refused", answer=name, message=error.message, hint=error.hint)
    except MergelineError as error:
        return Outcome(state="failed", message=error.message, hint=error.hint)
    except OSError as error:
        hint = "free some space, or check who owns the state folder"
        return Outcome(state="failed", message=first_line(error), hint=hint)
    return Outcome(state="fetched")


def _end_with_starter() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
