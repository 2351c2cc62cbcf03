"""Rulesets: who may do what to which branches. Only required statuses are enforced."""

from mergeline.rehearsal.answers import Answer, Json, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.required import rulesets_of
from mergeline.rehearsal.resources.people import stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.state import Ruleset


def _show(call: Call, ruleset: Ruleset) -> Json:
    url = f"{repo_url(call, call.repo)}/rulesets/{ruleset.id}"
    html = f"{repo_page(call, call.repo)}/rules/{ruleset.id}"
    return {
        "id": ruleset.id,
        "node_id": f"RRS_{ruleset.id}",
        "name": ruleset.name,
        "target": ruleset.target,
        "source_type": "Repository",
        "source": call.repo.full_name,
        "enforcement": ruleset.enforcement,
        "_links": {"self": {"href": url}, "html": {"href": html}},
        "created_at": stamp(ruleset.created),
        "updated_at": stamp(ruleset.created),
    }


def _list(call: Call) -> Answer:
    return page(call, call.repo.rulesets, _show)


def _get(call: Call) -> Answer:
    number = call.number("ruleset_id")
    found = next((one for one in call.repo.rulesets if one.id == number), None)
    if found is None:
        raise not_found()
    body = _show(call, found) | {"rules": found.rules, "current_user_can_bypass": "never"}
    body["conditions"] = {"ref_name": {"include": found.include, "exclude": found.exclude}}
    # Who may pass by it is shown to those only who could change it.
    if call.world.writes(call.repo, call.token):
        body["bypass_actors"] = found.bypass
    return Answer(200, body)


def _of_branch(call: Call) -> Answer:
    name = call.parameters["branch"]
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.repo.full_name}
    rules = [
        {**rule, **source, "ruleset_id": ruleset.id}
        for ruleset in rulesets_of(call.repo, name)
        for rule in ruleset.rules
    ]
    return page(call, rules, lambda _call, rule: rule)


_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", f"{_REPO}/rulesets", _list),
    Route("GET", f"{_REPO}/rulesets/{{ruleset_id}}", _get),
    Route("GET", f"{_REPO}/rules/branches/{{branch}}", _of_branch),
)
