"""How jobs run: where, how long, in which order, and by which command."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml.scalarstring import FoldedScalarString, LiteralScalarString

from workflows.yaml_policy import EXPRESSION, Job, Line

_LONGEST = 60  # minutes
_IMAGE = re.compile(r"ubuntu-\d\d\.\d\d")
_ORDERLY = ("promote", "rollback", "comment")
_LINE = {("promote", "promote"), ("rollback", "rollback")}
# A program of ours with literal words and whole variables.
_WORD = r"([A-Za-z0-9_.\-]+|\"\$[A-Z_]+(/\.\.)*\"|[A-Z]+=\"\$[A-Z_]+\")"
_COMMAND = re.compile(rf"(mergeline|make)( {_WORD})*")
# The two that are neither: jobs that run nothing, and ask only how others ended.
_TRIVIAL = {("review", "true"), ("pull-request", 'test "$RESULTS" = success')}
_JOB_KEYS = {
    *("name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "concurrency"),
    *("outputs", "steps", "environment", "strategy", "uses", "with", "secrets"),
}
_STEP_KEYS = {"id", "uses", "with", "run", "env", "if", "shell", "continue-on-error"}
_TOP_KEYS = {"name", "on", "permissions", "concurrency", "jobs"}


def jobs_have_timeouts(line: Line) -> Iterator[str]:
    """Each job ends within an hour."""
    for job in line.jobs():
        minutes = job.body.get("timeout-minutes")
        bounded = isinstance(minutes, int) and 1 <= minutes <= _LONGEST
        if job.called is None and not bounded:
            yield f"{job}: timeout-minutes is {minutes}, not 1 to {_LONGEST}"


def images_are_fixed(line: Line) -> Iterator[str]:
    """A job runs on an image that does not change its version unasked."""
    for job in line.jobs():
        image = job.body.get("runs-on")
        if job.called is None and not _IMAGE.fullmatch(str(image)):
            yield f"{job}: it runs on {image}, not on a hosted image of one version"


def one_change_of_the_line_at_a_time(line: Line) -> Iterator[str]:
    """Promotion and rollback wait for each other, in one group with a fixed name."""
    for job in _of_line(line):
        group = job.concurrency.get("group")
        if group != "mergeline-line":
            yield f"{job}: its group is {group}, not mergeline-line"


def what_changes_the_line_is_never_cancelled(line: Line) -> Iterator[str]:
    """Nothing of promotion, rollback and comment is cancelled by a later one, or dropped."""
    for file in line.of("workflow", "caller"):
        if file.name in _ORDERLY and "concurrency" in file.body:
            yield f"{file}: a group around the whole workflow would cancel, or wait for itself"
    for job in line.jobs():
        if job.file.name not in _ORDERLY and not job.is_trusted:
            continue
        if job.concurrency.get("cancel-in-progress", False) is not False:
            yield f"{job}: cancel-in-progress"
        changes = job.called is None and (job.environment or "write" in job.grants.values())
        if changes and job.concurrency.get("queue") != "max":
            yield f"{job}: without `queue: max` a third one cancels the second"


def groups_of_pull_requests_are_their_own(line: Line) -> Iterator[str]:
    """No group of a job without rights can come to the name of one with rights."""
    groups = [(job, str(group)) for job in line.jobs() for group in _groups(job)]
    guarded = {_fixed(group) for job, group in groups if job.is_trusted}
    for job, group in groups:
        if job.is_trusted:
            continue
        mine = _fixed(group)
        for other in guarded:
            if mine.startswith(other) or other.startswith(mine):
                yield f"{job}: its group {group} could be {other}"


def runs_are_one_line(line: Line) -> Iterator[str]:
    """A `run` is one call of `mergeline` or `make`, which a person can make too."""
    for step in line.steps():
        plain = _COMMAND.fullmatch(step.run) or (step.job.file.name, step.run) in _TRIVIAL
        if step.run and not plain and not EXPRESSION.search(step.run):
            yield f"{step}: not one plain call of mergeline or make"


def runs_hold_no_expression(line: Line) -> Iterator[str]:
    """Values reach a shell by `env` alone: `${{ }}` in a `run` would be program text."""
    for step in line.steps():
        for key in ("run", "shell", "working-directory"):
            if EXPRESSION.search(str(step.body.get(key, ""))):
                yield f"{step}: there is an expression in {key}"


def conditions_are_expressions(line: Line) -> Iterator[str]:
    """An `if` is one `${{ }}` and no more: a block, or a text around it, is always true."""
    parts = [(str(job), job.body) for job in line.jobs()]
    parts += [(str(step), step.body) for step in line.steps()]
    for where, part in parts:
        if "if" not in part:
            continue
        said = part["if"]
        block = isinstance(said, LiteralScalarString | FoldedScalarString)
        if block or not re.fullmatch(r"\$\{\{ (?:(?!\}\}).)+ \}\}", str(said)):
            yield f"{where}: its `if` is not one `${{{{ }}}}` on one line"


def keys_are_known(line: Line) -> Iterator[str]:
    """A key that these rules know nothing of (`env` of a job, `container`) is not there."""
    for file in line.of("workflow", "caller"):
        yield from (f"{file}: the key {key}" for key in set(file.body) - _TOP_KEYS)
    for job in line.jobs():
        yield from (f"{job}: the key {key}" for key in set(job.body) - _JOB_KEYS)
    for step in line.steps():
        yield from (f"{step}: the key {key}" for key in set(step.body) - _STEP_KEYS)
        # Without CML the comment goes by the API.
        if "continue-on-error" in step.body and step.job.file.name != "cml":
            yield f"{step}: its failure would be none"


def _of_line(line: Line) -> Iterator[Job]:
    return (job for job in line.jobs() if job.called is None and (job.file.name, job.name) in _LINE)


def _groups(job: Job) -> Iterator[Any]:
    for part in (job.body.get("concurrency"), job.file.body.get("concurrency")):
        if part is not None:
            yield part.get("group") if isinstance(part, Mapping) else part


def _fixed(group: str) -> str:
    """Return the beginning of a group's name that no expression changes; case does not count."""
    return group.partition("${{")[0].lower()


RULES = (
    jobs_have_timeouts,
    images_are_fixed,
    one_change_of_the_line_at_a_time,
    what_changes_the_line_is_never_cancelled,
    groups_of_pull_requests_are_their_own,
    runs_are_one_line,
    runs_hold_no_expression,
    conditions_are_expressions,
    keys_are_known,
)
