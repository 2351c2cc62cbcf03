"""Requests as Parquet files: bounded, rotated, and written beside the scoring."""

from typing import Annotated

from pydantic import Field

from mergeline.core.base import Frozen


class LogSettings(Frozen):
    """Where requests are written, and how much of it is kept.

    Attributes:
        folder: An absolute path.
        rows: Of one file at most.
        files: That are kept; the oldest go first.
    """

    folder: str
    rows: Annotated[int, Field(ge=1)] = 10_000
    files: Annotated[int, Field(ge=1)] = 100
