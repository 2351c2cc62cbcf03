"""The root's dvc.yaml: what the template says, with the stage code that each stage imports."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.core.evidence import STAGES
from mergeline.project.template import IGNORED, pipeline

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
# Rooms that stages share: a stage depends on the whole folder.
ROOMS = ("core", "config", "model", "stats")


def imported(path: Path) -> Iterator[Path]:
    """Yield Mergeline's own modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mergeline"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("mergeline")]
        else:
            continue
        for name in names:
            stem = SOURCE / str(name).replace(".", "/")
            for file in (stem.with_suffix(".py"), stem / "__init__.py"):
                if file.is_file():
                    yield file


def closure(stage: str) -> set[Path]:
    found = {SOURCE / f"mergeline/stages/{stage}.py", SOURCE / "mergeline/stages/base.py"}
    waiting = list(found)
    while waiting:
        for file in imported(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.append(file)
    return found


def code(stage: str) -> list[str]:
    paths = set()
    for file in closure(stage):
        parts = file.relative_to(SOURCE / "mergeline").parts
        if parts[-1] == "__init__.py":
            continue
        name = parts[0] if parts[0] in ROOMS else "/".join(parts)
        paths.add(f"src/mergeline/{name}")
    # The worker is started as a file, not imported, and runs its mends as one.
    if "src/mergeline/adapters/deepchecks.py" in paths:
        files = ("deepchecks_mends.py", "deepchecks_worker.py")
        paths |= {f"src/mergeline/adapters/{name}" for name in files}
        paths.add("requirements/deepchecks.txt")
    return sorted(paths)


def expected() -> str:
    return pipeline(
        contract=True,
        pins=["requirements/main.txt"],
        code={stage: code(stage) for stage in STAGES},
    )


def test_stages_depend_on_the_code_that_they_import(request: pytest.FixtureRequest) -> None:
    path = ROOT / "dvc.yaml"
    if request.config.getoption("--update-goldens"):
        path.write_text(expected())
    assert path.read_text() == expected()


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_depends_on_what_only_reports_or_promotes(stage: str) -> None:
    rooms = {file.relative_to(SOURCE / "mergeline").parts[0] for file in closure(stage)}
    assert not rooms & {"report", "check", "cli", "project"}


def test_ignore_files_are_the_templates() -> None:
    for name in ("data/.gitignore", "reports/.gitignore", ".dvcignore"):
        assert (ROOT / name).read_text().splitlines() == list(IGNORED[name])


def test_dvc_finds_no_other_pipeline_in_a_clone() -> None:
    command = ["git", "ls-files", "--", "dvc.yaml", "*/dvc.yaml", "*.dvc"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert listed.stdout.split() == ["dvc.yaml"]


def test_the_root_is_a_dvc_project_in_every_clone() -> None:
    assert (ROOT / ".dvc/config").is_file()
    assert "/cache" in (ROOT / ".dvc/.gitignore").read_text().splitlines()
