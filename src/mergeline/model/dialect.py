"""How a text file is written: its encoding and separator, found where that is certain.

Nothing is guessed. What is found is found in the file's first bytes and lines and leaves no
other reading; what is only likely is said in an error that names the key to set.
"""

import codecs
import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from mergeline.config.settings import Data
from mergeline.errors import ContractError

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
# What a file of another kind begins with, and what to do about it.
_KINDS = (
    (b"\x1f\x8b", "a gzip file", "let its name, and data.source, end in .gz"),
    (b"PK\x03\x04", "a zip file or a workbook", "export the table as CSV"),
    (b"PAR1", "a Parquet file", "set data.format: parquet"),
    (b"SQLite format 3", "a SQLite database", "export the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the table", "run `git lfs pull`"),
    (b"<!doctype", "a web page", "fetch the table itself; a page often says why it was not given"),
    (b"<html", "a web page", "fetch the table itself; a page often says why it was not given"),
    (b"sep=", "a line for a spreadsheet program, sep=", "delete that line"),
)
_SEPARATORS = ",;\t|"
_NAMES = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
_BLOCK = 1 << 20
_LOOKED_AT = 50  # lines


@dataclass(frozen=True)
class Dialect:
    """How to read a text file.

    Attributes:
        encoding: As Python names it.
        separator: One character; of no use for JSON lines.
    """

    encoding: str
    separator: str


def find_dialect(path: Path, kind: str, data: Data) -> Dialect:
    """Return how a text file is to be read: as the settings say, else as the file itself says.

    A mark of UTF-16 or UTF-32 decides over UTF-8, which no such file is. Without
    `data.separator` it is the format's own, a comma or a tab, unless that leaves the first
    lines in one piece and another one divides all of them into as many fields.

    Args:
        path: The file; one that ends in .gz is unpacked.
        kind: `csv`, `tsv` or `jsonl`.
        data: What is given; names the file in messages.

    Raises:
        ContractError: It is another kind of file, holds NUL, or could be read in two ways.
    """
    start = _start(path)
    _require_text(start, kind, data)
    if not _encoding(start, data).startswith(("utf-16", "utf-32")):
        _require_no_nul(path, data)
    return _dialect(start, kind, data)


def known_dialect(path: Path, kind: str, data: Data) -> Dialect:
    """Return the dialect of a file that was read in it, without reading all of it again."""
    return _dialect(_start(path), kind, data)


def _start(path: Path) -> bytes:
    with opened(path) as stream:
        return stream.read(_BLOCK)


def _dialect(start: bytes, kind: str, data: Data) -> Dialect:
    encoding = _encoding(start, data)
    if kind == "jsonl":
        return Dialect(encoding, ",")
    return Dialect(encoding, data.separator or _separator(start, encoding, kind, data))


def opened(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacked where it ends in .gz."""
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _require_text(start: bytes, kind: str, data: Data) -> None:
    head = start.removeprefix(codecs.BOM_UTF8).lstrip()[:30].lower()
    if kind != "jsonl" and head.startswith((b'{"', b"[{")):
        raise ContractError(
            f"{data.source} begins as JSON",
            hint="set data.format: jsonl in params.yaml, with one object a line",
        )
    for mark, name, hint in _KINDS:
        if head.startswith(mark.lower()):
            raise ContractError(f"{data.source} begins as {name}", hint=hint)


def _encoding(start: bytes, data: Data) -> str:
    if data.encoding.lower().startswith(("utf-8", "utf8")):
        return next((name for mark, name in _MARKS if start.startswith(mark)), data.encoding)
    return codecs.lookup(data.encoding).name


def _require_no_nul(path: Path, data: Data) -> None:
    with opened(path) as stream:
        lines = 1
        while block := stream.read(_BLOCK):
            place = block.find(b"\0")
            if place >= 0:
                lines += block.count(b"\n", 0, place)
                raise ContractError(
                    f"{data.source} holds a NUL byte in line {lines}: text does not",
                    hint="export it again; a file of UTF-16 without its mark needs "
                    "data.encoding: utf-16-le",
                )
            lines += block.count(b"\n")


def _separator(start: bytes, encoding: str, kind: str, data: Data) -> str:
    own = "\t" if kind == "tsv" else ","
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(start)
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    if len(start) == _BLOCK:
        lines = lines[:-1]  # it may be half a line
    widths = {sign: _widths(lines, sign) for sign in _SEPARATORS}
    if not widths[own] or (widths[own][0] > 1 and len(set(widths[own])) == 1):
        return own
    others = [
        sign
        for sign, found in widths.items()
        if sign != own and found and found[0] > 1 and len(set(found)) == 1
    ]
    if len(others) > 1:
        raise ContractError(
            f"{data.source} could be separated by {' or by '.join(_NAMES[x] for x in others)}",
            hint="set data.separator in params.yaml",
        )
    return others[0] if others else own


def _widths(lines: list[str], separator: str) -> list[int]:
    """Return how many fields each of the first rows has."""
    try:
        rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        return [len(row) for row in islice(rows, _LOOKED_AT) if row]
    except csv.Error:
        return []


# --- what is wrong with a file -------------------------------------------------------


def undecodable(path: Path, data: Data, encoding: str) -> ContractError:
    """Return the error for a file that is not in the encoding that it is read in."""
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return _not_utf8(number, line[error.start], data)
    return ContractError(
        f"{data.source} is not written in {encoding}",
        hint="set data.encoding in params.yaml to the one it is written in",
    )


def _not_utf8(number: int, byte: int, data: Data) -> ContractError:
    message = f"{data.source} is not {data.encoding.removesuffix('-sig')}: line {number} has the "
    try:
        sign = bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return ContractError(
            f"{message}byte {byte:#04x}",
            hint="set data.encoding in params.yaml to the one it is written in, or save it as "
            "UTF-8",
        )
    return ContractError(
        f"{message}byte {byte:#04x}, which is {sign!r} in cp1252 (Windows, Latin-1)",
        hint=f"set data.encoding: cp1252 in params.yaml if {sign!r} is right; or save it as UTF-8",
    )


def require_even(path: Path, dialect: Dialect, data: Data) -> None:
    """Refuse a CSV file in which a line has fewer or more fields than the header.

    pandas would fill a line that was cut off with missing values, and nobody would see.

    Raises:
        ContractError: The first such line, by number.
    """
    if not _seems_uneven(path, dialect):
        return
    with opened(path) as stream:
        text = TextIOWrapper(stream, dialect.encoding, errors="replace", newline="")
        try:
            _require_rows_even(text, dialect, data)
        except csv.Error:
            return  # pandas says what is wrong


def _require_rows_even(text: Iterator[str], dialect: Dialect, data: Data) -> None:
    reader = csv.reader(text, delimiter=dialect.separator, skipinitialspace=True, strict=True)
    rows = (row for row in reader if len(row) > 1 or (row and row[0].strip()))
    expected = len(next(rows, ()))
    for row in rows:
        if len(row) != expected:
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            raise ContractError(
                f"{data.source}: line {reader.line_num} has {fields}, the header has {expected}",
                hint="mend that line: put a value that holds the separator in double quotes, "
                "and leave no field away; was the file cut off?",
            )


def _seems_uneven(path: Path, dialect: Dialect) -> bool:
    """Look with Arrow's reader, which takes a tenth of the time of Python's."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    found = []

    def note(row: Any) -> str:
        found.append(row)
        return "skip"

    try:
        batches = arrow.open_csv(
            path,
            arrow.ReadOptions(autogenerate_column_names=True, encoding=dialect.encoding),
            arrow.ParseOptions(
                delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=note
            ),
            arrow.ConvertOptions(include_columns=["f0"], column_types={"f0": pa.binary()}),
        )
        for _ in batches:
            if found:
                return True
    except (pa.ArrowException, LookupError, UnicodeError):
        return True
    return bool(found)
