"""The contract: a pandera schema that the table must meet before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd

_MOST_SHOWN = 10


def check_contract(frame: "pd.DataFrame", path: Path, data: Data) -> None:
    """Hold the table against its contract; all breaches are reported at once.

    Args:
        frame: The table as read.
        path: A pandera schema in YAML.
        data: Names the files in messages.

    Raises:
        ContractError: The contract cannot be read, or the table breaks it.
    """
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    schema = _read_schema(path, data)
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        breaches = _breaches(error.failure_cases)
        raise ContractError(
            f"{data.source} breaks its contract {data.contract}:\n" + "\n".join(breaches),
            hint="mend the data; change the contract only where the promise itself changed",
        ) from error
    except (TypeError, ValueError, pa.errors.SchemaError) as error:
        raise ContractError(
            f"{data.source} cannot be held against {data.contract}: {str(error)[:200]}",
            hint="check the contract's checks against the column types",
        ) from error


def _read_schema(path: Path, data: Data) -> Any:
    import pandera.pandas as pa

    try:
        return pa.DataFrameSchema.from_yaml(path)
    except Exception as error:  # noqa: BLE001 - pandera raises whatever its parts raise
        raise ContractError(
            f"data.contract {data.contract!r} is not a pandera schema: "
            f"{str(error).strip().splitlines()[0][:200] if str(error).strip() else error!r}",
            hint="compare it with pandera's YAML format, or remove data.contract",
        ) from error


def _breaches(cases: "pd.DataFrame") -> list[str]:
    """Count breaches by column and rule, so that no single value of the data is printed."""
    named = cases.assign(column=cases["column"].fillna(cases["failure_case"].astype(str)))
    counts = named.groupby(["column", "check"], sort=True, dropna=False).size()
    lines = [
        f"  {column}: {check} ({count} {'row' if count == 1 else 'rows'})"
        for (column, check), count in counts.items()
    ]
    more = len(lines) - _MOST_SHOWN
    return lines[:_MOST_SHOWN] + ([f"  and {more} more rules"] if more > 0 else [])
