"""All groups of findings."""

from collections.abc import Sequence
from pathlib import Path

from mergeline.project.doctor.finding import Group
from mergeline.project.doctor.machine import machine
from mergeline.project.doctor.project import project
from mergeline.project.doctor.workflows import workflows


def diagnose(folder: Path) -> Sequence[Group]:
    """Look at everything.

    Args:
        folder: In the project's repository.
    """
    about, of_project = project(folder)
    groups = [machine(), of_project]
    if about.root is not None:
        groups.append(workflows(about.root))
    return groups
