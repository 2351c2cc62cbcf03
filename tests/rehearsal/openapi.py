"""GitHub's own description of its API: where it is, and how an answer is held against it."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema
import pytest

PACKAGE = "@octokit/openapi@23.0.2"
_FILE = Path("generated/api.github.com.json")
_INSTALL_SECONDS = 120
_CHECKER = jsonschema.FormatChecker(formats=())


@_CHECKER.checks("date-time")
def _is_date_time(value: object) -> bool:
    """GitHub's dates are in UTC and whole seconds."""
    text = isinstance(value, str)
    return not text or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(value)))


@_CHECKER.checks("uri")
def _is_uri(value: object) -> bool:
    """GitHub writes an address that nobody gave as an empty text."""
    return not isinstance(value, str) or not value or ":" in value


def find_description(cache: Path) -> Path:
    """Return the file, installed by npm where nobody has done so; skip without npm."""
    named = os.environ.get("MERGELINE_OPENAPI")
    if named:
        return Path(named) / _FILE
    kept = cache / f"{PACKAGE.rsplit('@', 1)[1]}.json"
    if not kept.is_file():
        install(cache, kept)
    return kept


def install(cache: Path, kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed; it brings GitHub's description of its API")
    folder = cache / "install"
    flags = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
    try:
        done = subprocess.run(
            [npm, "install", *flags, PACKAGE],
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not bring {PACKAGE} in time")
    if done.returncode != 0:
        pytest.skip(f"npm cannot bring {PACKAGE}: {done.stderr.strip()[-300:]}")
    # The package holds 400 MB of descriptions; one is enough.
    (folder / "node_modules/@octokit/openapi" / _FILE).replace(kept)
    shutil.rmtree(folder)


@dataclass
class Description:
    """The parsed file."""

    whole: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Description":
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def schemas(self) -> dict[str, Any]:
        return with_null(self.whole["components"]["schemas"])

    def operation(self, method: str, template: str) -> dict[str, Any] | None:
        return self.whole["paths"].get(template, {}).get(method.lower())

    def problems(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """Return what is wrong with an answer; a body of None is none at all."""
        refused = status >= HTTPStatus.BAD_REQUEST
        operation = self.operation(method, template) or {}
        answer = operation.get("responses", {}).get(str(status))
        if answer is None:
            return [f"{method} {template} has no answer {status}"]
        if "$ref" in answer:
            answer = self.whole["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        content = answer.get("content", {}).get("application/json")
        if content is None:
            # What is said with a refusal is often left out.
            return [] if body is None or refused else [f"{method} {template} {status} has no body"]
        if body is None:
            return [f"{method} {template} {status} has a body"]
        root = with_null(content["schema"]) | {"components": {"schemas": self.schemas}}
        validator = jsonschema.Draft202012Validator(root, format_checker=_CHECKER)
        where = f"{method} {template} {status}"
        wrong = [f"{where}: {told(error)}" for error in validator.iter_errors(body)]
        invented = [] if refused else sorted(self.invented(content["schema"], body))
        return wrong + [f"{where}: {name} is no field of GitHub's" for name in invented]

    def invented(self, schema: dict[str, Any], body: Any, path: str = "$") -> set[str]:
        """Return the fields of a body that no alternative of its schema knows."""
        if isinstance(body, list):
            items = [one.get("items", {}) for one in self.alternatives(schema)]
            found = [self.invented({"anyOf": items}, each, f"{path}[]") for each in body]
            return set().union(*found)
        if not isinstance(body, dict):
            return set()
        objects = self.alternatives(schema)
        if any("properties" not in one or one.get("additionalProperties") for one in objects):
            return set()
        found = set()
        for name, value in body.items():
            known = [one["properties"][name] for one in objects if name in one["properties"]]
            inner = self.invented({"anyOf": known}, value, f"{path}.{name}")
            found |= inner if known else {f"{path}.{name}"}
        return found

    def alternatives(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the plain schemas that a schema stands for."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.alternatives(self.whole["components"]["schemas"][name])
        inner = [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]
        plain = [] if inner and "properties" not in schema else [schema]
        return plain + [each for one in inner for each in self.alternatives(one)]


def told(error: jsonschema.ValidationError) -> str:
    """Return an error, and the nearest reason where there are alternatives."""
    inner = jsonschema.exceptions.best_match([error]) or error
    return f"{inner.json_path}: {inner.message[:300]}"


def with_null(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable` allows null."""
    if isinstance(schema, list):
        return [with_null(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: with_null(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
