"""A plan's data in MLflow's terms: names, digests and columns of two datasets, no value of them."""

import json
from pathlib import PurePosixPath
from typing import Any

from mergeline.core.evidence import EvidenceSet, PrepareContent

# MLflow's own limits (mlflow.utils.validation), and less for what is only looked at.
_LONGEST_DIGEST = 36
_LONGEST_NAME = 480
_COLUMNS, _LONGEST_COLUMN = 1000, 200
# How MLflow calls the kinds of columns.
_TYPES = {
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "datetime": "datetime",
    "category": "string",
    "text": "string",
}


def datasets_of(evidence: EvidenceSet) -> list[Any]:
    """Return the table that a candidate was trained on, and the rows that were held out of it.

    The digest of the first is that of the file, of the second that of the rows' keys.
    """
    if evidence.prepare is None:
        return []
    data = evidence.prepare.content
    name = PurePosixPath(data.source).name[:_LONGEST_NAME]
    split = data.split
    return [
        _dataset(data, name, data.sha256, "training", split.train_rows),
        _dataset(data, f"{name} (held out)", data.held_out_sha256, "evaluation", split.test_rows),
    ]


def _dataset(data: PrepareContent, name: str, digest: str, context: str, rows: int) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    profile = {"num_rows": rows, "table_rows": data.rows, "sha256": digest, "file": data.sha256}
    columns = [
        {
            "type": _TYPES[column.kind],
            "name": column.name[:_LONGEST_COLUMN],
            "required": column.missing == 0,
        }
        for column in data.columns[:_COLUMNS]
    ]
    dataset = Dataset(
        name=name,
        digest=digest[:_LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": data.source}),
        schema=json.dumps({"mlflow_colspec": columns}) if columns else None,
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
