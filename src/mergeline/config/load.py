"""From `params.yaml` to `Settings`, or to one error that names everything wrong with it."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mergeline.config.document import Document, plain, read_document
from mergeline.config.problem import Problem, did_you_mean, dotted, printable
from mergeline.config.rules import disagreements
from mergeline.config.sentences import problems_of
from mergeline.config.settings import Settings
from mergeline.errors import ConfigError

# How alike a top-level key and one of our sections must be to be taken for a misspelling, and for
# a doubt: of short names `crad` is as near to `card` as `date` to `data`.
_NEAR, _DOUBTFUL = 0.8, 0.75


def load_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        ConfigError: It is missing, unreadable or says something that is not allowed.
    """
    name = _short(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{name}: there is no such file",
            hint="go to the project's folder; a new project begins with "
            "`mergeline init --data FILE --target COLUMN`",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{name}: it cannot be read ({error.strerror})",
            hint="name a file that you may read",
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8 text",
            hint="save the file as UTF-8",
        ) from error
    return parse_settings(text, origin=name)


def _short(path: Path) -> str:
    """Return the path from here where the file is below the current folder."""
    absolute, here = os.path.abspath(path), os.getcwd()  # noqa: PTH100, PTH109 -- no symlinks
    return os.path.relpath(absolute, here) if absolute.startswith(here + os.sep) else str(path)


def parse_settings(text: str, *, origin: str) -> Settings:
    """Parse the text of a settings file.

    Top-level sections that are not Mergeline's are left alone.

    Args:
        text: YAML 1.2.
        origin: What to call the file in messages.

    Raises:
        ConfigError: It says something that is not allowed; the message has a line for each
            wrong value. Keys that do not fit together are looked at when each is right.
    """
    document = read_document(text, origin=printable(origin))
    values, problems, renamed = _ours(document)
    try:
        settings = Settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        known = {problem.path for problem in problems}
        for problem in problems_of(error, values):
            if problem.path not in known and problem.path[0] not in renamed:
                problems.append(problem)
    else:
        problems += disagreements(settings)
    if problems:
        raise _error(problems, document, printable(origin))
    return settings


def _ours(document: Document) -> tuple[dict[str, Any], list[Problem], set[str]]:
    """Return Mergeline's sections as JSON, problems so far, and sections found misspelt."""
    sections = Settings.model_fields
    absent = [name for name in sections if name not in document.data]
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    renamed: set[str] = set()
    for key, value in document.data.items():
        if key in sections:
            values[key], found = plain(value, (key,))
            problems += found
        elif meant := did_you_mean(str(key), absent, cutoff=_NEAR):
            renamed.add(meant)
            text = f"did you mean the section {meant}? One of your own needs another name"
            problems.append(Problem((str(key),), text))
    return values, problems, renamed


def doubtful_sections(path: Path) -> list[str]:
    """Return sections that are taken for the project's own and may be one of ours, misspelt.

    Args:
        path: A settings file that `load_settings` has read.

    Returns:
        A sentence each, that begins with the place.
    """
    document = read_document(path.read_text("utf-8-sig"), origin=printable(_short(path)))
    absent = [name for name in Settings.model_fields if name not in document.data]
    found = [
        (str(key), meant)
        for key in document.data
        if key not in Settings.model_fields
        and (meant := did_you_mean(str(key), absent, cutoff=_DOUBTFUL))
        and abs(len(str(key)) - len(meant)) <= 1  # DVC's `train` is no `tracking`
    ]
    return [
        f"{printable(_short(path))}:{document.line((key,))}: {dotted((key,))}: taken for a section "
        f"of the project's own and not read; or did you mean {meant}?"
        for key, meant in found
    ]


def _error(problems: Iterable[Problem], document: Document, origin: str) -> ConfigError:
    lines = sorted(
        (document.line(problem.path) or 0, dotted(problem.path), problem.text)
        for problem in problems
    )
    texts = [
        f"{origin}:{line}: {key}: {text}" if line else f"{origin}: {key}: {text}"
        for line, key, text in lines
    ]
    if len(texts) > 1:
        texts.insert(0, f"{origin}: {len(texts)} problems")
    return ConfigError("\n".join(texts), hint="`mergeline schema` prints all that is allowed")
