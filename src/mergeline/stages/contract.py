"""The contract: a pandera schema that the table must meet before anything is trained."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.errors import ContractError, first_line

if TYPE_CHECKING:
    import pandas as pd

_MOST_SHOWN = 10
_LONGEST_RULE = 200
_OF_BOTH = frozenset({"title", "description", "dtype", "checks", "name", "unique", "coerce"})
_OF_COLUMN = _OF_BOTH | {"nullable", "required", "regex", "report_duplicates", "metadata"}
_OF_TABLE = _OF_BOTH | {
    *("schema_type", "version", "api", "dataframe_library", "columns", "index", "multiindex"),
    *("strict", "ordered", "report_duplicates", "unique_column_names", "metadata"),
}
# With these pandera changes its copy of the table until it passes.
_MENDING = frozenset({"default", "drop_invalid_rows", "add_missing_columns"})
# Rules whose failure case is a column's name, not a value.
_NAMED_IN_CASE = {
    "column_in_dataframe": "the column is not there",
    "column_in_schema": "the contract does not know this column",
}


def check_contract(frame: "pd.DataFrame", path: Path, data: Data) -> None:
    """Hold the table against its contract; all breaches are reported at once.

    Args:
        frame: The table as read.
        path: A pandera schema in YAML.
        data: Names the files in messages.

    Raises:
        ContractError: The contract cannot be read, or the table breaks it.
    """
    from pandera.errors import SchemaError, SchemaErrors

    schema = _read_schema(path, data)
    try:
        schema.validate(_widened(frame, schema), lazy=True)
    except SchemaErrors as error:
        breaches = _breaches(error.failure_cases, frame)
        raise ContractError(
            f"{data.source} breaks its contract {data.contract}:\n" + "\n".join(breaches),
            hint="mend the data; change the contract only where the promise itself changed",
        ) from error
    except (TypeError, ValueError, SchemaError) as error:
        raise ContractError(
            f"{data.source} cannot be held against {data.contract}: {first_line(error)}",
            hint="check the contract's checks against the column types",
        ) from error


def _widened(frame: "pd.DataFrame", schema: Any) -> "pd.DataFrame":
    """Give columns the type that they have as soon as a value is missing, where it is promised.

    Whole numbers are integers until one is missing or spelt 1.0, and truth values are `bool`:
    neither breaks a promise that was written from a table in which it was otherwise.
    """
    wider = {("iu", "float64"): "float64", ("b", "object"): "object"}
    types = {
        name: into
        for name, column in schema.columns.items()
        for (kinds, promised), into in wider.items()
        if name in frame.columns and str(column.dtype) == promised
        if frame[name].dtype.kind in kinds
    }
    return frame.astype(types) if types else frame


def _read_schema(path: Path, data: Data) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pandera.io import pandas_io

    try:
        why = _no_mapping(path)
    except Exception as error:  # the parser raises whatever its parts raise
        raise _no_schema(data, first_line(error)) from error
    if why:
        raise _no_schema(data, why)
    try:
        schema = pandas_io.from_yaml(path)
        strange = list(_strange_keys(path))
    except Exception as error:  # pandera raises whatever its parts raise
        raise _no_schema(data, first_line(error)) from error
    if not schema.columns:
        raise _no_schema(data, "it names no column")
    if strange:
        raise _no_schema(data, "; ".join(strange))
    return schema


def _no_mapping(path: Path) -> str:
    """Say where the document is not of the shape that pandera takes for granted."""
    from ruamel.yaml import YAML

    document = YAML(typ="safe", pure=True).load(path)
    columns = document.get("columns") if isinstance(document, dict) else None
    rules = columns.values() if isinstance(columns, dict) else columns or ()
    if isinstance(columns, dict | list) and all(isinstance(rule, dict) for rule in rules):
        return ""
    return "under `columns:` each column needs its rules, as in `age: {dtype: int64}`"


def _strange_keys(path: Path) -> Iterator[str]:
    """Say what pandera would pass over in silence: misspelt rules, and rows or values mended."""
    from pandera.pandas import Check
    from ruamel.yaml import YAML

    document = YAML(typ="safe", pure=True).load(path)
    yield from _strange(document, "", _OF_TABLE)
    columns = document["columns"]
    pairs = columns.items() if isinstance(columns, dict) else ((c["name"], c) for c in columns)
    for name, rules in pairs:
        checks = [key for key in rules if hasattr(Check, key)]
        yield from _strange(rules, f"{name}: ", _OF_COLUMN.union(checks))


def _strange(rules: dict[str, Any], where: str, known: frozenset[str]) -> Iterator[str]:
    for key in rules.keys() - known - _MENDING:
        yield f"{where}{key!r} is no rule"
    for key in rules.keys() & _MENDING:
        if rules[key] is not None and rules[key] is not False:
            yield f"{where}{key!r} would mend the table instead of checking it"


def _no_schema(data: Data, why: str) -> ContractError:
    return ContractError(
        f"data.contract {data.contract!r} is not a pandera schema: {why}",
        hint="compare it with pandera's YAML format, or remove data.contract",
    )


def _breaches(cases: "pd.DataFrame", frame: "pd.DataFrame") -> list[str]:
    """Count breaches by column and rule, so that no single value of the data is printed."""
    lines = sorted(
        _breach(column, str(check), group, frame)
        for (column, check), group in cases.groupby(["column", "check"], dropna=False)
        if check not in _NAMED_IN_CASE
    )
    for check, sentence in _NAMED_IN_CASE.items():
        names = cases.loc[cases["check"] == check, "failure_case"]
        lines += [f"  {name}: {sentence}" for name in sorted(map(str, names))]
    more = len(lines) - _MOST_SHOWN
    return lines[:_MOST_SHOWN] + ([f"  and {more} more"] if more > 0 else [])


def _breach(column: Any, check: str, cases: "pd.DataFrame", frame: "pd.DataFrame") -> str:
    # A rule of the whole table has no column: its name is NaN.
    name = column if isinstance(column, str) else "(table)"
    rule = check if len(check) <= _LONGEST_RULE else check[:_LONGEST_RULE] + "..."
    if check.startswith("dtype(") and name in frame.columns:
        return f"  {name}: {rule}, but the column is {frame[name].dtype}{_why(frame[name], rule)}"
    rows = cases["index"].nunique()
    return f"  {name}: {rule}" + (f" ({rows} {'row' if rows == 1 else 'rows'})" if rows else "")


def _why(column: "pd.Series[Any]", rule: str) -> str:
    """Say why numbers that look like integers are none."""
    found = column.dropna()
    whole = column.dtype == "float64" and len(found) < len(column) and (found % 1 == 0).all()
    if not whole or "int" not in rule.lower():
        return ""
    return ", as whole numbers with missing values are: promise float64 and nullable: true"
