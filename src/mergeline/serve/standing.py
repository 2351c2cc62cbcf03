"""A release folder's own words, and what `GET /release` shows."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from mergeline.core.base import Frozen
from mergeline.core.evidence import EVIDENCE_TYPES, EvaluateContent
from mergeline.errors import ModelError, first_line
from mergeline.ledger.entries import Number, Release, Time

RELEASE_FILE = "release.json"
MODEL_FOLDER = "model"
PROBES_FILE = "probes.json"
EVIDENCE_FOLDER = "evidence"


class ReleaseFile(Frozen):
    """What `release.json` in a release folder says.

    Attributes:
        entry: The number of the ledger entry that declared it; None when none did.
        environment: Where it is to be live.
        release: Which bytes these are.
    """

    schema_version: Literal[1] = 1
    entry: Number | None
    environment: str
    release: Release

    @property
    def label(self) -> str:
        """What the header `X-Mergeline-Release` says: the version and the start of M."""
        version = self.release.version.encode("ascii", "replace").decode()
        return f"{version} {self.release.model[:12]}"


class Shown(Frozen):
    """One release, as `GET /release` shows it.

    Attributes:
        entry: The number of the ledger entry that declared it.
        model: M, the digest of the model directory.
        since: When it began to answer, or was declared.
    """

    entry: Number | None
    version: str
    model: str
    key: str
    commit: str
    pull_request: Number | None
    since: Time | None


State = Literal["live", "trying", "behind", "rejected", "empty"]


class Standing(Frozen):
    """What answers requests, and what should.

    Attributes:
        actual: The release that answers; None when none does.
        desired: The release that the ledger declares; None when nothing is declared or
            known. Without a ledger it is the actual one.
        state: `live`: the actual is the desired one. `trying`: it is, and it is watched.
            `behind`: it is not yet. `rejected`: it will not be, see `reason`. `empty`:
            nothing answers.
        reason: Why it is so; empty when there is nothing to say.
    """

    schema_version: Literal[1] = 1
    project: str
    environment: str
    actual: Shown | None
    desired: Shown | None
    state: State
    reason: Annotated[str, Field(max_length=2000)] = ""


def read_release_file(folder: Path) -> ReleaseFile:
    """Read `release.json` of a release folder.

    Raises:
        ModelError: It is not there, or says something else.
    """
    path = folder / RELEASE_FILE
    try:
        return ReleaseFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{path} is not the description of a release: {first_line(error)}",
            hint="give a folder that holds release.json, model/, probes.json and evidence/",
        ) from error


def read_threshold(folder: Path) -> float | None:
    """Return the threshold that a release's evidence was measured with; None without one.

    Raises:
        ModelError: The evidence is not there or not readable.
    """
    path = folder / EVIDENCE_FOLDER / "evaluate.json"
    try:
        evidence = EVIDENCE_TYPES["evaluate"].model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{path} is not the evidence of evaluate: {first_line(error)}",
            hint="fetch the release again, or build it again: mergeline check",
        ) from error
    content: EvaluateContent = evidence.content
    return content.threshold


def shown(file: ReleaseFile, since: str | None) -> Shown:
    """Return a release as `GET /release` shows it."""
    release = file.release
    return Shown(
        entry=file.entry,
        version=release.version,
        model=release.model,
        key=release.key,
        commit=release.commit,
        pull_request=release.pull_request,
        since=since,
    )


def standing_alone(file: ReleaseFile, since: str) -> Standing:
    """Return the standing of a release that is served without following anything."""
    seen = shown(file, since)
    return Standing(
        project=file.release.project,
        environment=file.environment,
        actual=seen,
        desired=seen,
        state="live",
    )
