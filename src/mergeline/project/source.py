"""The table that a project begins with: found in the repository, read, refused by name."""

import codecs
import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import did_you_mean, shown
from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.errors import ContractError, UsageError
from mergeline.model.reading import FORMATS, read_table, table_format
from mergeline.model.table import listed
from mergeline.project.number_signs import Signs, find_signs

if TYPE_CHECKING:
    import pandas as pd

# Beyond this a table is DVC's to keep, not Git's.
LARGE_BYTES = 50 * 1024 * 1024
_MOST_LISTED = 5
_BLOCK = 1 << 20
_SEPARATORS = ",;\t|"
# What the stages write, and what Git and DVC keep for themselves.
_TAKEN = ("data/prepared", "reports", layout.STATE, ".git", ".dvc")


@dataclass(frozen=True)
class Source:
    """A table in the repository, and how it is read.

    Attributes:
        path: Relative to the repository's root, with /.
        bytes: Its size.
        encoding: Of a text file, as found.
        separator: Of a CSV file where it is no comma; else None.
        signs: How a text file writes its numbers.
        frame: The table as read with nothing known of its columns.
    """

    path: str
    bytes: int
    encoding: str
    separator: str | None
    signs: Signs
    frame: "pd.DataFrame"


def find_source(root: Path, given: Path) -> Source:
    """Find and read the table that somebody names.

    Args:
        root: The repository's root.
        given: The file, absolute or from the current folder.

    Raises:
        UsageError: It is not there, is no table of a known kind, or is not the repository's.
        ContractError: It is empty or cannot be read.
    """
    path = _path_in(root, given)
    file = root / path
    data = Data(source=path, target="", positive="")
    if Path(path.lower().removesuffix(".gz")).suffix not in FORMATS:
        raise UsageError(
            f"--data {shown(path)}: the ending says no known format",
            hint=f"rename it; known are {', '.join(sorted(FORMATS))}",
        )
    kind = table_format(data)
    encoding, separator = _sniffed(file, kind)
    data = data.model_copy(update={"encoding": encoding, "separator": separator})
    frame = read_table(file, data)
    _require_names(frame, path)
    signs = find_signs(file, data, frame)
    if signs != Signs():
        update = {"decimal": signs.decimal, "thousands": signs.thousands}
        frame = read_table(file, data.model_copy(update=update))
    return Source(path, file.stat().st_size, encoding, separator, signs, frame)


def _require_names(frame: "pd.DataFrame", path: str) -> None:
    """Refuse columns that are numbered, as Parquet files can have them: settings name texts."""
    numbered = [str(name) for name in frame.columns if not isinstance(name, str)]
    if numbered:
        raise ContractError(
            f"{path} has columns whose names are no text: {listed(numbered, _MOST_LISTED)}",
            hint="write the file again with text as the names of its columns",
        )


def _path_in(root: Path, given: Path) -> str:
    if not given.is_file():
        raise _not_there(given)
    inside, home = given.resolve(), root.resolve()
    if not inside.is_relative_to(home):
        raise UsageError(
            f"--data {shown(str(given))} is outside of the repository {home}: nobody else "
            "would have it",
            hint="copy it into the repository, e.g. into data/, and name it there",
        )
    path = inside.relative_to(home).as_posix()
    if not path.isprintable() or "\\" in path or "${" in path:
        raise UsageError(
            f"--data {shown(path)} has a name that {layout.PIPELINE} cannot hold",
            hint="rename it: letters, digits, dots, dashes and underscores",
        )
    taken = next((name for name in _TAKEN if Path(path).is_relative_to(name)), None)
    if taken is not None:
        raise UsageError(
            f"--data {shown(path)} is in {taken}, which is made anew or kept by a tool",
            hint="move it elsewhere, e.g. into data/",
        )
    return path


def _not_there(given: Path) -> UsageError:
    name = shown(str(given))
    if given.is_dir():
        return UsageError(f"--data {name} is a folder", hint="name the file that holds the table")
    if given.with_name(f"{given.name}.dvc").is_file():
        return UsageError(
            f"--data {name} is not here, but DVC tracks it", hint=f"run `dvc pull {given}.dvc`"
        )
    folder = given.parent
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    meant = did_you_mean(given.name, names)
    return UsageError(
        f"--data {name}: there is no such file" + (f"; did you mean {meant}?" if meant else ""),
        hint="check the path; it is taken from the current folder",
    )


# --- how a text file is written ----------------------------------------------------


def _sniffed(file: Path, kind: str) -> tuple[str, str | None]:
    """Return encoding and separator; what cannot be read at all the reader will refuse."""
    if kind == "parquet":
        return "utf-8-sig", None
    try:
        encoding = _encoding(file)
        return encoding, _separator(file, encoding) if kind == "csv" else None
    except (OSError, EOFError, zlib.error, ValueError, csv.Error):
        return "utf-8-sig", None


def _opened(file: Path) -> Any:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _encoding(file: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _opened(file) as stream:
        block = stream.read(_BLOCK)
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            while block:
                decoder.decode(block)
                block = stream.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _separator(file: Path, encoding: str) -> str | None:
    """Return what divides the first two lines into most fields, both into as many."""
    with _opened(file) as stream:
        start = stream.read(_BLOCK).decode(encoding, errors="replace")
    lines = start.splitlines()[:2]
    best, most = ",", 1
    for separator in _SEPARATORS:
        counts = {len(row) for row in csv.reader(lines, delimiter=separator)}
        if len(counts) == 1 and max(counts) > most:
            best, most = separator, max(counts)
    return None if best == "," else best
