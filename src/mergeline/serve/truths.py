"""Which categories are truth values: CSV writes those in another way than JSON."""

from collections.abc import Iterator
from typing import Any

_TRUTHS = {"true", "false"}


def truth_columns(pipeline: Any) -> frozenset[str]:
    """Return the columns that a fitted pipeline knows as `true` and `false` and nothing else.

    A column of truth values of which some are missing is a category of those two texts to
    the model; pandas writes it to CSV as `True` and `False`.

    Args:
        pipeline: Fitted; where its first step is no ColumnTransformer nothing is known.
    """
    prepare = pipeline[0] if hasattr(pipeline, "__getitem__") else None
    return frozenset(
        name
        for columns, encoder in _encoders(getattr(prepare, "transformers_", ()))
        for name, known in zip(columns, encoder.categories_, strict=False)
        if {value for value in known if isinstance(value, str)} <= _TRUTHS
    )


def _encoders(transformers: Any) -> Iterator[tuple[Any, Any]]:
    for _, transformer, columns in transformers:
        encoder = transformer[0] if hasattr(transformer, "__getitem__") else transformer
        if hasattr(encoder, "categories_") and isinstance(columns, list):
            yield columns, encoder
