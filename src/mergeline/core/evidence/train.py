"""train: the model, how it was made and the digest of its bytes."""

from typing import Literal

from pydantic import FiniteFloat, JsonValue

from mergeline.core.base import Stated
from mergeline.core.evidence.envelope import Count
from mergeline.core.task import Task


class Feature(Stated):
    """A column that the model reads, in the model's order."""

    name: str
    kind: Literal["number", "category", "boolean"]


class TrainContent(Stated):
    """The model: how it was made and the digest of its bytes.

    Attributes:
        model_sha256: M, over the model directory in canonical form.
        classes: As text, in the order of the model's probabilities; none for regression.
        positive: The class that counts; binary only.
        mitigation: The reduction that training was constrained by, in words; else empty.
        file: What a file that was trained elsewhere says of itself; empty where there is none.
        params: The estimator's parameters as given in the settings.
        pinned: Environment variables that training fixed to make bytes repeatable.
    """

    task: Task = "binary"
    estimator: str
    file: str = ""
    params: dict[str, JsonValue]
    class_weight: str | dict[str, FiniteFloat] | None = None
    seed: int
    rows: Count
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    positive: str | None
    mitigation: str = ""
    model_sha256: str
    model_bytes: Count
    libraries: dict[str, str]
    pinned: dict[str, str]
