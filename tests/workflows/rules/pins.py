"""What is run of others: by commit, as that commit's version."""

import re
from collections.abc import Iterator
from typing import Any

from workflows.yaml_policy import ROOT, File, Line

# Each was looked at. A new version is a new line here, in a pull request of its own.
PINS = {
    "actions/attest": ("1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"),
    "actions/cache": ("27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-node": ("820762786026740c76f36085b0efc47a31fe5020", "v7.0.0"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
    "iterative/setup-cml": ("f12ea7685438c1fc438d50f77519b3860cf5fa98", "v2.0.1"),
}
_CALL = re.compile(r"(?P<path>[^@]+)@(?P<commit>[0-9a-f]{40})")


def actions_are_pinned(line: Line) -> Iterator[str]:
    """Everything of others is pinned by commit, with its version as a comment."""
    for file in line.files:
        for job in file.jobs:
            for where, part in ((str(job), job.body), *((str(s), s.body) for s in job.steps)):
                if "uses" in part:
                    yield from (f"{where}: {said}" for said in _complaints(file, part))


def checkouts_keep_no_credentials(line: Line) -> Iterator[str]:
    """A checkout leaves no token in the workspace, where project code would find it."""
    for step in line.steps():
        if step.action != "actions/checkout":
            continue
        if step.given.get("persist-credentials") is not False:
            yield f"{step}: it does not say `persist-credentials: false`"
        if {"token", "ssh-key"} & set(step.given):
            yield f"{step}: it is given a credential"


def _complaints(file: File, part: Any) -> Iterator[str]:
    used = part["uses"]
    if used.startswith("$/"):
        path = ROOT / used.removeprefix("$/")
        if file.kind == "caller":
            yield "`$/` would be the project's own repository"
        elif not (path.is_file() or (path / "action.yml").is_file()):
            yield f"there is no {used.removeprefix('$/')} in this repository"
        return
    found = _CALL.fullmatch(used)
    comment = re.search(r"# (v\d+\.\d+\.\d+)$", file.line(part, "uses"))
    if found is None:
        yield f"{used} is not pinned by the 40 digits of a commit"
    elif comment is None:
        yield f"{used} has no version beside it, as `# v1.2.3`"
    elif file.kind == "caller" and "/.github/workflows/" in used:
        if not (ROOT / "/".join(found["path"].split("/")[2:])).is_file():
            yield f"there is no workflow {found['path']}"
    elif PINS.get(found["path"]) != (found["commit"], comment[1]):
        yield f"{used} {comment[1]} is not among those that were looked at"


RULES = (actions_are_pinned, checkouts_keep_no_credentials)
