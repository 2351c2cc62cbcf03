"""prepare: the data, where it came from and how it was split."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from mergeline.core.base import Stated
from mergeline.core.evidence.envelope import Count
from mergeline.core.task import Task


class ColumnProfile(Stated):
    """One column of the table as read.

    Attributes:
        kind: What the column is taken for.
        missing: Rows without a value.
        distinct: Different values, missing excluded.
        summary: Numbers: min, mean, median, max, std. Dates: min, max (ISO 8601).
            Empty for text, so that no single value of the data leaves this file.
        top: The most frequent categories with their counts; at most 10, and only
            those seen in at least 10 rows.
        alone: How well the column alone tells the outcome, as in `Leak.score`; None for the
            target, and where there are too few rows to say.
    """

    name: str
    kind: Literal["number", "integer", "category", "boolean", "datetime", "text"]
    missing: Count
    distinct: Count
    summary: dict[str, FiniteFloat | str | None] = {}
    top: tuple[tuple[str, Count], ...] = ()
    alone: FiniteFloat | None = None


class Writing(Stated):
    """How a text file is written, as found or given.

    Attributes:
        encoding: As Python names it.
        separator: Between values; None for JSON lines.
        decimal: Before the fraction of a number; None for JSON lines.
        thousands: Between groups of three digits; None where nothing is.
    """

    encoding: str
    separator: str | None
    decimal: str | None
    thousands: str | None


class Split(Stated):
    """How rows came to the two sides.

    Attributes:
        method: What decides the side of a row.
        by: The column that decides, None for `row`.
        key: The column whose hash names a row's unit (group, else id); None when the
            whole row does.
        test: The fraction asked for, None when `after` is given.
        after: The cut for a split by time, ISO 8601.
        dropped: Training rows left out because their id or group is also held out
            (split by time only).
    """

    method: Literal["id", "group", "time", "row"]
    by: str | None
    key: str | None
    test: FiniteFloat | None
    after: str | None
    train_rows: Count
    test_rows: Count
    dropped: Count


class Leak(Stated):
    """A column that may tell the outcome, or that is known only afterwards.

    Attributes:
        sign: What was noticed: it predicts too well `alone`; its `name` or its `time` says that
            it is known afterwards; it is an `id` that predicts.
        score: How well the column alone predicts on held-out rows, 0 as by chance and 1
            without error (`stages.leaks` has the definitions); None where that was not measured.
        reason: One sentence.
        feature: Whether the model reads it.
    """

    column: str
    sign: Literal["alone", "name", "time", "id"]
    score: FiniteFloat | None
    reason: str
    feature: bool


class PrepareContent(Stated):
    """The data: where it came from, what it holds, how it was split.

    Attributes:
        sha256: SHA-256 of the source file's bytes; through it E binds the data.
        writing: How they were read as text; None for Parquet.
        positive: The class that counts, as text; binary only.
        balance: Rows by class of the target, as text; empty for regression.
        held_out_sha256: Of the sorted keys of the held-out rows: which rows a model was
            judged on.
        leaks: What may tell the outcome, the worst first.
        contract_sha256: SHA-256 of the contract file, None without one.
    """

    source: str
    sha256: str
    bytes: Count
    format: str
    writing: Writing | None = None
    task: Task = "binary"
    target: str
    positive: str | None
    noun: str
    rows: Count
    duplicate_rows: Count
    duplicate_ids: Count | None
    columns: tuple[ColumnProfile, ...]
    balance: dict[str, Count]
    contract: str | None
    contract_sha256: str | None
    split: Split
    held_out_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    leaks: tuple[Leak, ...] = ()
