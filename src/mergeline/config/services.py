"""Settings of what stands around the model: where runs, models, releases and reports go."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from mergeline.core.base import Frozen


class Tracking(Frozen):
    """Where runs are logged.

    Attributes:
        uri: Of the MLflow server or store; `MLFLOW_TRACKING_URI` wins, and without
            either nothing is logged.
    """

    uri: str | None = None


class Registry(Frozen):
    """Where models are registered.

    Attributes:
        uri: Of the MLflow registry; `MLFLOW_TRACKING_URI` wins.
    """

    uri: str = "sqlite:///.mergeline/registry.db"


class Deploy(Frozen):
    """Where the released model serves, and how long a release is watched.

    Attributes:
        environment: The name of the GitHub environment.
        confirm_seconds: How long a promotion waits for the server's report.
        watch_seconds: How long a new release is watched before the old one is let go.
    """

    environment: str = "production"
    confirm_seconds: Annotated[FiniteFloat, Field(gt=0)] = 120
    watch_seconds: Annotated[FiniteFloat, Field(ge=0)] = 30


class ReportSettings(Frozen):
    """How the report travels, and whether single data rows may be in it.

    Attributes:
        transport: Posted by CML, or straight through GitHub's API.
        rows: Let single rows of the data into page and artifacts.
    """

    transport: Literal["cml", "api"] = "cml"
    rows: bool = False
