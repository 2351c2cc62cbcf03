"""prepare: read the table, hold it against its contract, split it, profile it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data, Settings
from mergeline.core import layout
from mergeline.core.digest import sha256
from mergeline.core.evidence import PrepareContent
from mergeline.core.labels import label_text
from mergeline.errors import ContractError
from mergeline.files import file_sha256
from mergeline.model.doubtful import refuse_doubtful
from mergeline.model.reading import find_writing, read_table, table_format
from mergeline.model.table import label_texts, require_columns, table_bytes
from mergeline.stages.base import Clock, Result
from mergeline.stages.contract import check_contract
from mergeline.stages.leaks import find_leaks
from mergeline.stages.profile import profile_columns
from mergeline.stages.split import split_rows
from mergeline.stages.target import require_both_sides, require_target

if TYPE_CHECKING:
    import pandas as pd


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Make the training and the test table, and the profile of the data.

    Raises:
        ContractError: The data is not what settings and contract promise.
    """
    data = settings.data
    source = root / data.source
    with clock.part("read"):
        frame = read_table(source, data)
        digest, writing = file_sha256(source), find_writing(source, data)
    _require_columns(frame, data)
    with clock.part("contract"):
        contract_digest = _contract(root, data, frame)
    refuse_doubtful(frame, data)
    require_target(frame, data)
    frame = _with_time(frame, data)
    with clock.part("split"):
        keyed, test, split = split_rows(frame, data, settings.split)
    require_both_sides(keyed, test, data)
    with clock.part("write"):
        files = {
            layout.TRAIN_TABLE: table_bytes(keyed[~test]),
            layout.TEST_TABLE: table_bytes(keyed[test]),
        }
    with clock.part("profile"):
        columns = profile_columns(frame)
    with clock.part("leaks"):
        columns, leaks = find_leaks(keyed, test, data, columns)
    with clock.part("profile"):
        content = PrepareContent(
            source=data.source,
            sha256=digest,
            bytes=source.stat().st_size,
            format=table_format(data),
            writing=writing,
            task=data.task,
            target=data.target,
            positive=label_text(data.positive) if data.task == "binary" else None,
            noun=data.noun,
            rows=len(frame),
            duplicate_rows=int(frame.duplicated().sum()),
            duplicate_ids=None if data.id is None else int(frame[data.id].duplicated().sum()),
            columns=columns,
            balance=_balance(frame, data),
            contract=data.contract,
            contract_sha256=contract_digest,
            split=split,
            held_out_sha256=_digest_of(keyed.loc[test, layout.KEY]),
            leaks=leaks,
        )
    return Result(content, files=files)


def _digest_of(keys: "pd.Series[Any]") -> str:
    return sha256("\n".join(sorted(keys)).encode())


def _require_columns(frame: "pd.DataFrame", data: Data) -> None:
    roles = {
        getattr(data, key): f"data.{key}"
        for key in ("target", "id", "group", "time")
        if getattr(data, key) is not None
    }
    roles |= dict.fromkeys(data.sensitive, "data.sensitive")
    roles |= dict.fromkeys(data.exclude, "data.exclude")
    require_columns(frame, roles, data.source)
    if layout.KEY in frame.columns:
        raise ContractError(
            f"{data.source} has a column {layout.KEY}, a name that Mergeline keeps for itself",
            hint="rename the column",
        )


def _contract(root: Path, data: Data, frame: "pd.DataFrame") -> str | None:
    if data.contract is None:
        return None
    path = root / data.contract
    if not path.is_file():
        raise ContractError(
            f"data.contract is {data.contract!r}: there is no such file",
            hint="check the path in params.yaml, or remove data.contract",
        )
    check_contract(frame, path, data)
    return file_sha256(path)


def _with_time(frame: "pd.DataFrame", data: Data) -> "pd.DataFrame":
    import pandas as pd

    if data.time is None:
        return frame
    column = frame[data.time]
    if column.isna().any():
        raise ContractError(
            f"data.time {data.time!r} is missing in {int(column.isna().sum())} of "
            f"{len(column)} rows of {data.source}",
            hint="every row needs a time for a split by time",
        )
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise ContractError(
            f"data.time {data.time!r} holds numbers; dates such as 2026-01-31 are expected",
            hint="write the column as ISO 8601 dates",
        )
    parsed = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    if parsed.isna().any():
        raise ContractError(
            f"data.time {data.time!r} holds {int(parsed.isna().sum())} values of {len(column)} "
            "that are no dates",
            hint="write the column as ISO 8601 dates, e.g. 2026-01-31",
        )
    dated = frame.copy(deep=False)
    dated[data.time] = parsed.dt.tz_localize(None)
    return dated


def _balance(frame: "pd.DataFrame", data: Data) -> dict[str, int]:
    import numpy as np

    if data.task == "regression":
        return {}
    classes, counts = np.unique(label_texts(frame[data.target]), return_counts=True)
    return {str(name): int(count) for name, count in zip(classes, counts, strict=True)}
