"""What every evidence file has in common: the envelope, and what is in no digest."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, FiniteFloat

from mergeline.core.base import Stated
from mergeline.core.digest import json_digest

# A category, slice or group of fewer rows is not told about: it would name single ones.
FEWEST_TOLD = 10
UNTOLD = f"Fewer than {FEWEST_TOLD} rows would tell of single ones."

Count = Annotated[int, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Timing(Stated):
    """What differs from run to run and is therefore outside the digest.

    Attributes:
        started: UTC, ISO 8601.
        seconds: Wall time of the stage's own work, by named part and as `total`.
        host: Machine and Python, as text.
        latency_ms: Scoring latency by batch size (`"1"`, `"1000"`); evaluate only.
        run_id: The MLflow run, where tracking is on.
    """

    started: str
    seconds: dict[str, FiniteFloat]
    host: str
    latency_ms: dict[str, FiniteFloat] = {}
    run_id: str | None = None


Content = TypeVar("Content", bound=Stated)


class Evidence(Stated, Generic[Content]):
    """The envelope of every evidence file."""

    schema_version: Literal[1] = 1
    stage: str
    content: Content
    timing: Timing

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of the content, as its file says it."""
        return json_digest(self.content.as_given())
