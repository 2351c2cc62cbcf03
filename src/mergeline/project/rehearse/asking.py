"""A form that asks the model server for a prediction: its fields are the model's columns."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mergeline.core.probes import Probes
from mergeline.errors import MergelineError, ToolError
from mergeline.model.directory import Description, read_description
from mergeline.project.traffic import HEADER
from mergeline.serve.releases import Releases

_SECONDS = 10
_MOST_OPTIONS = 30
_SAID = ("message", "error", "detail", "hint")  # keys of a problem
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Field:
    """One column of the model; `options` are values that a category is known to take."""

    name: str
    kind: str
    value: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """The columns of the release that answers, and how many made rows there are to fill in."""

    description: Description
    fields: tuple[Field, ...]
    rows: int


@dataclass(frozen=True)
class Reply:
    """What the server said: `lines` of a prediction, or the problem."""

    version: str
    lines: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def form(state: Path, row: int) -> Form | None:
    """Return the form of the release that answers; None while none does.

    Args:
        state: The model server's folder.
        row: Which of the release's made rows (nobody's data) to fill in.
    """
    folder = Releases(state).linked("current")
    if folder is None:
        return None
    try:
        description = read_description(folder / "model")
        probes = Probes.model_validate_json((folder / "probes.json").read_bytes())
    except (OSError, ValueError, MergelineError):
        return None
    given = dict(zip(probes.columns, probes.rows[row % len(probes.rows)], strict=True))
    fields = tuple(
        Field(one.name, one.kind, _text(given.get(one.name)), _options(probes, one.name, one.kind))
        for one in description.features
    )
    return Form(description, fields, len(probes.rows))


def _options(probes: Probes, name: str, kind: str) -> tuple[str, ...]:
    if kind == "boolean":
        return tuple(_WORDS)
    if kind != "category" or name not in probes.columns:
        return ()
    place = probes.columns.index(name)
    found = {_text(row[place]) for row in probes.rows} - {""}
    return tuple(sorted(found)[:_MOST_OPTIONS])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def ask(port: int, wanted: Form, given: Mapping[str, str]) -> Reply:
    """Ask the server; what is no number is sent as it is, for the server to say so.

    Raises:
        ToolError: It does not answer.
    """
    row = {one.name: _value(one.kind, given.get(one.name, "")) for one in wanted.fields}
    body = json.dumps({"dataframe_records": [row]}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/invocations", body, headers)
        response = connection.getresponse()
        data, label = response.read(), response.getheader(HEADER) or ""
    except (OSError, http.client.HTTPException) as error:
        raise ToolError(
            f"the model server does not answer: {error}", hint="look at the page Live"
        ) from error
    finally:
        connection.close()
    version = (label.split() or ["?"])[0]
    if response.status != http.client.OK:
        return Reply(version, problem=_problem(response.status, data))
    return Reply(version, _lines(json.loads(data)))


def _value(kind: str, text: str) -> str | float | bool | None:
    word = text.strip()
    if not word:
        return None
    if kind == "boolean":
        return _WORDS.get(word.lower(), word)
    if kind != "number":
        return text
    try:
        return float(word)
    except ValueError:
        return text


def _problem(status: int, data: bytes) -> str:
    try:
        said = json.loads(data)
    except ValueError:
        return f"HTTP {status}: {data[:500].decode(errors='replace')}"
    words = [said.get(key) for key in _SAID] if isinstance(said, dict) else [said]
    return f"HTTP {status}: {'; '.join(str(one) for one in words if one)}"


def _lines(said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return a prediction as names and values, as the server gave them."""
    answer = said["predictions"][0]
    if not isinstance(answer, dict):
        return (("prediction", str(answer)),)
    lines = [
        (str(name), value if isinstance(value, str) else json.dumps(value))
        for name, value in answer.items()
    ]
    if "threshold" in said:
        lines.append(("threshold", json.dumps(said["threshold"])))
    return tuple(lines)
