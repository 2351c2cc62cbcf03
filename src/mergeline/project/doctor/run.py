"""All groups of findings."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from mergeline.config.services import Deploy
from mergeline.errors import GitHubError
from mergeline.ledger.report import branch_of
from mergeline.ledger.store import BRANCH
from mergeline.project.doctor.access import access_findings
from mergeline.project.doctor.actions import actions_findings
from mergeline.project.doctor.asking import look
from mergeline.project.doctor.environments import environment_findings, environments_of
from mergeline.project.doctor.finding import Finding, Group, missing, unknown
from mergeline.project.doctor.ledger_branches import ledger_findings
from mergeline.project.doctor.machine import machine
from mergeline.project.doctor.main_branch import main_findings
from mergeline.project.doctor.place import find_place
from mergeline.project.doctor.project import Project, open_project, project
from mergeline.project.doctor.workflows import workflows

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


def diagnose(folder: Path, environ: Mapping[str, str]) -> Sequence[Group]:
    """Look at everything.

    Args:
        folder: In the project's repository.
        environ: Of this process.
    """
    about = open_project(folder)
    # GitHub and storage are waited for at the same time.
    with ThreadPoolExecutor() as pool:
        groups = [pool.submit(machine), pool.submit(project, about, environ)]
        if about.root is not None:
            groups.append(pool.submit(workflows, about.root, about.settings))
        groups.append(pool.submit(at_github, about, environ))
    return [group.result() for group in groups]


def at_github(about: Project, environ: Mapping[str, str]) -> Group:
    """Look at the repository at GitHub, where there is a token and a repository."""
    return Group(title="GitHub", findings=tuple(_at_github(about, environ)))


def _at_github(about: Project, environ: Mapping[str, str]) -> Sequence[Finding]:
    root, settings = about.root, about.settings
    where = find_place(root, environ)
    if isinstance(where, Finding):
        return [where]
    deploy = settings.deploy if settings else Deploy()
    lines = (BRANCH, branch_of(deploy.environment))
    try:
        seen = look(where.place, lines, environments_of(root))
    except GitHubError as error:
        if error.status in _REFUSED and error.again_after is None:
            return [missing("token", error.message, error.hint)]
        return [unknown("github", f"{error.message}; nothing else was asked", error.hint)]
    return [
        *access_findings(where, seen, root, settings),
        *main_findings(where, seen, root, settings),
        *ledger_findings(where, seen),
        *environment_findings(where, seen, root, settings),
        *actions_findings(where, seen, root, datetime.now(UTC)),
    ]
