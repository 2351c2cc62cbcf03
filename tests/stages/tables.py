"""Tables of every kind that pandas can hold, and settings for them, for Hypothesis."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from mergeline.config.settings import Data, Settings

TEXT = st.text(max_size=6)
NUMBERS = st.integers(-5, 5) | st.integers() | st.floats() | st.sampled_from([2**53, 1e300, -0.0])
TIMES = st.datetimes() | st.dates() | st.timedeltas() | st.times()
ODD = st.sampled_from(
    [
        *("?", "NA", "nan", "None", "", " ", "true", "1.0", "1", "1e5", "1,5", "12%", "\ufeff"),
        *("\n", "\r", "\0", "\x1f", '"', "'", "<b>", "a & b", "=1", "🎉", "\u202e"),
    ]
)
OBJECTS = (
    TEXT
    | ODD
    | NUMBERS
    | TIMES
    | st.booleans()
    | st.none()
    | st.decimals()
    | st.binary(max_size=3)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(TEXT, st.integers(), max_size=1)
    | st.tuples(st.integers())
    | st.complex_numbers()
    | st.sampled_from([pd.NA, pd.NaT, pd.Interval(0, 1), pd.Period("2024-01"), object])
)
# Each is the values of one column.
POOLS = (
    st.lists(TEXT | ODD, min_size=1, max_size=6),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6),
    st.lists(st.integers(-3, 3) | st.none(), min_size=1, max_size=6),
    st.lists(st.floats(), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=1, max_size=3),
    st.lists(st.booleans() | st.none(), min_size=1, max_size=3),
    st.lists(st.datetimes(), min_size=1, max_size=6),
    st.lists(st.dates() | st.none(), min_size=1, max_size=6),
    st.lists(st.timedeltas(), min_size=1, max_size=6),
    st.lists(st.decimals(), min_size=1, max_size=6),
    st.lists(st.none(), min_size=1, max_size=1),
    st.lists(OBJECTS, min_size=1, max_size=6),
)
TYPES = (
    *(None, None, None, "category", "string", "Int64", "boolean", "Float64", "datetime64[s]"),
    *("datetime64[ns, Europe/Oslo]", "timedelta64[ns]", "period[D]", "complex128", "float16"),
    *("uint8", "Sparse[float]", "string[pyarrow]", "int64[pyarrow]", "object"),
)
NAMES = TEXT | ODD | st.sampled_from(["a", "b", "mergeline_key", "index", "x" * 300])


@st.composite
def tables(draw: st.DrawFn, *, most_rows: int = 60) -> pd.DataFrame:
    """Draw a table: its columns are of any type, its names any texts, or numbers."""
    rows = draw(st.sampled_from([0, 1, 2, most_rows, most_rows, most_rows]))
    names: list[Any] = draw(st.lists(NAMES, min_size=0, max_size=5))
    if draw(st.integers(0, 9)) == 0:
        names = [*names, draw(st.integers(0, 2) | st.none() | st.tuples(TEXT))]
    random = np.random.default_rng(draw(st.integers(0, 99)))
    columns = [_column(draw, rows, random) for _ in names]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(rows))
    frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    return frame


def _column(draw: st.DrawFn, rows: int, random: np.random.Generator) -> "pd.Series[Any]":
    pool = draw(st.sampled_from(POOLS).flatmap(lambda strategy: strategy))
    values = [pool[place] for place in random.integers(0, len(pool), rows)]
    column = pd.Series(np.fromiter(values, dtype=object, count=rows)).infer_objects()
    wanted = draw(st.sampled_from(TYPES))
    try:
        return column if wanted is None else column.astype(wanted)
    except (ValueError, TypeError, OverflowError, ArithmeticError, NotImplementedError):
        return column  # pandas cannot hold them as that


@st.composite
def settings_for(
    draw: st.DrawFn, frame: pd.DataFrame, source: str, *, target: str = ""
) -> Settings:
    """Draw settings that name columns of a table, and now and then others."""
    names = [str(name) for name in frame.columns]
    column = st.sampled_from([*names, "a"])
    role = st.none() | st.none() | column
    task = draw(st.sampled_from(["binary", "binary", "multiclass", "regression"]))
    target = target or draw(column)
    data = Data(
        source=source,
        target=target,
        task=task,
        positive=draw(_positive(frame, target)) if task == "binary" else None,
        id=draw(role),
        group=draw(role),
        time=draw(role),
        sensitive=tuple(draw(st.lists(column, max_size=1))),
        exclude=tuple(draw(st.lists(column, max_size=1))),
        **draw(st.sampled_from([{}, {"missing": ()}, {"missing": ("?",)}])),
    )
    model = {"estimator": "sklearn.linear_model.LogisticRegression"}
    if task == "regression":
        model = {"estimator": "sklearn.linear_model.Ridge"}
    return Settings.model_validate(
        {"project": "any", "model": model, "evaluate": {"bootstrap": 100}, "data": data}
    )


def _positive(frame: pd.DataFrame, target: str) -> "st.SearchStrategy[Any]":
    held = [
        frame.iloc[0, place]
        for place, name in enumerate(frame.columns)
        if len(frame) and str(name) == target
    ]
    scalars = [value for value in held if type(value) in (str, int, bool)]
    scalars += [
        value.item()
        for value in held
        if isinstance(value, np.generic) and type(value.item()) in (int, bool)
    ]
    return st.sampled_from([*scalars, *scalars, 1])


UNWRITABLE = (
    ValueError,
    TypeError,
    OverflowError,
    ArithmeticError,
    NotImplementedError,
    AttributeError,
    KeyError,
)


def write(frame: pd.DataFrame, path: Any) -> bool:
    """Write a table as the file's ending says; whether pandas can."""
    from pyarrow import ArrowException

    try:
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        elif path.suffix == ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.to_csv(path, index=False, errors="surrogatepass")
    except (*UNWRITABLE, ArrowException):
        return False
    return True
