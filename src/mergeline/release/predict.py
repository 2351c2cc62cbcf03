"""Batch scoring with a release, in chunks: a table in, the same rows with a score out."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mergeline.config.settings import Data
from mergeline.errors import ContractError, UsageError
from mergeline.files import whole_file
from mergeline.model.reading import read_table
from mergeline.model.score import Scorer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.parquet

ADDED = ("probability", "label", "positive", "release")
_ENDINGS = (".csv", ".parquet")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Batch:
    """What to score, and where the answer goes.

    Attributes:
        source: CSV, TSV, Parquet or JSON lines; read whole, as training reads.
        target: `.csv` or `.parquet`; written whole or not at all.
        data: How the release's settings say that tables are read.
        chunk: Rows at a time.
    """

    source: Path
    target: Path
    data: Data
    chunk: int


def predict(scorer: Scorer, threshold: float, release: str, batch: Batch, tell: Progress) -> int:
    """Score a table; return the number of rows.

    Args:
        scorer: The release's model.
        threshold: From here on a row is predicted positive.
        release: What names the release in each row of the answer.
        batch: What to score.
        tell: Is told the rows done, and their number in all.

    Raises:
        UsageError: The target's ending says no format that can be written.
        ContractError: The table cannot be read, or does not fit the model; the target is as
            it was.
    """
    if batch.target.suffix not in _ENDINGS:
        raise UsageError(
            f"the output is {batch.target.name!r}: expected a name ending in "
            f"{' or '.join(_ENDINGS)}",
            hint="name it with --output, e.g. --output scores.parquet",
        )
    named = batch.data.model_copy(update={"source": os.fspath(batch.source), "format": None})
    table = read_table(batch.source, named)
    _require_free(table)
    with whole_file(batch.target) as path:
        writer = _CsvWriter(path) if batch.target.suffix == ".csv" else _ParquetWriter(path)
        for start in range(0, len(table), batch.chunk):
            chunk = table.iloc[start : start + batch.chunk]
            writer.write(_scored(scorer, threshold, release, chunk))
            tell(start + len(chunk), len(table))
        writer.close()
    return len(table)


def _require_free(table: "pd.DataFrame") -> None:
    taken = [name for name in ADDED if name in table.columns]
    if taken:
        raise ContractError(
            f"the table has columns named {', '.join(taken)}, which the answer adds",
            hint="rename them in the input",
        )


def _scored(
    scorer: Scorer, threshold: float, release: str, chunk: "pd.DataFrame"
) -> "pd.DataFrame":
    scores = scorer.score(chunk)
    positive = scores >= threshold
    negative = next(name for name in scorer.classes if name != scorer.positive)
    labels = [scorer.positive if each else negative for each in positive]
    return chunk.assign(probability=scores, label=labels, positive=positive, release=release)


class _CsvWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = False

    def write(self, chunk: "pd.DataFrame") -> None:
        mode = "a" if self._begun else "w"
        chunk.to_csv(self._path, mode=mode, header=not self._begun, index=False)
        self._begun = True

    def close(self) -> None:
        pass


class _ParquetWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema: pyarrow.Schema | None = None
        self._writer: pyarrow.parquet.ParquetWriter | None = None

    def write(self, chunk: "pd.DataFrame") -> None:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.Table.from_pandas(chunk, schema=self._schema, preserve_index=False)
        if self._writer is None:
            self._schema = table.schema
            self._writer = pyarrow.parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
