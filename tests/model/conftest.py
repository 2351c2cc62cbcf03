"""A table as training sees it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from mergeline.config.settings import Data
from mergeline.core.evidence import Feature
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description
from mergeline.model.table import feature_columns, is_positive
from projects import make_frame


@dataclass(frozen=True)
class Table:
    """Rows as training sees them."""

    frame: pd.DataFrame
    features: tuple[Feature, ...]
    rows: pd.DataFrame
    labels: Any

    @property
    def description(self) -> Description:
        return Description(
            task="binary",
            target="left",
            positive="yes",
            classes=("no", "yes"),
            features=self.features,
        )


@pytest.fixture(scope="session")
def table():
    data = Data(source="x.csv", target="left", positive="yes", id="customer", exclude=("joined",))
    frame = make_frame(400)
    features = feature_columns(frame, data)
    return Table(
        frame,
        features,
        cast_features(frame, features),
        is_positive(frame["left"], "yes").astype(int),
    )
