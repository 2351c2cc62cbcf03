"""The registry: versions of a project's model, in MLflow. Nothing here reads a model.

A version is one row of MLflow's registry, made with all its tags in one call, and one folder
of artifacts in the run of its key. The folder's name is the digest of what is in it: two
attempts with other bytes never write to the same place, and what is read back is held
against it. The row's source is the folder's `model/`, so that MLflow's tools can load it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mergeline.adapters import registry_files
from mergeline.adapters.mlflow_store import (
    Store,
    already_there,
    experiment_of,
    open_store,
    public_uri,
    reporting,
    sqlite_path,
)
from mergeline.errors import ConfigError, RegistryMismatch, RegistryUnavailable

PROJECT = "mergeline.project"
KEY = "mergeline.key"

_HINT = (
    "start it or check the address and its credentials (MLFLOW_TRACKING_URI, which wins, "
    "or registry.uri in params.yaml), then do the same again"
)
_ABOUT = (
    "Models that `mergeline promote` registered. Each version says what it is for and what was "
    "decided of it; its whole model card is `card.md` among the artifacts of its source run."
)
_FOLDER = "registry"  # of artifacts, beside a SQLite file
_PAGE = 100
_LONGEST_DESCRIPTION = 5000  # characters that MLflow's tables hold
_LONGEST_WAIT = 30  # seconds for a server that makes versions ready later
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_SOURCE = re.compile(r"runs:/([0-9A-Za-z_-]{1,64})/([0-9a-f]{64})/model")


@dataclass(frozen=True)
class Version:
    """One registered version.

    Attributes:
        number: As MLflow numbers it.
        key: K; empty for a version that Mergeline did not register.
        tags: All of them.
        source: Where MLflow's tools load the model from.
        run: The run that its artifacts lie in.
    """

    number: str
    key: str
    tags: dict[str, str]
    source: str
    run: str

    @property
    def digest(self) -> str | None:
        """The digest of its files; None for a version that Mergeline did not register."""
        found = _SOURCE.fullmatch(self.source)
        return found[2] if found is not None and found[1] == self.run else None


def registry_uri(settings_uri: str, environ: Mapping[str, str]) -> str:
    """Return where models are registered.

    Args:
        settings_uri: `registry.uri` of the settings.
        environ: The process's environment; its `MLFLOW_TRACKING_URI` wins.

    Raises:
        ConfigError: It is neither a SQLite file nor a server, or it is a file on a machine
            that keeps nothing.
    """
    given = environ.get("MLFLOW_TRACKING_URI", "").strip()
    uri, setting = (given, "MLFLOW_TRACKING_URI") if given else (settings_uri, "registry.uri")
    embedded = sqlite_path(Path(), uri) is not None
    if not embedded and not re.match(r"https?://[^/]", uri):
        raise ConfigError(
            f"{setting} is {uri.partition('://')[0]!r}…, expected sqlite:///FILE or http(s)://HOST",
            hint="name an MLflow server, or a SQLite file of the project's",
        )
    hosted = environ.get("RUNNER_ENVIRONMENT") == "github-hosted"
    if embedded and hosted and environ.get("GITHUB_ACTIONS") == "true":
        raise ConfigError(
            f"{setting} is {uri!r}, a file on a hosted runner, which keeps nothing",
            hint="set MLFLOW_TRACKING_URI to an MLflow server (in the GitHub environment), "
            "or run this job on a runner of your own",
        )
    return uri


class Registry:
    """The versions and aliases of one project's model.

    Every method raises `RegistryUnavailable` when MLflow cannot be asked or does not answer
    as MLflow does; what was to be written may then be written all the same.
    """

    def __init__(self, uri: str, root: Path, project: str) -> None:
        """Remember where the registry is; it is opened when it is first asked.

        Args:
            uri: `sqlite:///FILE` or `http(s)://...`, see `registry_uri`.
            root: The project's root, where a relative file starts.
            project: The name of the registered model.
        """
        self.uri, self.root, self.project = uri, root, project

    # --- reading -----------------------------------------------------------------------

    def find(self, key: str) -> tuple[Version, ...]:
        """Return the versions of a promotion's key, the lowest first."""
        found = self._search(f" and tags.`{KEY}` = '{key}'")
        return tuple(version for version in found if version.key == key)

    def version(self, number: str) -> Version | None:
        """Return one version; None where there is none of that number."""
        if _NUMBER.fullmatch(number) is None:
            return None
        found = self._search(f" and version_number = {number}")
        return next((version for version in found if version.number == number), None)

    def versions(self) -> tuple[Version, ...]:
        """Return all versions that Mergeline registered, the lowest first."""
        return tuple(version for version in self._search("") if version.key)

    def aliases(self) -> dict[str, str]:
        """Return the numbers of versions by alias."""
        with self._asking() as store:
            models = store.client.search_registered_models(f"name = '{self.project}'")
            mine = [model for model in models if model.name == self.project]
            return {str(name): str(at) for model in mine for name, at in model.aliases.items()}

    def download(self, number: str, folder: Path) -> dict[str, Path]:
        """Fetch all files of a version, whole or not at all.

        Args:
            number: Of the version.
            folder: Where to; not there yet, or empty.

        Returns:
            Paths by name: `model/*`, `probes.json`, `evidence/*.json`, `card.md`.

        Raises:
            RegistryMismatch: There is no such version, Mergeline did not register it, or its
                files are not the ones that were registered.
        """
        version = self.version(number)
        if version is None or version.digest is None:
            what = "no version" if version is None else "no version of Mergeline's"
            raise RegistryMismatch(
                f"the registry at {public_uri(self.uri)} holds {what} {number!r} of {self.project}",
                hint="see what the ledger declares (mergeline log) and what MLflow lists",
            )
        with self._asking() as store:
            artifacts = registry_files.artifacts_of(store, version.run)
            return registry_files.download(artifacts, version.digest, folder)

    # --- writing -----------------------------------------------------------------------

    def create(
        self, key: str, files: Mapping[str, bytes], tags: Mapping[str, str], description: str = ""
    ) -> Version:
        """Register a version. MLflow makes a second one when this is done twice: search first.

        Args:
            key: K.
            files: By name: `model/*`, `probes.json`, `evidence/*.json`, `card.md`.
            tags: What is true of the version for ever; project and key are added.
            description: Markdown that MLflow shows beside the version; cut where it is too long.

        Raises:
            RegistryMismatch: The files are too many or too large.
        """
        named = {**tags, PROJECT: self.project, KEY: key}
        with self._asking() as store:
            run = self._run(store, key, named)
            digest = registry_files.upload(registry_files.artifacts_of(store, run), files)
            store.client.set_terminated(run)
            with already_there():
                store.client.create_registered_model(self.project, description=_ABOUT)
            made = store.client.create_model_version(
                self.project,
                f"runs:/{run}/{digest}/model",
                run_id=run,
                tags=named,
                description=description[:_LONGEST_DESCRIPTION] or None,
                await_creation_for=_LONGEST_WAIT,
            )
            return _version(made)

    def delete(self, number: str) -> None:
        """Delete a version, unless somebody did; its aliases go with it, its run stays."""
        if self.version(number) is None:
            return
        with self._asking() as store, _gone():
            store.client.delete_model_version(self.project, number)

    def set_alias(self, name: str, number: str) -> None:
        """Point an alias at a version."""
        with self._asking() as store:
            store.client.set_registered_model_alias(self.project, name, number)

    def delete_alias(self, name: str) -> None:
        """Remove an alias, if there is one."""
        with self._asking() as store, _gone():
            store.client.delete_registered_model_alias(self.project, name)

    # --- asking ------------------------------------------------------------------------

    @contextmanager
    def _asking(self) -> Iterator[Store]:
        with reporting(self.uri, RegistryUnavailable, _HINT):
            yield self._store

    @cached_property
    def _store(self) -> Store:
        return open_store(self.root, self.uri, _FOLDER)

    def _search(self, condition: str) -> tuple[Version, ...]:
        found: list[Any] = []
        with self._asking() as store:
            token = None
            while page := store.client.search_model_versions(
                f"name = '{self.project}'{condition}",
                max_results=_PAGE,
                order_by=["version_number ASC"],
                page_token=token,
            ):
                found += page
                token = page.token
                if not token:
                    break
            self._require_settled(found)
            ready = [_version(item) for item in found if item.status == "READY"]
            return tuple(sorted(ready, key=lambda version: int(version.number)))

    def _require_settled(self, found: list[Any]) -> None:
        """A version that is still being made may come to be the lowest of its key."""
        for item in found:
            if item.status == "PENDING_REGISTRATION":
                raise RegistryUnavailable(
                    f"version {item.version} of {self.project} is still being made",
                    hint="do the same again in a minute; delete that version if it stays so",
                )

    def _run(self, store: Store, key: str, tags: Mapping[str, str]) -> str:
        """Return the run of a key, made where there is none: a killed attempt leaves one."""
        # No project is named like this, so no check is tracked there.
        experiment = experiment_of(store, f"{self.project} releases")
        same, oldest = f"tags.`{KEY}` = '{key}'", ["attributes.start_time ASC"]
        found = store.client.search_runs([experiment], same, max_results=1, order_by=oldest)
        if found:
            return str(found[0].info.run_id)
        source = {"mlflow.source.name": "mergeline promote"}
        made = store.client.create_run(experiment, tags={**tags, **source}, run_name=key[:12])
        return str(made.info.run_id)


@contextmanager
def _gone() -> Iterator[None]:
    """Pass over MLflow's error that what is to be removed is not there (any more)."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _version(made: Any) -> Version:
    if _NUMBER.fullmatch(str(made.version)) is None:
        raise ValueError(f"a version is called {str(made.version)[:40]!r}")
    tags = {str(name): str(value) for name, value in made.tags.items()}
    return Version(
        number=str(made.version),
        key=tags.get(KEY, ""),
        tags=tags,
        source=str(made.source),
        run=str(made.run_id),
    )
