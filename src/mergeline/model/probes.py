"""Making probes: rows for the smoke test of a server, none of them a row of the data.

Probes travel with the model, into artifacts that many may download and into the registry. A
row of the data must not. So each column's values are drawn by themselves from the held-out
rows: what a server is asked looks like the data, and nobody's row is in it.
"""

from math import isnan
from typing import TYPE_CHECKING, Any

from mergeline.core.labels import plain
from mergeline.core.probes import Probes
from mergeline.model.cast import cast_features
from mergeline.model.score import Scorer

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PROBES = 20
# As many are drawn: what happens to be somebody's row is left out.
_DRAWN = 10 * PROBES


def make_probes(frame: "pd.DataFrame", scorer: Scorer, *, seed: int) -> Probes:
    """Draw rows column by column and score them.

    A drawn row that some row of `frame` equals is left out, unless the columns have so few
    values between them that no 20 others were drawn.

    Args:
        frame: Held-out rows, shape (n, ...); the draw depends on their order.
        scorer: Its features are the columns.
        seed: Of the draw.

    Raises:
        ModelError: The model cannot score them.
    """
    import numpy as np
    import pandas as pd

    rows = cast_features(frame, scorer.features)
    random = np.random.default_rng(seed)
    drawn = pd.DataFrame({name: _drawn(rows[name], random) for name in rows.columns})
    drawn = drawn.astype(rows.dtypes)
    of_somebody = _hashes(drawn).isin(_hashes(rows)).to_numpy()
    chosen = pd.concat([drawn[~of_somebody], drawn[of_somebody]]).head(PROBES)
    return Probes(
        columns=tuple(chosen.columns),
        rows=tuple(
            tuple(_json_value(value) for value in row) for row in chosen.itertuples(index=False)
        ),
        scores=tuple(map(tuple, scorer.score(chosen).reshape(len(chosen), -1).tolist())),
    )


def _drawn(column: "pd.Series[Any]", random: "np.random.Generator") -> Any:
    """Draw values of a column that JSON can hold: no request holds an infinity."""
    import numpy as np

    values = column.to_numpy()
    if column.dtype.kind == "f":
        values = values[~np.isinf(values)]
    if not len(values):
        return np.full(_DRAWN, np.nan)
    return values[random.integers(len(values), size=_DRAWN)]


def _hashes(rows: "pd.DataFrame") -> "pd.Series[Any]":
    import pandas as pd

    hashes: pd.Series[Any] = pd.util.hash_pandas_object(rows, index=False)
    return hashes


def _json_value(value: Any) -> Any:
    value = plain(value)
    return None if isinstance(value, float) and isnan(value) else value
