"""What a build hands over, and what a pull request's own run says of itself."""

from collections.abc import Iterator
from os.path import commonpath

from mergeline.bundle.names import PARTS
from mergeline.core import layout
from workflows.yaml_policy import Line, Step

_HAND_OVER = "$/.github/actions/hand-over"
_TRUSTED = "comment"
# What the trusted job gives out: its own page, which no job reads.
_PAGE = {
    "name": "mergeline-report",
    "path": "report.html",
    "if-no-files-found": "ignore",
    "overwrite": True,
}


def artifacts_are_those_that_are_read(line: Line) -> Iterator[str]:
    """The two parts are uploaded under their names, each with exactly the files it may hold."""
    every = [step for step in line.steps() if step.action == "actions/upload-artifact"]
    uploads = [step for step in every if step.job.file.name != _TRUSTED]
    if sorted(str(step.given.get("name")) for step in uploads) != sorted(PARTS):
        yield f"{[str(step) for step in uploads]} do not upload {sorted(PARTS)}"
    for step in uploads:
        if step.given.get("name") in PARTS:
            yield from (f"{step}: {said}" for said in _wrong(step))


def is_page(step: Step) -> bool:
    """Whether a step of the trusted job behind a pull request uploads its page, and no more."""
    uploads = step.action == "actions/upload-artifact" and step.given == _PAGE
    return uploads and step.job.file.name == _TRUSTED


def artifacts_are_taken_by_id(line: Line) -> Iterator[str]:
    """A name can be given again, an id cannot."""
    for step in line.steps():
        by_id = set(step.given) <= {"artifact-ids", "path"} and "artifact-ids" in step.given
        if step.action == "actions/download-artifact" and not by_id:
            yield f"{step}: it takes an artifact by something else than its id"


def builds_hand_over(line: Line) -> Iterator[str]:
    """A job ends with handing over what it checked, also where a gate failed."""
    for job in line.jobs():
        checks = [step for step in job.steps if step.run.startswith("mergeline check")]
        if not checks:
            continue
        last = job.steps[-1]
        if job.steps[-2:] != (checks[0], last) or last.uses != _HAND_OVER:
            yield f"{job}: it does not end with the check and {_HAND_OVER}"
        elif last.body.get("if") != "${{ !cancelled() }}":
            yield f"{last}: it does not hand over what failed a gate"


def last_job_says_how_all_ended(line: Line) -> Iterator[str]:
    """The last job needs every other one, runs always, and fails unless all succeeded."""
    *others, last = line.workflow("pull-request").jobs
    if set(last.body.get("needs", ())) != {job.name for job in others}:
        yield f"{last}: it does not need {[job.name for job in others]}"
    if last.body.get("if") != "${{ always() }}":
        yield f"{last}: it does not run always, and skipped counts as passed"
    (step,) = last.steps
    if step.body.get("env") != {"RESULTS": "${{ join(needs.*.result, ' ') }}"}:
        yield f"{step}: it does not ask how all others ended"


def _wrong(step: Step) -> Iterator[str]:
    paths = str(step.given.get("path", "")).split()
    allowed = {entry.path: name for name, entry in PARTS[step.given["name"]].items()}
    above = commonpath(paths)
    for path, name in allowed.items():
        covered = any(path == each or path.startswith(f"{each}/") for each in paths)
        if not covered:
            yield f"{path} is not uploaded"
        elif path.removeprefix(f"{above}/") != name:
            yield f"{path} would not be called {name}"
    for each in paths:
        if each not in allowed and each != layout.MODEL:
            yield f"{each} would be refused by those who read it"
    if set(step.given) != {"name", "path", "if-no-files-found", "overwrite"}:
        yield f"it is given {sorted(step.given)}"
    if step.given.get("overwrite") is not True:
        yield "a run that is repeated could not upload again"


RULES = (
    artifacts_are_those_that_are_read,
    artifacts_are_taken_by_id,
    builds_hand_over,
    last_job_says_how_all_ended,
)
