"""Who may do what: tokens, secrets, and what never meets a pull request's code."""

import re
from collections.abc import Iterator, Mapping

from workflows.rules.handing import is_page
from workflows.yaml_policy import (
    DATA_CREDENTIAL,
    Job,
    Line,
    expressions,
    has_token,
    secrets_of,
)

ENVIRONMENTS = {
    "comment": {"comment": "mergeline"},
    "promote": {"promote": "production", "publish": "production"},
    "rollback": {"rollback": "production"},
}
# What a trusted job puts into variables: nothing that a pull request wrote.
_VALUES = re.compile(
    r"github\.token|secrets\.[A-Z_]+|inputs\.[a-z]+|needs\.[a-z]+\.(outputs\.[a-z]+|result)|"
    r"steps\.[a-z]+\.outputs\.[a-z]+|github\.(sha|event\.workflow_run\.head_sha)|"
    r"!cancelled\(\) && needs\.[a-z]+\.result == 'success'"
    r"( && needs\.plan\.outputs\.build != 'nothing')?"
)
_HANDED = ("actions/download-artifact", "actions/upload-artifact", "$/.github/actions/hand-over")


def nothing_is_permitted_on_top(line: Line) -> Iterator[str]:
    """`permissions: {}` at the top: what a job does not name it does not have."""
    for file in line.of("workflow", "caller"):
        if file.body.get("permissions") != {}:
            yield f"{file}: it does not begin with `permissions: {{}}`"


def jobs_name_their_permissions(line: Line) -> Iterator[str]:
    """Each job names its own, by scope."""
    for job in line.jobs():
        if not isinstance(job.body.get("permissions"), Mapping):
            yield f"{job}: it does not name its permissions, scope by scope"
        for scope, level in job.grants.items():
            if level not in ("read", "write"):
                yield f"{job}: `{scope}: {level}` is no grant"


def grants_have_reasons(line: Line) -> Iterator[str]:
    """Each grant says on its line what it is for."""
    for job in line.jobs():
        for scope in job.grants:
            if not re.search(r" # \S", job.file.line(job.grants, scope)):
                yield f"{job}: the grant {scope} has no reason beside it"


def project_code_gets_nothing(line: Line) -> Iterator[str]:
    """A job that runs project code may write nothing and holds no secret, no token."""
    for job in line.jobs():
        if not job.runs_project_code:
            continue
        written = [scope for scope, level in job.grants.items() if level == "write"]
        if written:
            yield f"{job}: it runs project code and may write {written}"
        if has_token(job.body):
            yield f"{job}: it runs project code and hands out its token"
        for name in sorted(secrets_of(job.body) - {DATA_CREDENTIAL}):
            yield f"{job}: it runs project code and holds the secret {name}"


def data_credential_meets_the_check_alone(line: Line) -> Iterator[str]:
    """What reads the data is a variable of `mergeline check`, of no other step."""
    for job in line.jobs():
        rest = {key: value for key, value in job.body.items() if key not in ("steps", "secrets")}
        if DATA_CREDENTIAL in secrets_of(rest):
            yield f"{job}: {DATA_CREDENTIAL} is there for every step"
        for step in job.steps:
            checks = step.run.startswith("mergeline check")
            if DATA_CREDENTIAL in secrets_of(step.body) and not checks:
                yield f"{step}: it holds {DATA_CREDENTIAL}, which is for the check alone"


def trusted_jobs_stand_on_main(line: Line) -> Iterator[str]:
    """A job with rights checks out main's own commit: that of the event, whole."""
    for job in _trusted(line):
        for step in job.steps:
            aside = {"ref", "repository", "path", "submodules", "lfs"} & set(step.given)
            if step.action == "actions/checkout" and aside:
                yield f"{step}: it checks out something else than main's commit: {sorted(aside)}"


def trusted_jobs_take_no_artifact(line: Line) -> Iterator[str]:
    """Artifacts are read as hostile, by Mergeline: no action unpacks one where rights are.

    The page that was made there goes out, and nothing else.
    """
    for job in _trusted(line):
        for step in job.steps:
            if step.action in _HANDED and not is_page(step):
                yield f"{step}: artifacts have no place in a job with rights"


def trusted_jobs_are_told_nothing_foreign(line: Line) -> Iterator[str]:
    """No value that a pull request chose, as a branch's name, reaches a job with rights."""
    for job in _trusted(line):
        for held in expressions(job.body):
            if not _VALUES.fullmatch(held):
                yield f"{job}: `{held}` is not among what a job with rights may be told"


def nothing_is_cached(line: Line) -> Iterator[str]:
    """A cache that one job filled would be another's code."""
    for step in line.steps():
        asked = [key for key, value in step.given.items() if "cache" in key and value is not False]
        if step.action.startswith("actions/cache") or asked:
            yield f"{step}: it uses a cache"


def secrets_belong_to_environments(line: Line) -> Iterator[str]:
    """A job with secrets names the environment that holds them, which main alone may enter."""
    for job in line.jobs():
        if job.called is not None:
            continue
        expected = ENVIRONMENTS.get(job.file.name, {}).get(job.name)
        if job.environment != expected:
            yield f"{job}: its environment is {job.environment}, not {expected}"
        held = secrets_of(job.body) - {DATA_CREDENTIAL}
        if held and not (job.environment or job.runs_project_code):
            yield f"{job}: it holds {sorted(held)} in no environment"


def _trusted(line: Line) -> Iterator[Job]:
    return (job for job in line.jobs() if job.is_trusted)


RULES = (
    nothing_is_permitted_on_top,
    jobs_name_their_permissions,
    grants_have_reasons,
    project_code_gets_nothing,
    data_credential_meets_the_check_alone,
    trusted_jobs_stand_on_main,
    trusted_jobs_take_no_artifact,
    trusted_jobs_are_told_nothing_foreign,
    nothing_is_cached,
    secrets_belong_to_environments,
)
