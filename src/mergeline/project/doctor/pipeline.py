"""`dvc.yaml` as Mergeline would write it, and the pins that its stages depend on."""

import re
import shlex
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mergeline.adapters.git import Git
from mergeline.check.pipeline import MODEL_STAGES, own_code, require_pipeline
from mergeline.config.document import read_document
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.errors import MergelineError
from mergeline.inputs.digest import Reader, is_pin, pins, stages_of
from mergeline.inputs.trees import WorkingTree
from mergeline.project.callers import installed_framework
from mergeline.project.doctor.finding import Finding, missing, ok, warn
from mergeline.project.template import pipeline

WRITE = (
    'python -c "from pathlib import Path; from mergeline.project.template import '
    'write_pipeline; write_pipeline(Path())"'
)
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)[^;]*(;?)")
_OF_DEEPCHECKS = re.compile(rb"^deepchecks==", re.MULTILINE)
_COMMIT = re.compile(r"\bmergeline\b.*\b([0-9a-f]{40})\b")
_SHOWN = 3


def pipeline_findings(root: Path, settings: Settings) -> Iterator[Finding]:
    """Look at the stages and their pins."""
    if not (root / layout.PIPELINE).is_file():
        yield missing(layout.PIPELINE, "there is no such file", init_command(settings))
        return
    tree = WorkingTree(root, Git(root))
    try:
        stages, pinned = stages_of(tree), pins(tree)
        require_pipeline(root)
    except MergelineError as error:
        yield missing(layout.PIPELINE, " ".join(error.message.split()), error.hint)
        return
    yield _stages(root, settings, stages)
    yield from _pins(tree, stages, pinned)


def init_command(settings: Settings | None) -> str:
    """Return the command that writes the files of a project which are not there."""
    source, target = "FILE", "COLUMN"
    if settings is not None:
        source, target = shlex.quote(settings.data.source), shlex.quote(settings.data.target)
    return f"mergeline init --data {source} --target {target}"


def framework_commit(root: Path) -> str:
    """Return the commit of Mergeline that the pins name; empty where they name none."""
    try:
        texts = pins(WorkingTree(root, Git(root))).values()
    except MergelineError:
        return ""
    lines = [line for text in texts for line in text.decode(errors="replace").splitlines()]
    return next((found[1] for line in lines if (found := _COMMIT.search(line))), "")


def _stages(root: Path, settings: Settings, stages: Mapping[str, Any]) -> Finding:
    absent = [name for name in STAGES if name not in stages]
    if absent:
        return missing(layout.PIPELINE, f"it has no stage {', '.join(absent)}", WRITE)
    code = dict.fromkeys(MODEL_STAGES, tuple(own_code(root, settings.model)))
    contract, task = settings.data.contract is not None, settings.data.task
    text = pipeline(contract=contract, pins=[], code=code, task=task)
    wanted = read_document(text, origin=layout.PIPELINE).data["stages"]
    differs = [said for name in STAGES for said in _differences(name, wanted[name], stages[name])]
    if not differs:
        return ok(layout.PIPELINE, f"{len(stages)} stages, as Mergeline writes them")
    more = f"; and {len(differs) - _SHOWN} more" if len(differs) > _SHOWN else ""
    return warn(
        layout.PIPELINE,
        f"not as Mergeline writes it: {'; '.join(differs[:_SHOWN])}{more}",
        f"unless that is meant: {WRITE}",
    )


def _differences(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("cmd") != wanted["cmd"]:
        yield f"{name} runs a command of its own"
    for key, what in (("deps", "dependency"), ("params", "parameter"), ("outs", "output")):
        there = _names(found.get(key))
        for item in _names(wanted.get(key)):
            if item not in there:
                yield f"{name} lacks the {what} {item}"


def _names(items: Any) -> list[str]:
    """Return the entries of a list in which an entry may be a mapping with options."""
    listed = items if isinstance(items, list) else []
    return [str(name) for one in listed for name in (one if isinstance(one, dict) else [one])]


def _pins(
    tree: WorkingTree, stages: Mapping[str, Any], pinned: Mapping[str, bytes]
) -> Iterator[Finding]:
    reader = Reader(tree)
    loose = [
        name
        for name in STAGES
        if name in stages and not any(map(is_pin, reader.dependencies(stages[name])))
    ]
    if loose:
        detail = f"no pins among the dependencies of {', '.join(loose)}: an upgrade is not seen"
        yield missing("pins", detail, WRITE)
    # deepchecks has an environment of its own, which is held against its lock elsewhere.
    here = {path: data for path, data in pinned.items() if not _OF_DEEPCHECKS.search(data)}
    differ = [said for data in here.values() for said in _other_versions(data)]
    differ += _other_commit(tree.root)
    if differ:
        more = f", and {len(differ) - _SHOWN} more" if len(differ) > _SHOWN else ""
        files = " ".join(f"-r {path}" for path in here)
        yield missing(
            "pins",
            f"not what is installed: {', '.join(differ[:_SHOWN])}{more}; results made with other "
            "versions would stand under the names of these",
            f"python -m pip install {files}",
        )
    if not loose and not differ:
        yield ok("pins", f"{', '.join(here)}: what is installed")


def _other_commit(root: Path) -> Iterator[str]:
    """Say whether the pins name another commit of Mergeline than the one installed, if known."""
    pinned, installed = framework_commit(root), installed_framework()
    if pinned and installed is not None and installed.commit != pinned:
        yield f"mergeline {pinned[:12]} is {installed.commit[:12]} here"


def _other_versions(data: bytes) -> Iterator[str]:
    """Say which pins are not what is installed; of several of a package one is for here."""
    stated: dict[str, set[str]] = {}
    always: set[str] = set()
    for line in data.decode(errors="replace").splitlines():
        pin = _PIN.match(line)
        if pin is not None:
            name, number, marker = pin.groups()
            stated.setdefault(name, set()).add(number)
            # With a marker it may be for another system.
            always |= set() if marker else {name}
    for name, numbers in stated.items():
        said = f"{name} {' or '.join(sorted(numbers))}"
        try:
            found = version(name)
        except PackageNotFoundError:
            if name in always:
                yield f"{said} is not installed"
            continue
        if found not in numbers:
            yield f"{said} is {found} here"
