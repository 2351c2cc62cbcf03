"""From `params.yaml` to `Settings`, or to one error that names everything wrong with it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mergeline.config.settings import Settings
from mergeline.errors import ConfigError


def load_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        ConfigError: It is missing, unreadable or says something that is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", hint="make one beside dvc.yaml") from None
    return parse_settings(text, origin=str(path))


def parse_settings(text: str, *, origin: str) -> Settings:
    """Parse the text of a settings file.

    Args:
        text: YAML 1.2.
        origin: What to call the file in messages.

    Raises:
        ConfigError: It says something that is not allowed; all of it is named.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data: Any = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ConfigError(f"{origin}: {error}", hint="correct the YAML") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{origin}: expected sections", hint="start with project, data, model")
    ours = {key: _plain(value) for key, value in data.items() if key in Settings.model_fields}
    try:
        return Settings.model_validate_json(json.dumps(ours))
    except ValidationError as error:
        raise ConfigError(f"{origin}: {error}", hint="correct it and run again") from error


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case date():
            return value.isoformat()
        case _:
            return value
