"""The texts of LightGBM's and XGBoost's trees, read strictly and without either library.

Their own readers are written for files that they wrote themselves: a child that points
outside of its tree would make them read outside of their memory. What is not understood
here is refused.
"""

from dataclasses import dataclass

from mergeline.core.strict_json import shortened
from mergeline.errors import UnsafeModel
from mergeline.model.lightgbm_text import read_lightgbm
from mergeline.model.xgboost_text import read_xgboost

_MOST_TEXT = 128 * 1024 * 1024
_READERS = {"lightgbm": read_lightgbm, "xgboost": read_xgboost}


@dataclass(frozen=True)
class Trees:
    """What a text holds.

    Attributes:
        trees: How many.
        leaves: Of all of them.
    """

    trees: int
    leaves: int


def read_text(library: str, text: str, features: int, outputs: int) -> Trees:
    """Return what a text holds.

    Args:
        library: `lightgbm` or `xgboost`.
        text: As `mergeline.model.boosted` keeps it.
        features: Columns that its trees may read.
        outputs: Numbers that it gives a row.

    Raises:
        UnsafeModel: It is not as the library writes it.
    """
    problem = f"the library {shortened(library)}, or more text than is read"
    if library in _READERS and isinstance(text, str) and len(text) <= _MOST_TEXT:
        try:
            return Trees(*_READERS[library](text, features, outputs))
        except ValueError as error:
            problem = str(error)
    raise UnsafeModel(
        f"the trees of the model are not as their library writes them: {problem}",
        hint="train it with `mergeline check`, which writes a text that can be read "
        "without the library",
    )
