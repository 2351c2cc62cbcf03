"""From the columns that an estimator reads back to the user's columns that they encode."""

from collections.abc import Sequence
from typing import Any


def sources(prepare: Any, names: Sequence[str]) -> list[int] | None:
    """Return for each encoded column the place of the user's column that it comes from.

    None when a column may come from several, as after a PCA, or when a transformer is not
    known well enough to tell.

    Args:
        prepare: A fitted ColumnTransformer.
        names: The user's columns, in the order in which `prepare` gets them.
    """
    width = max((part.stop for part in prepare.output_indices_.values()), default=0)
    found: list[int | None] = [None] * width
    for name, transformer, columns in prepare.transformers_:
        part = prepare.output_indices_[name]
        if part.stop == part.start:
            continue
        places = _places(columns, names)
        inner = None if places is None else _inner(transformer, len(places))
        if places is None or inner is None or len(inner) != part.stop - part.start:
            return None
        found[part] = [places[place] for place in inner]
    return [place for place in found if place is not None] if None not in found else None


def _places(columns: Any, names: Sequence[str]) -> list[int] | None:
    if not isinstance(columns, list | tuple):
        return None
    places = [names.index(item) if item in names else item for item in columns]
    return places if all(type(place) is int for place in places) else None


def _inner(transformer: Any, width: int) -> list[int] | None:
    """Return for each output of a transformer the input that it comes from."""
    import pandas as pd
    from sklearn.base import OneToOneFeatureMixin
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

    each = list(range(width))
    if transformer == "passthrough" or isinstance(transformer, OneToOneFeatureMixin):
        return each
    if isinstance(transformer, FunctionTransformer):
        return each if transformer.func is None else None
    if isinstance(transformer, SimpleImputer):
        empty = not transformer.keep_empty_features and bool(pd.isna(transformer.statistics_).any())
        return None if transformer.add_indicator or empty else each
    if isinstance(transformer, OneHotEncoder) and len(transformer.categories_) == width:
        return [place for place in each for _ in range(_one_hot_width(transformer, place))]
    if isinstance(transformer, Pipeline):
        for step in transformer[:]:
            inner = _inner(step, len(each))
            if inner is None:
                return None
            each = [each[place] for place in inner]
        return each
    return None


def _one_hot_width(encoder: Any, place: int) -> int:
    """Return how many columns a OneHotEncoder makes of one column."""
    width = len(encoder.categories_[place])
    rare = getattr(encoder, "infrequent_categories_", None)
    if rare is not None and rare[place] is not None:
        width -= len(rare[place]) - 1
    dropped = encoder.drop_idx_
    return width - (dropped is not None and dropped[place] is not None)
