"""The credential of a job for the data remote: from its environment to DVC, and away again."""

import io
import os
import re
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from mergeline.errors import ConfigError

VARIABLE = "MERGELINE_DVC_CONFIG"
LOCAL = ".dvc/config.local"
_REMOTE = re.compile(r'\s*remote\s*"[^"]+"\s*')


@contextmanager
def data_credential(root: Path, environ: MutableMapping[str, str] | None = None) -> Iterator[None]:
    """Let DVC use what `MERGELINE_DVC_CONFIG` says, as the project's `.dvc/config.local`.

    The variable is taken out of the environment at once: no stage inherits it. The file is
    readable by its owner alone, and is gone at the end, however that comes.

    Args:
        root: The project's root.
        environ: Of this process unless given.

    Raises:
        ConfigError: It says something else than keys of remotes, or another file is there.
    """
    given = (os.environ if environ is None else environ).pop(VARIABLE, "")
    if not given.strip() or not (root / ".dvc").is_dir():
        yield
        return
    data = given.encode(errors="surrogateescape")
    _require_remotes(data)
    path = root / LOCAL
    if not _made(path, data):
        yield  # the very same is there already: somebody else's to remove
        return
    try:
        _require_usable(root)
        yield
    finally:
        path.unlink(missing_ok=True)


def _require_remotes(data: bytes) -> None:
    """Refuse what DVC cannot read, and sections that are of no remote: those steer DVC."""
    from configobj import ConfigObj, ConfigObjError

    try:
        sections = ConfigObj(io.BytesIO(data)).dict()
    except ConfigObjError as error:
        first = next(iter(getattr(error, "errors", ()) or ()), error)
        line = getattr(first, "line_number", None)
        where = f"line {line} of it" if line else "it"
        raise _wrong(f"{where} cannot be read") from None
    except UnicodeDecodeError:
        raise _wrong("it is not UTF-8") from None
    for number, (name, keys) in enumerate(sections.items(), start=1):
        if not isinstance(keys, dict):
            raise _wrong(f"entry {number} of it stands before the first section")
        if not _REMOTE.fullmatch(name):
            raise _wrong(f"section {number} of it is not of a remote")
        if any(isinstance(value, dict) for value in keys.values()):
            raise _wrong(f"section {number} of it holds a section of its own")


def _require_usable(root: Path) -> None:
    """Let DVC read all settings together: of what it refuses, nothing is repeated."""
    from dvc.config import Config
    from dvc.config import ConfigError as Refused

    try:
        Config(os.fspath(root / ".dvc"))
    except Refused:
        raise _wrong(
            "DVC refuses it beside .dvc/config: a key that such a remote does not have, a value "
            "of the wrong form, or a remote without url"
        ) from None


def _made(path: Path, data: bytes) -> bool:
    """Write the file; return False where the very same is there."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        if not path.is_symlink() and path.is_file() and path.read_bytes() == data:
            return False
        raise ConfigError(
            f"{LOCAL} is there already, and says something else than {VARIABLE}",
            hint=f"keep one of the two: remove {LOCAL}, or unset {VARIABLE}",
        ) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _wrong(what: str) -> ConfigError:
    return ConfigError(
        f"{VARIABLE}: {what}; expected the text of a {LOCAL}, with sections of remotes alone",
        hint="begin it with ['remote \"NAME\"'], NAME as in .dvc/config, then a line for each "
        "key; try it on your machine as .dvc/config.local",
    )
