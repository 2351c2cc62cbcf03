"""One cast for training, evaluation and serving: rows become what the pipeline was fitted on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import Feature
from mergeline.core.labels import category_text, plain
from mergeline.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd


def cast_features(frame: "pd.DataFrame", features: Sequence[Feature]) -> "pd.DataFrame":
    """Select the features in order and give them the types of training.

    Numbers, booleans and dates (in days since 1970) become float64 with NaN for
    missing; categories become objects: text, or NaN for missing.

    Args:
        frame: Rows with at least the features as columns.
        features: Names and kinds, in the model's order.

    Raises:
        ContractError: A column is absent, or holds text where a number is expected.
    """
    import pandas as pd

    absent = [feature.name for feature in features if feature.name not in frame.columns]
    if absent:
        raise ContractError(
            f"the model reads columns that the rows do not have: {', '.join(map(repr, absent))}",
            hint="give every column that the model was trained on; a value may be missing",
        )
    columns = {feature.name: _cast(frame[feature.name], feature) for feature in features}
    return pd.DataFrame(columns, index=frame.index)


def _cast(column: "pd.Series[Any]", feature: Feature) -> "pd.Series[Any]":
    if feature.kind == "category":
        return _as_text(column)
    return _as_number(column, feature)


def _as_number(column: "pd.Series[Any]", feature: Feature) -> "pd.Series[Any]":
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        return (column - pd.Timestamp(0, tz=column.dt.tz)) / pd.Timedelta(days=1)
    try:
        return pd.to_numeric(column).astype("float64")
    except (ValueError, TypeError) as error:
        raise ContractError(
            f"column {feature.name!r} is a {feature.kind} to the model, but not every value "
            f"is one: {str(error)[:120]}",
            hint="send numbers, or leave the value missing",
        ) from error


def _as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column)
    texts = np.array([category_text(plain(value)) for value in values] + [np.nan], dtype=object)
    return pd.Series(texts[codes], index=column.index, dtype=object)
