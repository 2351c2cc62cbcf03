"""The settings as JSON Schema, for editors of `params.yaml`.

The classes are the one source: their docstrings become the descriptions.
"""

import inspect
import re
from typing import Any, get_args

from mergeline.config.settings import Settings
from mergeline.core.policy import Bounds, Limits
from mergeline.core.task import MetricName

# What the classes' validators check and pydantic cannot say in a schema.
_EXACTLY_ONE = {
    "MetricGate": ("at_least", "at_most", "no_worse_than_baseline_by"),
    "FairnessGate": ("at_most", "no_worse_than_baseline_by"),
    "SliceGate": ("at_least", "at_most"),
    "DataGate": ("at_least", "at_most", "no_worse_than_baseline_by"),
    "Model": ("estimator", "factory", "onnx"),
}
# Which keys a gate on the data has, by what it judges.
_NUMBERS_OF_DATA = (
    {"if": {"properties": {"data": {"const": "rows"}}}, "then": {"not": {"required": ["column"]}}},
    {
        "if": {"properties": {"data": {"not": {"const": "rows"}}}},
        "then": {"not": {"required": ["at_least"]}},
    },
    {
        "if": {"properties": {"data": {"const": "drift"}}},
        "then": {"not": {"required": ["no_worse_than_baseline_by"]}},
    },
)


def settings_schema() -> dict[str, Any]:
    """Return the schema of `params.yaml` (draft 2020-12).

    Mergeline's own sections are strict; other top-level sections are allowed.
    """
    schema = Settings.model_json_schema()
    kinds: dict[str, Any] = schema["$defs"]
    limits = [inspect.cleandoc(base.__doc__ or "") for base in (Bounds, Limits)]
    for kind in (schema, *(kind for kind in kinds.values() if "properties" in kind)):
        for inherited in limits:
            _describe_properties(kind, inherited)
        _describe_properties(kind, kind["description"])
        kind["description"] = kind["description"].partition("\n\n")[0]
    for name, keys in _EXACTLY_ONE.items():
        kinds[name]["oneOf"] = [{"required": [key]} for key in keys]
    kinds["SplitSettings"]["not"] = {"required": ["test", "after"]}
    for name in ("MetricGate", "SliceGate"):
        kinds[name]["properties"]["metric"]["enum"] = list(get_args(MetricName))
    kinds["DataGate"]["allOf"] = [*_NUMBERS_OF_DATA]
    return schema | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "params.yaml of a Mergeline project",
        "additionalProperties": True,
    }


def _describe_properties(kind: dict[str, Any], doc: str) -> None:
    """Copy the `Attributes:` of a docstring to the properties that they are about."""
    _, _, attributes = doc.partition("\n\nAttributes:\n")
    for name, text in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE):
        if name in kind["properties"]:
            kind["properties"][name]["description"] = " ".join(text.split())
