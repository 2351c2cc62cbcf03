"""What the stages made besides evidence and model: addresses in DVC, and small files.

The prepared tables are not handed over, they are rows of the data. Their addresses are: the
trusted job makes the tables itself, and takes no outputs of a build that had others.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mergeline.config.document import read_document
from mergeline.core import layout
from mergeline.core.base import Stated

# Outputs that hold no rows and are in no other part of what is handed over. A stage with an
# output that is not is not published: it runs again wherever it is the baseline's.
_PLOTS = (
    *("roc", "precision_recall", "calibration", "thresholds", "predicted_actual"),
    *("error_quantiles", "groups", "importance"),
)
SMALL = (layout.METRICS, *(f"{layout.PLOTS}/{name}.csv" for name in _PLOTS))
_MOST = 60_000  # characters of a file


class Address(Stated):
    """Where DVC keeps an output. An md5 is an address, no proof.

    Attributes:
        md5: Of a folder it ends in `.dir`.
        size: In bytes.
        nfiles: Of a folder.
    """

    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}(\.dir)?$")]
    size: Annotated[int, Field(ge=0)]
    nfiles: Annotated[int, Field(ge=0)] | None = None


class Outputs(Stated):
    """`reports/outputs.json`.

    Attributes:
        stages: By stage and path, the address of each output.
        files: By path, the text of those in `SMALL`.
    """

    schema_version: Literal[1] = 1
    stages: dict[str, dict[str, Address]]
    files: dict[str, str]


def made_outputs(root: Path) -> Outputs:
    """Return what the stages of a project made, as the `dvc.lock` of a check just now has it.

    Raises:
        ConfigError: `dvc.lock` cannot be read.
    """
    lock = root / layout.LOCK
    text = lock.read_text(encoding="utf-8") if lock.is_file() else "{}"
    stages = read_document(text, origin=layout.LOCK).data.get("stages") or {}
    paths = [path for path in SMALL if (root / path).is_file()]
    texts = {path: (root / path).read_text(encoding="utf-8") for path in paths}
    return Outputs(
        stages={
            name: {out["path"]: _address(out) for out in stage.get("outs", ()) if "md5" in out}
            for name, stage in stages.items()
        },
        files={path: text for path, text in texts.items() if len(text) <= _MOST},
    )


def _address(out: Mapping[str, object]) -> Address:
    known = {key: out[key] for key in Address.model_fields if key in out}
    return Address.model_validate({"size": 0, **known})
