"""What workflows and actions declare, are given, and use of it."""

import re
from collections.abc import Iterator, Mapping

from workflows.yaml_policy import ROOT, File, Job, Line, expressions, secrets_of

_RANK = {"read": 1, "write": 2}


def what_is_used_is_declared(line: Line) -> Iterator[str]:
    """A reusable workflow, or an action, declares each input and secret that it uses."""
    for file in line.of("workflow", "action"):
        declared, used = _declared(file), _inputs_of(file.body)
        if file.kind == "workflow" and "workflow_call" in file.events:
            used |= secrets_of(file.body) - {"GITHUB_TOKEN", "*"}
        for name in sorted(used - declared):
            yield f"{file}: it uses {name}, which it does not declare"
        for name in sorted(declared - used):
            yield f"{file}: it declares {name}, which it does not use"


def inputs_are_the_same_by_hand(line: Line) -> Iterator[str]:
    """Somebody who starts a workflow by hand is asked for what a caller gives."""
    for file in line.of("workflow"):
        if "workflow_dispatch" not in file.events:
            continue
        asked = (file.events["workflow_dispatch"] or {}).get("inputs")
        if asked != file.call.get("inputs"):
            yield f"{file}: by hand it asks for something else than of a caller"


def callers_pass_what_is_declared(line: Line) -> Iterator[str]:
    """A caller passes every secret under its own name, the inputs that are needed, no others."""
    for job, called in _calls(line):
        declared = called.call.get("secrets") or {}
        passed = job.body.get("secrets") or {}
        if dict(passed) != {name: f"${{{{ secrets.{name} }}}}" for name in declared}:
            yield f"{job}: it passes the secrets {sorted(passed)}, not {sorted(declared)}"
        inputs, given = called.call.get("inputs") or {}, set(job.body.get("with") or {})
        needed = {name for name, how in inputs.items() if how.get("required")}
        if not needed <= given <= set(inputs):
            yield f"{job}: it passes the inputs {sorted(given)} of {sorted(inputs)}"


def callers_grant_what_is_needed(line: Line) -> Iterator[str]:
    """A caller grants what the called jobs need together: with less GitHub refuses to start."""
    for job, called in _calls(line):
        needed = granted_of(called)
        if dict(job.grants) != needed:
            yield f"{job}: it grants {dict(job.grants)}, and {needed} is needed"


def granted_of(file: File) -> dict[str, str]:
    """Return the most that any job of a workflow is granted."""
    most: dict[str, str] = {}
    for job in file.jobs:
        for scope, level in job.grants.items():
            most[scope] = max(level, most.get(scope, "read"), key=lambda each: _RANK[each])
    return most


def _calls(line: Line) -> Iterator[tuple[Job, File]]:
    """Return jobs that call one of this repository's workflows, with that one."""
    known = {file.path: file for file in line.of("workflow")}
    for job in line.jobs():
        found = re.search(r"(\.github/workflows/[^@/]+\.yml)@", job.called or "")
        if found and (ROOT / found[1]).is_file():
            yield job, known[found[1]]


def _declared(file: File) -> set[str]:
    if file.kind == "action":
        return set(file.body.get("inputs") or {})
    by_hand: Mapping[str, object] = file.events.get("workflow_dispatch") or {}
    said = (file.call.get("inputs"), file.call.get("secrets"), by_hand.get("inputs"))
    return {name for part in said if isinstance(part, Mapping) for name in part}


def _inputs_of(node: object) -> set[str]:
    held = " ".join(expressions(node))
    return set(re.findall(r"\binputs\.([A-Za-z_-]+)", held))


RULES = (
    what_is_used_is_declared,
    inputs_are_the_same_by_hand,
    callers_pass_what_is_declared,
    callers_grant_what_is_needed,
)
