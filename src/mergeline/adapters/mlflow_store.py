"""Where MLflow keeps things: a server, or a SQLite file with a folder beside it.

Also how MLflow is asked: quietly, once, with an end, and with its errors as one message that
holds no secret. MLflow is imported inside only; it takes seconds.
"""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mergeline.errors import ToolError

# MLflow waits two minutes for an answer. Telemetry, hints and progress are not ours to show.
_UNLESS_SET = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# MLflow repeats whatever fails, seven times; a repeated "create" makes a second one.
_ALWAYS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}

_EXISTS = "RESOURCE_ALREADY_EXISTS"
_LONGEST_CAUSE = 300
_HIDDEN = "***"


@dataclass(frozen=True)
class Store:
    """An open store.

    Attributes:
        client: An `mlflow.MlflowClient`.
        artifacts: For a SQLite file, where artifacts are put, as a URI; else the server knows.
        embedded: Whether the file lies in the project, and moves with it.
    """

    client: Any
    artifacts: str | None
    embedded: bool


def open_store(root: Path, uri: str, folder: str) -> Store:
    """Return a store that can be asked; a SQLite file is made where there is none.

    Args:
        root: The project's root, where a relative SQLite path starts.
        uri: Of a server or a SQLite file.
        folder: The artifacts' folder beside a SQLite file.
    """
    from mlflow.tracking import MlflowClient

    path = sqlite_path(root, uri)
    if path is None:
        return Store(MlflowClient(tracking_uri=uri, registry_uri=uri), None, embedded=False)
    if not path.exists():
        _make_sqlite(path)
    whole = f"sqlite:///{path}"
    client = MlflowClient(tracking_uri=whole, registry_uri=whole)
    embedded = not uri.removeprefix("sqlite:///").startswith("/")
    return Store(client, (path.parent / folder).as_uri(), embedded)


def sqlite_path(root: Path, uri: str) -> Path | None:
    """Return the file of a SQLite store; None for any other URI, and for one in memory."""
    scheme, _, rest = uri.partition(":///")
    name = rest.partition("?")[0]
    if scheme != "sqlite" or name in ("", ":memory:"):
        return None
    return root.resolve() / name


def _make_sqlite(path: Path) -> None:
    """Make a new store, whole or not at all: MLflow cannot use one that is half made."""
    from mlflow.tracking import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        MlflowClient(tracking_uri=f"sqlite:///{temporary}")
        # Not renamed: another process may have made one meanwhile, and written to it.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        for left in path.parent.iterdir():
            if left.name.startswith(temporary.name):
                left.unlink()


def experiment_of(store: Store, name: str) -> str:
    """Return the id of an experiment, made where there is none.

    Raises:
        ToolError: Somebody deleted it.
    """
    found = store.client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        raise ToolError(
            f"the MLflow experiment {name!r} is deleted",
            hint=f"restore it: mlflow experiments restore --experiment-id {found.experiment_id}",
        )
    if found is not None and store.embedded and found.artifact_location != store.artifacts:
        # The project was moved or copied: new files must not go to the old place.
        store.client.rename_experiment(
            found.experiment_id, f"{name} ({found.experiment_id}, before the project was moved)"
        )
        found = None
    return str(found.experiment_id) if found is not None else _new_experiment(store, name)


def _new_experiment(store: Store, name: str) -> str:
    with already_there():
        return str(store.client.create_experiment(name, artifact_location=store.artifacts))
    return str(store.client.get_experiment_by_name(name).experiment_id)


@contextmanager
def already_there() -> Iterator[None]:
    """Pass over MLflow's error that what is to be made was made meanwhile."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != _EXISTS:
            raise


# --- quiet, and errors without secrets -----------------------------------------------


@contextmanager
def reporting(uri: str, kind: type[ToolError], hint: str) -> Iterator[None]:
    """Keep MLflow quiet and impatient, and turn whatever it raises into one message.

    Args:
        uri: Of the store; the message names it without its secrets.
        kind: What is raised.
        hint: What to do next.
    """
    try:
        with _environment(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _failures() as error:
        # Not "from error": its text may hold the credentials of the URI.
        raise kind(
            f"MLflow at {public_uri(uri)} cannot be used: {_cause(uri, error)}", hint=hint
        ) from None


@contextmanager
def _environment() -> Iterator[None]:
    added = {**_ALWAYS, **{name: os.environ.get(name, at) for name, at in _UNLESS_SET.items()}}
    before = {name: os.environ.get(name) for name in added}
    level = logging.root.manager.disable
    os.environ.update(added)
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# What MLflow's client comes to when an answer has another shape than MLflow's.
_MISREAD = (AttributeError, KeyError, TypeError, ValueError)


def _failures() -> tuple[type[Exception], ...]:
    from mlflow.exceptions import MlflowException

    # Of libraries that MLflow brings; those that it did not load raised nothing.
    theirs = (("sqlalchemy.exc", "SQLAlchemyError"), ("google.protobuf.json_format", "ParseError"))
    loaded = [
        getattr(sys.modules[module], name) for module, name in theirs if module in sys.modules
    ]
    return (MlflowException, OSError, ImportError, *_MISREAD, *loaded)


def _cause(uri: str, error: Exception) -> str:
    # The network's own words stand last, after three layers of "failed".
    text = _without_secrets(uri, error).rpartition("(Caused by ")[2]
    if isinstance(error, _MISREAD):
        text = f"{type(error).__name__}: {text}"
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(line.split())[:_LONGEST_CAUSE]


def _without_secrets(uri: str, error: Exception) -> str:
    place = public_uri(uri)
    if place.endswith(_HIDDEN):
        return type(error).__name__
    text = str(error).replace(uri, place)
    user = re.split(r"[/?#]", uri.partition("://")[2])[0].rpartition("@")[0]
    text = text.replace(user, _HIDDEN) if user else text
    return re.sub(r"(?<=://)[^/\s]*@", "", re.sub(r"\?[^\s'\")]+", f"?{_HIDDEN}", text))


def public_uri(uri: str) -> str:
    """Return a URI without what may be secret in it: user, password and query."""
    scheme, found, rest = uri.partition("://")
    if scheme == "sqlite":
        return uri
    host, *others = re.split(r"[/?#]", rest if found else uri, maxsplit=1)
    if "@" in "".join(others) or ("@" in host and not found):
        # Perhaps a slash within a password: what is secret cannot be told.
        return f"{scheme}://{_HIDDEN}" if found else _HIDDEN
    return f"{scheme}{found}{re.split('[?#]', rest)[0].rpartition('@')[2]}"
