"""The project: a Git repository with settings, a pipeline, data and DVC."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.git import find_root
from mergeline.adapters.registry import registry_uri
from mergeline.config.load import doubtful_sections, load_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.errors import MergelineError
from mergeline.project.doctor.data import data_findings
from mergeline.project.doctor.finding import Finding, Group, missing, ok, warn
from mergeline.project.doctor.pipeline import init_command, pipeline_findings
from mergeline.project.doctor.remotes import remote_findings

# A release has to be fetched, loaded and smoke-tested before its watch begins.
_BEFORE_WATCH = 30
# What promote.yml gives its job, of which a part goes by before the release is declared.
JOB_SECONDS = 60 * 60
_BEFORE_DECLARED = 15 * 60


@dataclass(frozen=True)
class Project:
    """What all groups want to know of it.

    Attributes:
        root: The repository's top folder; None outside of one.
        settings: None where `params.yaml` is not there or not right.
        found: What was seen on the way.
    """

    root: Path | None = None
    settings: Settings | None = None
    found: tuple[Finding, ...] = ()


def open_project(folder: Path) -> Project:
    """Find the project that a folder lies in, and read its settings."""
    try:
        root = find_root(folder)
    except MergelineError as error:
        return Project(found=(missing("repository", error.message, error.hint),))
    found, path = ok("repository", str(root)), root / layout.SETTINGS
    if not path.is_file():
        detail = "there is none; the rest of the project is looked at when it is there"
        return Project(root, found=(found, missing(layout.SETTINGS, detail, init_command(None))))
    try:
        settings = load_settings(path)
    except MergelineError as error:
        said = " ".join(error.message.split())
        return Project(root, found=(found, missing(layout.SETTINGS, said, error.hint)))
    said = f"{settings.project}, {_count(len(settings.gates), 'gate')}"
    doubts = [
        warn("section", doubt, "spell it as in `mergeline schema`, or keep it")
        for doubt in doubtful_sections(path)
    ]
    return Project(root, settings, (found, ok(layout.SETTINGS, said), *doubts))


def project(about: Project, environ: Mapping[str, str]) -> Group:
    """Look at the project.

    Args:
        about: What is known of it.
        environ: Of this process.
    """
    found, root, settings = list(about.found), about.root, about.settings
    if root is not None and settings is not None:
        found += pipeline_findings(root, settings)
        found += data_findings(root, settings.data)
        found += remote_findings(root)
        found += [_registry(settings, environ), *_deploy(settings)]
    return Group(title="The project", findings=tuple(found))


def _registry(settings: Settings, environ: Mapping[str, str]) -> Finding:
    try:
        uri = registry_uri(settings.registry.uri, environ)
    except MergelineError as error:
        return missing("registry", error.message, error.hint)
    if uri.startswith(("http://", "https://")):
        return ok("registry", "an MLflow server")
    return warn(
        "registry",
        f"{uri} is a file: fine on one machine, refused on a hosted runner, which keeps nothing",
        "for GitHub: `registry: {uri: https://HOST}` in params.yaml, or the secret "
        "MLFLOW_TRACKING_URI in the environment production",
    )


def _deploy(settings: Settings) -> Iterator[Finding]:
    deploy = settings.deploy
    confirm, watch = deploy.confirm_seconds, deploy.watch_seconds
    said = f"a promotion waits {confirm:g} s for a release that is watched {watch:g} s"
    change = "in params.yaml: `deploy: {{confirm_seconds: {:g}}}`".format
    if not deploy.environment.strip():
        yield missing("deploy", "the environment has no name", "deploy: {environment: production}")
    elif confirm <= watch:
        yield missing("deploy", f"{said}: it would always be UNCONFIRMED", change(watch + 90))
    elif confirm > JOB_SECONDS - _BEFORE_DECLARED:
        detail = f"{said}; the job ends after {JOB_SECONDS // 60} minutes"
        yield missing("deploy", detail, change(JOB_SECONDS - _BEFORE_DECLARED))
    elif confirm < watch + _BEFORE_WATCH:
        detail = f"{said}: little is left to fetch and load it"
        yield warn("deploy", detail, change(watch + 90))
    else:
        yield ok("deploy", f"{deploy.environment}; {said}")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
