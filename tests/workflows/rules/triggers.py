"""What starts a workflow, and how workflows find each other."""

from collections.abc import Iterator, Mapping

from workflows.yaml_policy import Line

# Nothing else starts anything: `pull_request_target` and `issue_comment` run with main's rights
# on what strangers wrote.
EVENTS = {
    "pull-request": {"pull_request", "merge_group", "workflow_call"},
    "review": {"pull_request_review"},
    "comment": {"workflow_run", "workflow_call"},
    "promote": {"push", "workflow_call"},
    "rollback": {"workflow_dispatch", "workflow_call"},
    "ci": {"pull_request", "merge_group", "push"},
}
# How an event may be narrowed. Of pull requests nothing: one that is left out gets no status.
FILTERS = {
    "push": {"branches"},
    "pull_request": set(),
    "merge_group": set(),
    "pull_request_review": {"types"},
    "workflow_run": {"workflows", "types"},
    "workflow_dispatch": {"inputs"},
    "workflow_call": {"inputs", "secrets"},
}


def events_are_allowed(line: Line) -> Iterator[str]:
    """Each workflow has its events, and no other workflow is there."""
    for file in line.of("workflow", "caller"):
        allowed = EVENTS.get(file.name)
        if allowed is None:
            yield f"{file}: a workflow that the policy does not know"
            continue
        expected = allowed - {"workflow_call"} if file.kind == "caller" else allowed
        if set(file.events) != expected:
            yield f"{file}: it is started by {', '.join(file.events)}, not {sorted(expected)}"


def events_are_not_narrowed(line: Line) -> Iterator[str]:
    """No filter of an event lets something pass unseen; a push counts on main alone."""
    for file in line.of("workflow", "caller"):
        for event, how in file.events.items():
            filters = how if isinstance(how, Mapping) else {}
            for key in set(filters) - FILTERS.get(event, set(filters)):
                yield f"{file}: {event} is narrowed by {key}"
            if event == "push" and filters.get("branches") != ["main"]:
                yield f"{file}: a push counts on main alone, not {how}"


def names_are_those_of_files(line: Line) -> Iterator[str]:
    """A workflow is called as its file: others follow it by that name."""
    for file in line.of("workflow", "caller"):
        if file.body.get("name") != file.name:
            yield f"{file}: it is called {file.body.get('name')!r}, not {file.name!r}"


def comment_follows_builds_and_reviews(line: Line) -> Iterator[str]:
    """comment.yml follows, once they end, exactly the two workflows that say something new."""
    followed = [line.workflow(name).body.get("name") for name in ("pull-request", "review")]
    for file in line.of("workflow", "caller"):
        how = file.events.get("workflow_run")
        if how is None:
            continue
        if sorted(how["workflows"]) != sorted(map(str, followed)):
            yield f"{file}: it follows {list(how['workflows'])}, not {followed}"
        if list(how.get("types") or ()) != ["completed"]:
            yield f"{file}: it follows {how.get('types')}, not what is completed"


RULES = (
    events_are_allowed,
    events_are_not_narrowed,
    names_are_those_of_files,
    comment_follows_builds_and_reviews,
)
