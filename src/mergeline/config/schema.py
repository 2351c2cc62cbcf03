"""The settings as JSON Schema, for editors of `params.yaml`, and a report as one.

The classes are the one source: their docstrings become the descriptions.
"""

import inspect
import re
from collections.abc import Sequence
from typing import Any, get_args

from mergeline.config.settings import Settings
from mergeline.core.plan import Plan
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


_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """Return the schema of `params.yaml` (draft 2020-12).

    Mergeline's own sections are strict; other top-level sections are allowed.
    """
    schema = _described(Settings.model_json_schema(), (Bounds, Limits))
    kinds: dict[str, Any] = schema["$defs"]
    for name, keys in _EXACTLY_ONE.items():
        kinds[name]["oneOf"] = [{"required": [key]} for key in keys]
    kinds["SplitSettings"]["not"] = {"required": ["test", "after"]}
    for name in ("MetricGate", "SliceGate"):
        kinds[name]["properties"]["metric"]["enum"] = list(get_args(MetricName))
    kinds["DataGate"]["allOf"] = [*_NUMBERS_OF_DATA]
    return schema | {
        "$schema": _DRAFT,
        "title": "params.yaml of a Mergeline project",
        "additionalProperties": True,
    }


def report_schema() -> dict[str, Any]:
    """Return the schema of a report as JSON: the plan with all evidence (draft 2020-12)."""
    schema = _described(Plan.model_json_schema(mode="serialization"))
    # What belongs to the trusted job, or to a clone's ledger, is never handed over.
    for name, field in Plan.model_fields.items():
        if field.exclude:
            schema["properties"].pop(name, None)
    return schema | {"$schema": _DRAFT, "title": "A report of Mergeline"}


def _described(schema: dict[str, Any], bases: Sequence[type] = ()) -> dict[str, Any]:
    """Return a schema whose properties have the words of their docstrings.

    Args:
        schema: As pydantic makes it.
        bases: Classes that others inherit properties from.
    """
    kinds: dict[str, Any] = schema["$defs"]
    above = [inspect.cleandoc(base.__doc__ or "") for base in bases]
    for kind in (schema, *(kind for kind in kinds.values() if "properties" in kind)):
        for inherited in above:
            _describe_properties(kind, inherited)
        _describe_properties(kind, kind.get("description", ""))
        if "description" in kind:
            kind["description"] = kind["description"].partition("\n\n")[0]
    return schema


def _describe_properties(kind: dict[str, Any], doc: str) -> None:
    """Copy the `Attributes:` of a docstring to the properties that they are about."""
    _, _, attributes = doc.partition("\n\nAttributes:\n")
    for name, text in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE):
        if name in kind["properties"]:
            kind["properties"][name]["description"] = " ".join(text.split())
