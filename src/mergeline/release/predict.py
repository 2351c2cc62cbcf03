"""Batch scoring with a release, in chunks: a table in, the same rows with a score out."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mergeline.config.problem import printable
from mergeline.config.settings import Data
from mergeline.errors import ContractError, UsageError
from mergeline.files import whole_file
from mergeline.model.decision import DecisionRule
from mergeline.model.reading import FORMATS, read_table
from mergeline.model.score import Scorer
from mergeline.model.table import listed
from mergeline.release.given import read_given

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

    from mergeline.model.decision import Floats

RELEASE = "release"
_ENDINGS = (".csv", ".parquet")

Progress = Callable[[int, int], None]
Write = Callable[["pyarrow.Table"], None]


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

    def __post_init__(self) -> None:
        if not self.source.is_file():
            raise UsageError(f"there is no file {self.source}", hint="check the path")
        if self.target.suffix not in _ENDINGS:
            raise UsageError(
                f"the output is {self.target.name!r}: expected a name ending in "
                f"{' or '.join(_ENDINGS)}",
                hint="name it with --output, e.g. --output scores.parquet",
            )
        if self.target.resolve() == self.source.resolve():
            raise UsageError(
                f"the output is the input: {self.source}", hint="name another one with --output"
            )

    @property
    def read_as(self) -> Data:
        """How the source is read: by its ending, else as the data that training read."""
        known = Path(self.source.name.lower().removesuffix(".gz")).suffix in FORMATS
        return self.data.model_copy(
            update={
                "source": os.fspath(self.source),
                "format": None if known else self.data.format,
            }
        )


@dataclass(frozen=True)
class Model:
    """What scores.

    Attributes:
        rule: What the release makes of its model's scores.
        release: Names the release in each row of the answer.
    """

    scorer: Scorer
    rule: DecisionRule
    release: str


def predict(model: Model, batch: Batch, tell: Progress) -> int:
    """Score a table; return the number of rows.

    The answer holds the columns of the source as they stand there, then what the release
    says (`DecisionRule.columns`), and the release.

    Args:
        model: The release's.
        batch: What to score.
        tell: Is told the rows done, and their number in all.

    Raises:
        ContractError: The table cannot be read, or does not fit the model; the target is as
            it was.
    """
    data = batch.read_as
    rows = read_table(batch.source, data)
    _require_free(rows, model.rule)
    given = read_given(batch.source, data)
    rows = _with_texts(rows, given, model.scorer, data)
    with whole_file(batch.target) as path, _WRITERS[batch.target.suffix](path) as write:
        for start in range(0, len(rows), batch.chunk):
            scores = model.scorer.score(rows.iloc[start : start + batch.chunk])
            write(_answered(given.slice(start, batch.chunk), scores, model))
            tell(start + len(scores), len(rows))
    return len(rows)


def _require_free(table: "pd.DataFrame", rule: DecisionRule) -> None:
    taken = [printable(name) for name in (*rule.names, RELEASE) if name in table.columns]
    if taken:
        raise ContractError(
            f"the table has columns named {listed(taken)}, which the answer adds",
            hint="rename them in the input",
        )


def _with_texts(
    rows: "pd.DataFrame", given: "pyarrow.Table", scorer: Scorer, data: Data
) -> "pd.DataFrame":
    """Give categories back the text that stands in a CSV: `007` looks like a number here.

    Whether a column of a file looks like numbers depends on its rows; those of training did
    not, else it would be a number to the model.
    """
    import pyarrow
    from pandas.api import types

    missing = {"", *data.missing}
    texts = {}
    for name in (item.name for item in scorer.features if item.kind == "category"):
        kind = rows[name].dtype if name in rows.columns else None
        is_number = types.is_numeric_dtype(kind) and not types.is_bool_dtype(kind)
        if is_number and pyarrow.types.is_string(given.schema.field(name).type):
            found = given.column(name).to_pylist()
            texts[name] = [None if text in missing else text for text in found]
    return rows.assign(**texts) if texts else rows


def _answered(given: "pyarrow.Table", scores: "Floats", model: Model) -> "pyarrow.Table":
    said = {**model.rule.columns(scores), RELEASE: [model.release] * len(scores)}
    for name, values in said.items():
        given = given.append_column(name, [values])
    return given


# --- writing -----------------------------------------------------------------------------


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    import pandas as pd

    with path.open("w", encoding="utf-8", newline="") as file:

        def write(table: "pyarrow.Table") -> None:
            # With its own types: whole numbers stay whole where some are missing.
            frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
            frame.to_csv(file, header=file.tell() == 0, index=False, lineterminator="\n")

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    from pyarrow.parquet import ParquetWriter

    with ExitStack() as stack:
        writers: list[ParquetWriter] = []

        def write(table: "pyarrow.Table") -> None:
            if not writers:
                writers.append(stack.enter_context(ParquetWriter(path, table.schema)))
            writers[0].write_table(table)

        yield write


_WRITERS = {".csv": _csv, ".parquet": _parquet}
